package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/event"
)

// crl measures a revocation list from the revocation that makes it due until it
// lies where everybody fetches it, with so many entries that are on it already:
// fold, encoding, check against the log, intent, signature by the token, record,
// database. Beside it the standard library makes and signs such a list in memory.
func (r *benchRun) crl(ctx context.Context) error {
	h, err := r.home(ctx, "crl", roleAPI)
	if err != nil {
		return err
	}
	return errors.Join(r.crlOf(ctx, h), h.leave())
}

func (r *benchRun) crlOf(ctx context.Context, h *home) error {
	issuer, end := h.authorities[0].Issuer(), now().AddDate(1, 0, 0).Truncate(time.Second)
	r.step(fmt.Sprintf("revoking %d certificates", r.revoked))
	if err := h.tellAll(ctx, r.revoked, func(k int) []event.Event {
		return []event.Event{revocationOf(k, issuer, end)}
	}); err != nil {
		return err
	}
	r.step("the first list")
	publish := func(k int) error {
		return h.publishers.Publish(ctx, commands.Caller{Policy: "daily-crl", Key: fmt.Sprint("bench-", k)})
	}
	if err := publish(0); err != nil {
		return err
	}
	r.step(fmt.Sprintf("lists of %d entries", r.revoked))
	n := r.revoked
	bare, err := bareList(n, end)
	if err != nil {
		return err
	}
	p, err := r.inTurn(3, r.profiled("crl", func() (float64, error) {
		n++
		if err := h.tellAll(ctx, 1, func(int) []event.Event { return []event.Event{revocationOf(n, issuer, end)} }); err != nil {
			return 0, err
		}
		began := time.Now()
		err := publish(n)
		return time.Since(began).Seconds(), err
	}), bare)
	if err != nil {
		return err
	}
	list, err := h.queries.List(ctx, issuer)
	if err != nil {
		return err
	}
	r.report.add(p.figure("crl", fmt.Sprintf("CRL with %d entries, until it is published", r.revoked), "s").atMostTimes(2).noted(
		"%.1f MB; the ceiling is x509.CreateRevocationList with a key in memory, and nothing recorded or published", float64(len(list.DER))/1e6))
	return nil
}

// serialOf is the k-th serial of certificates that nobody holds.
func serialOf(k int) string {
	sum := sha256.Sum256(fmt.Append(nil, "bench ", k))
	sum[0] = 0x67
	return hex.EncodeToString(sum[:18])
}

func revocationOf(k int, issuer string, end time.Time) certificate.Revoked {
	return certificate.Revoked{
		Serial: serialOf(k), Reason: certificate.Superseded, By: "policy:bench", At: now(), Issuer: issuer, NotAfter: end,
	}
}

// tellAll appends what happened to so many certificates, one append each. One
// that is told of alone is another than those before.
func (h *home) tellAll(ctx context.Context, count int, happened func(k int) []event.Event) error {
	const connections = 4
	lives := make(chan []appending, 64)
	all, telling := errgroup.WithContext(ctx)
	all.Go(func() error {
		defer close(lives)
		for k := range count {
			life, err := happenedTo(happened(k))
			if err != nil {
				return err
			}
			select {
			case lives <- life:
			case <-telling.Done():
				return nil
			}
		}
		return nil
	})
	shown := beginProgress("certificates", "events", int64(count))
	defer shown.end()
	for range min(connections, count) {
		all.Go(func() error { return tellLives(telling, h.data.logSocket(), lives, shown) })
	}
	return all.Wait()
}

// happenedTo is the append of a certificate's whole stream.
func happenedTo(events []event.Event) ([]appending, error) {
	var serial struct {
		Serial string `json:"serial"`
	}
	one := appending{expected: event.NoStream}
	for i, e := range events {
		name, err := certificate.Catalog.Name(e)
		if err != nil {
			return nil, err
		}
		data, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			if err := json.Unmarshal(data, &serial); err != nil {
				return nil, err
			}
			one.stream = certificate.Kind.Stream(serial.Serial)
		}
		meta, err := json.Marshal(event.Meta{CommandID: "bench/" + serial.Serial, Actor: "policy:bench", At: now()})
		if err != nil {
			return nil, err
		}
		id := event.DeriveID("bench", serial.Serial, fmt.Sprint(i))
		one.events = append(one.events, event.Proposed{ID: id, Type: name, Data: data, Meta: meta})
	}
	return []appending{one}, nil
}

// bareList is the standard library alone: the same entries, a key in memory.
func bareList(entries int, end time.Time) (func() (float64, error), error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now(), NextUpdate: end}
	for k := range entries {
		serial, _ := new(big.Int).SetString(serialOf(k), 16)
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: serial, RevocationTime: now(), ReasonCode: certificate.Superseded.Code(),
		})
	}
	issuer := &x509.Certificate{SubjectKeyId: []byte{1}, KeyUsage: x509.KeyUsageCRLSign, PublicKey: key.Public()}
	return func() (float64, error) {
		began := time.Now()
		_, err := x509.CreateRevocationList(rand.Reader, template, issuer, key)
		return time.Since(began).Seconds(), err
	}, nil
}
