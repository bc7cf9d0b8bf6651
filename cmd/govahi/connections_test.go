package main

import (
	"strings"
	"testing"

	"govahi/adapters/sso"
	"govahi/domain/fault/faulttest"
)

func TestConnectionsThatLeaveTheMachineAreEncrypted(t *testing.T) {
	for _, c := range []struct {
		connections
		production string // what the refusal there names; empty if it is good
	}{
		{connections{}, ""},
		{connections{Log: "esdb://127.0.0.1:2113?tls=false"}, ""},
		{connections{Log: "esdb://log.example.ir:2113?tls=false"}, "GOVAHI_LOG"},
		{connections{Log: "esdb+discover://user:word@log.example.ir:2113"}, ""},
		{connections{Log: "esdb://127.0.0.1:2113,localhost:2114?tls=false"}, ""},
		{connections{Log: "esdb://127.0.0.1:2113,log.example.ir:2113?tls=false"}, "GOVAHI_LOG"},
		{connections{Log: "esdb://log.example.ir:2113?tls=0"}, "GOVAHI_LOG"},
		{connections{Log: "esdb://log.example.ir:2113?TLS=False"}, "GOVAHI_LOG"},
		{connections{Log: "esdb://log.example.ir:2113?tlsVerifyCert=false"}, "GOVAHI_LOG"},
		{connections{NATS: "nats://localhost:4222"}, ""},
		{connections{NATS: "nats://bus-1.example.ir,nats://bus-2.example.ir"}, "GOVAHI_NATS"},
		{connections{NATS: "tls://bus-1.example.ir,nats://bus-2.example.ir"}, "GOVAHI_NATS"},
		{connections{NATS: "tls://bus-1.example.ir,tls://bus-2.example.ir"}, ""},
		{connections{Postgres: "postgres://govahi@[::1]/views"}, ""},
		{connections{Postgres: "postgres://govahi@db.example.ir/views"}, "GOVAHI_POSTGRES"},
		{connections{Postgres: "postgres://govahi@db-1.example.ir:5432,db-2.example.ir:5432/views?sslmode=verify-full"}, ""},
		{connections{Vault: "postgres://govahi@db.example.ir/vault?sslmode=prefer"}, "GOVAHI_VAULT"},
		{connections{Vault: "postgres://govahi@db.example.ir/vault?sslmode=require"}, "GOVAHI_VAULT"}, // whoever answers is believed
		{connections{Vault: "postgres:///vault?host=db.example.ir&sslmode=disable"}, "GOVAHI_VAULT"},
		{connections{Vault: "postgres://localhost/vault?host=db.example.ir&sslmode=disable"}, "GOVAHI_VAULT"},
		{connections{Vault: "host=db.example.ir dbname=vault sslmode=disable"}, "GOVAHI_VAULT"},
		{connections{Vault: "postgres://govahi@/vault?host=/run/postgresql&sslmode=disable"}, ""},
		{connections{Vault: "postgres://govahi@db.example.ir/vault?sslmode=verify-full&pool_max_conns=40"}, ""},
	} {
		if err := c.check(sso.Development); err != nil {
			t.Errorf("%+v in development: %v", c.connections, err)
		}
		err := c.check(sso.Production)
		if (err == nil) != (c.production == "") || err != nil && faulttest.Remarked(err.Error(), c.production) != nil {
			t.Errorf("%+v in production: %v", c.connections, err)
		}
	}
}

func TestAConnectionThatIsNoURLIsNotRepeated(t *testing.T) {
	err := connections{Vault: "postgres://govahi:secret word@db/%zz"}.check(sso.Development)
	if err == nil || strings.Contains(err.Error(), "secret") || faulttest.Remarked(err.Error(), "GOVAHI_VAULT") != nil {
		t.Errorf("it says %v", err)
	}
}

func TestEachServerOfTheBusIsAURL(t *testing.T) {
	for _, text := range []string{"bus.example.ir:4222", "tls://bus-1.example.ir,bus-2.example.ir:4222"} {
		if err := (connections{NATS: text}).check(sso.Production); err == nil || faulttest.Remarked(err.Error(), "GOVAHI_NATS") != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestACertificateThatIsNotThereIsNamed(t *testing.T) {
	err := connections{Vault: "postgres://govahi:secret@db/vault?sslmode=verify-full&sslrootcert=/nowhere/ca.crt"}.check(sso.Production)
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "/nowhere/ca.crt") || faulttest.Remarked(err.Error(), "GOVAHI_VAULT") != nil {
		t.Errorf("it says %v", err)
	}
}

func TestViewsAndVaultAreKeptApart(t *testing.T) {
	same := "postgres://govahi@127.0.0.1/both"
	if err := (connections{Postgres: same, Vault: same}).check(sso.Development); err == nil || faulttest.Remarked(err.Error(), "GOVAHI_VAULT") != nil {
		t.Error("what may be dropped stands with what must never be lost")
	}
}

func TestAPartOfTheRolesNeedsSharedParts(t *testing.T) {
	shared := connections{
		Log: "esdb://127.0.0.1:2113", NATS: "nats://127.0.0.1", Postgres: "postgres://127.0.0.1/views", Vault: "postgres://127.0.0.1/vault",
	}
	for _, c := range []struct {
		roles   string
		without func(*connections)
		refused string
	}{
		{"api", func(c *connections) { c.NATS = "" }, ""},
		{"relay", func(c *connections) { c.Postgres, c.Vault = "", "" }, ""},
		{"relay", func(c *connections) { c.NATS = "" }, "GOVAHI_NATS"},
		{"projector", func(c *connections) { c.Vault = "" }, "GOVAHI_VAULT"},
		{"policy,issuer", func(c *connections) { c.Log = "" }, "GOVAHI_LOG"},
		{"api,relay,projector,policy,issuer", func(c *connections) { *c = connections{} }, ""},
	} {
		s := settings{connections: shared}
		c.without(&s.connections)
		err := s.lonely(strings.Split(c.roles, ","))
		if (err == nil) != (c.refused == "") || err != nil && faulttest.Remarked(err.Error(), c.refused) != nil {
			t.Errorf("%s: %v", c.roles, err)
		}
	}
}
