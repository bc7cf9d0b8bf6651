package signer_test

import (
	"errors"
	"testing"
	"time"

	"govahi/adapters/signer"
	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/event"
	"govahi/domain/fault"
)

func (h *house) list(t *testing.T, number uint64) (commands.PreparedCRL, crl.Intended) {
	t.Helper()
	serial, err := h.NewSerial(time.Now())
	must(t, err)
	p, err := h.PrepareCRL(number, time.Now(), []commands.RevokedSerial{{Serial: serial, Reason: certificate.KeyCompromise, At: time.Now()}})
	must(t, err)
	return p, crl.Intended{Number: number, ThisUpdate: p.ThisUpdate, NextUpdate: p.NextUpdate, Entries: p.Entries, TBSHash: p.TBSHash}
}

func TestIntendedListsAreSignedInTurn(t *testing.T) {
	h := newHouse(t, newMemory())
	stream, at := crl.Kind.Stream(h.Issuer()), 0
	for number := uint64(1); number <= 3; number++ {
		p, intent := h.list(t, number)
		revision := add(t, h.log, crl.Kind, stream, at, intent)
		der, by, err := h.client.SignCRL(t.Context(), stream, revision, p.TBS)
		must(t, err)
		if _, err := h.CheckCRL(der, p.TBS); err != nil || by != "one" {
			t.Errorf("list %d by %s: %v", number, by, err)
		}
		if _, _, err := h.client.SignCRL(t.Context(), stream, revision, p.TBS); !errors.Is(err, crl.ErrNotIntended) {
			t.Errorf("list %d again: %v", number, err)
		}
		add(t, h.log, crl.Kind, stream, at+2, crl.Signed{Number: number})
		at += 3
	}
	if n := h.ca.n.Load(); n != 3 {
		t.Errorf("%d signatures", n)
	}
}

func TestListsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*crl.Intended)
		want   *fault.Fault
	}{
		"other bytes":      {func(i *crl.Intended) { i.TBSHash = "00" }, crl.ErrNotIntended},
		"another number":   {func(i *crl.Intended) { i.Number = 8 }, crl.ErrNumber},
		"a used number":    {func(i *crl.Intended) { i.Number = 3 }, crl.ErrNumber},
		"another time":     {func(i *crl.Intended) { i.ThisUpdate = i.ThisUpdate.Add(time.Second) }, signer.ErrValidity},
		"another next":     {func(i *crl.Intended) { i.NextUpdate = i.NextUpdate.Add(time.Second) }, signer.ErrValidity},
		"an entry missing": {func(i *crl.Intended) { i.Entries++ }, signer.ErrProfile},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, newMemory())
			stream := crl.Kind.Stream(h.Issuer())
			add(t, h.log, crl.Kind, stream, 0, crl.Intended{Number: 3})
			p, intent := h.list(t, 7)
			c.change(&intent)
			h.refusesCRL(t, stream, add(t, h.log, crl.Kind, stream, 1, intent), p.TBS, c.want)
		})
	}
}

func TestListOfAnotherStreamOrRevisionIsRefused(t *testing.T) {
	h := newHouse(t, newMemory())
	p, intent := h.list(t, 1)
	other := crl.Kind.Stream("00")
	h.refusesCRL(t, other, add(t, h.log, crl.Kind, other, 0, intent), p.TBS, signer.ErrStream)
	stream := crl.Kind.Stream(h.Issuer())
	h.refusesCRL(t, stream, 0, p.TBS, crl.ErrNotIntended)
	revision := add(t, h.log, crl.Kind, stream, 0, intent)
	h.refusesCRL(t, stream, revision+1, p.TBS, crl.ErrNotIntended)
	h.refusesCRL(t, stream, revision, []byte("no list"), signer.ErrTBS)
	person, _, tbs := h.intend(t, asIs)
	h.refusesCRL(t, person, 0, tbs, signer.ErrStream)
}

func (h *house) refusesCRL(t *testing.T, stream event.Stream, revision uint64, tbs []byte, want *fault.Fault) {
	t.Helper()
	before := len(h.read(t, stream))
	der, _, err := h.client.SignCRL(t.Context(), stream, revision, tbs)
	if !errors.Is(err, want) || der != nil {
		t.Errorf("got %v, want %v", err, want)
	}
	if n := h.ca.n.Load(); n != 0 {
		t.Errorf("%d signatures", n)
	}
	if after := len(h.read(t, stream)); after != before {
		t.Errorf("%d events were recorded", after-before)
	}
}
