package signer_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"govahi/adapters/pki/profiles"
	"govahi/adapters/signer"
	"govahi/adapters/signer/signertest"
	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
)

func TestIntendedCertificateIsSignedOnce(t *testing.T) {
	h := newHouse(t, newMemory())
	stream, revision, tbs := h.intend(t, asIs)
	der, by, err := h.client.SignCertificate(t.Context(), stream, revision, tbs, h.by.DER)
	must(t, err)
	if _, err := h.CheckIssued(der, tbs); err != nil || by != "one" {
		t.Errorf("signed by %q: %v", by, err)
	}
	events := h.read(t, stream)
	meta, err := events[1].DecodeMeta()
	must(t, err)
	if len(events) != 2 || events[1].Type != "certificate.signing-started.v1" || meta.Actor != "signer:one" {
		t.Errorf("the log holds %d events, the last by %s", len(events), meta.Actor)
	}
	for _, again := range []uint64{revision, revision + 1} {
		_, _, err := h.client.SignCertificate(t.Context(), stream, again, tbs, h.by.DER)
		if !errors.Is(err, certificate.ErrNotIntended) {
			t.Errorf("asked again at %d: %v", again, err)
		}
	}
	if n := h.ca.n.Load(); n != 1 {
		t.Errorf("%d signatures", n)
	}
}

// TestEveryCheckRefuses changes one thing at a time. Nothing is signed, and
// nothing is recorded as started.
func TestEveryCheckRefuses(t *testing.T) {
	rehash := func(s *story) { s.Intent.TBSHash = hexSum(s.TBS) }
	drop := func(s *story, e event.Event) {
		s.Events = slices.DeleteFunc(s.Events, func(x event.Event) bool { return sameType(x, e) })
	}
	confirmed := func(s *story) *enrollment.InformationConfirmed {
		for i, e := range s.Events {
			if c, ok := e.(enrollment.InformationConfirmed); ok {
				s.Events[i] = &c
				return &c
			}
		}
		return nil
	}
	var another story
	newHouse(t, newMemory()).intend(t, func(s *story) { another = *s })
	elsewhere := &certificate.Citation{Stream: "enrollment-elsewhere", Revision: 12}
	for name, c := range map[string]struct {
		change func(*story)
		want   *fault.Fault
	}{
		"other bytes than the intended":      {func(s *story) { s.Intent.TBSHash = hex.EncodeToString(make([]byte, 32)) }, certificate.ErrNotIntended},
		"no certificate":                     {func(s *story) { s.TBS = []byte("hello"); rehash(s) }, signer.ErrTBS},
		"trailing bytes":                     {func(s *story) { s.TBS = append(slices.Clone(s.TBS), 0); rehash(s) }, signer.ErrTBS},
		"another issuer's ID":                {func(s *story) { s.Intent.Issuer = "00" }, signer.ErrIssuer},
		"another stream's serial":            {func(s *story) { s.Intent.Serial = "67ff" }, signer.ErrSerial},
		"the bytes of another serial":        {func(s *story) { s.TBS = another.TBS; rehash(s) }, signer.ErrSerial},
		"another key in the intent":          {func(s *story) { s.Intent.KeyHash = "00" }, signer.ErrKey},
		"another profile":                    {func(s *story) { s.Intent.Profile = "ocsp-responder@1" }, signer.ErrProfileDiffers},
		"another profile, by its hash":       {func(s *story) { as(s, "ocsp-responder@1") }, signer.ErrValidity},
		"a profile that says something else": {func(s *story) { s.Intent.ProfileHash = hexSum([]byte("else")) }, signer.ErrProfileDiffers},
		"an intent of before the hash":       {func(s *story) { s.Intent.ProfileHash = "" }, signer.ErrProfileDiffers},
		"a retired profile":                  {func(s *story) { as(s, "cpmis-signature@1") }, signer.ErrProfile},
		"a sibling profile":                  {func(s *story) { as(s, "cpmis-authentication@1") }, signer.ErrProfile},
		"another type asked for": {func(s *story) {
			s.Events[0] = enrollment.Opened{CertificateType: "cpmis-authentication", OpenedBy: applicant}
		}, signer.ErrProfile},
		"another organisation's member": {func(s *story) {
			f := s.Events[1].(enrollment.FormCompleted)
			f.Organization = "10999001013"
			s.Events[1] = f
		}, signer.ErrProfile},
		"an unknown profile": {func(s *story) { s.Intent.Profile = "ca@1" }, signer.ErrProfile},
		"another end":        {func(s *story) { s.Intent.NotAfter = s.Intent.NotAfter.Add(time.Hour) }, signer.ErrValidity},
		"another begin":      {func(s *story) { s.Intent.NotBefore = s.Intent.NotBefore.Add(time.Hour) }, signer.ErrValidity},

		"no record cited":          {func(s *story) { s.Intent.Record = elsewhere }, signer.ErrNotConfirmed},
		"confirmation elsewhere":   {func(s *story) { s.Intent.Confirmation = elsewhere }, signer.ErrNotConfirmed},
		"a stream that is missing": {func(s *story) { s.Intent.Record, s.Intent.Confirmation = elsewhere, elsewhere }, signer.ErrNotConfirmed},
		"another event as the confirmation": {func(s *story) {
			s.Intent.Confirmation = &certificate.Citation{Stream: enrollment.Kind.Stream(s.Intent.Serial), Revision: 3}
		}, signer.ErrNotConfirmed},
		"another revision as the record": {func(s *story) {
			s.Intent.Record = &certificate.Citation{Stream: enrollment.Kind.Stream(s.Intent.Serial), Revision: 3}
		}, signer.ErrNotConfirmed},
		"another subject": {func(s *story) { s.Intent.Subject = "other"; s.Intent.TBS = nil }, signer.ErrNotConfirmed},

		"a confirmation of another record": {func(s *story) { confirmed(s).RecordHash = "00" }, enrollment.ErrStaleRecord},
		"the applicant confirms himself":   {func(s *story) { confirmed(s).By = applicant }, enrollment.ErrOwnRequest},
		"the sighting officer confirms":    {func(s *story) { confirmed(s).By = officer }, enrollment.ErrFourEyes},
		"the record changed after the confirmation": {func(s *story) {
			s.Events = slices.Insert(s.Events, len(s.Events)-2, event.Event(enrollment.DocumentSighted{Document: enrollment.Passport, By: officer}))
		}, signer.ErrNotConfirmed},
		"a correction was asked for": {func(s *story) {
			s.Events = slices.Insert(s.Events, len(s.Events)-2, event.Event(enrollment.CorrectionRequested{By: officer}))
		}, signer.ErrNotConfirmed},
		"the issuance failed": {func(s *story) { s.Events = append(s.Events, enrollment.IssuanceFailed{Code: "x"}) }, signer.ErrKey},

		"another key requested":         {func(s *story) { requested(s).KeyHash = "00" }, signer.ErrKey},
		"issuance never requested":      {func(s *story) { drop(s, enrollment.IssuanceRequested{}) }, signer.ErrKey},
		"this serial never attempted":   {func(s *story) { drop(s, enrollment.IssuanceAttempted{}) }, signer.ErrNotAttempted},
		"another serial attempted":      {func(s *story) { s.Events = append(s.Events, enrollment.IssuanceAttempted{Serial: "67ff"}) }, signer.ErrNotAttempted},
		"already issued under a serial": {func(s *story) { s.Events = append(s.Events, enrollment.Issued{Serial: "67ff"}) }, signer.ErrNotAttempted},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, newMemory())
			stream, revision, tbs := h.intend(t, func(s *story) { c.change(s); settle(s) })
			h.refuses(t, stream, revision, tbs, c.want)
		})
	}
}

// as cites another profile of the signer's own.
func as(s *story, id string) {
	p, _ := profiles.Default().Find(id)
	s.Intent.Profile, s.Intent.ProfileHash = p.ID(), p.Hash()
}

// settle puts back the values that a change took by reference.
func settle(s *story) {
	for i, e := range s.Events {
		switch e := e.(type) {
		case *enrollment.InformationConfirmed:
			s.Events[i] = *e
		case *enrollment.IssuanceRequested:
			s.Events[i] = *e
		}
	}
}

func requested(s *story) *enrollment.IssuanceRequested {
	for i, e := range s.Events {
		if r, ok := e.(enrollment.IssuanceRequested); ok {
			s.Events[i] = &r
			return &r
		}
	}
	return nil
}

func sameType(a, b event.Event) bool {
	x, errX := enrollment.Catalog.Name(a)
	y, errY := enrollment.Catalog.Name(b)
	return errX == nil && errY == nil && x == y
}

func (h *house) refuses(t *testing.T, stream event.Stream, revision uint64, tbs []byte, want *fault.Fault) {
	t.Helper()
	before, signed := len(h.read(t, stream)), h.ca.n.Load()
	der, _, err := h.client.SignCertificate(t.Context(), stream, revision, tbs, h.by.DER)
	if !errors.Is(err, want) || der != nil {
		t.Errorf("got %v, want %v", err, want)
	}
	if n := h.ca.n.Load() - signed; n != 0 {
		t.Errorf("%d signatures", n)
	}
	if after := len(h.read(t, stream)); after != before {
		t.Errorf("%d events were recorded", after-before)
	}
}

func TestCallersWordDoesNotCount(t *testing.T) {
	h := newHouse(t, newMemory())
	stream, revision, tbs := h.intend(t, asIs)
	_, _, other := h.intend(t, asIs)
	h.refuses(t, stream, revision, other, certificate.ErrNotIntended)
	h.refuses(t, stream, revision+1, tbs, certificate.ErrNotIntended)
	h.refuses(t, "certificate-00", 0, tbs, certificate.ErrNotIntended)
	h.refuses(t, "enrollment-"+event.Stream(stream.ID()), 0, tbs, signer.ErrStream)
}

// TestAbandonedIntentIsNeverSigned: a late call after the serial was given up.
func TestAbandonedIntentIsNeverSigned(t *testing.T) {
	h := newHouse(t, newMemory())
	stream, revision, tbs := h.intend(t, asIs)
	add(t, h.log, certificate.Kind, stream, 1, certificate.IssuanceAbandoned{Serial: stream.ID()})
	h.refuses(t, stream, revision, tbs, certificate.ErrNotIntended)
	h.refuses(t, stream, revision+1, tbs, certificate.ErrNotIntended)
}

// meeting holds appends back until two are there: both have read the intent.
type meeting struct {
	event.Log
	armed bool
	both  sync.WaitGroup
}

func (m *meeting) Append(ctx context.Context, s event.Stream, e event.Expected, events ...event.Proposed) (event.Receipt, error) {
	if m.armed && events[0].Type == "certificate.signing-started.v1" {
		m.both.Done()
		m.both.Wait()
	}
	return m.Log.Append(ctx, s, e, events...)
}

func TestOfTwoSignersOneSigns(t *testing.T) {
	m := &meeting{Log: newMemory()}
	h := newHouse(t, m)
	m.both.Add(2)
	m.armed = true
	two, err := signer.New(h.config("one")) // even with the same name
	must(t, err)
	stream, revision, tbs := h.intend(t, asIs)
	clients := []*signer.Client{h.client, h.serve(t, two)}
	errs := make(chan error, 2)
	for _, c := range clients {
		go func() {
			_, _, err := c.SignCertificate(context.WithoutCancel(t.Context()), stream, revision, tbs, h.by.DER)
			errs <- err
		}()
	}
	a, b := <-errs, <-errs
	if (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), signer.ErrStarted) {
		t.Errorf("%v, %v", a, b)
	}
	if n := h.ca.n.Load(); n != 1 {
		t.Errorf("%d signatures", n)
	}
}

func TestResponderCertificateIsForTheTokensOwnKey(t *testing.T) {
	h := newHouse(t, newMemory())
	own, err := h.client.Info(t.Context())
	must(t, err)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	foreign, err := x509.MarshalPKIXPublicKey(stranger.Public())
	must(t, err)
	for _, c := range []struct {
		key    []byte
		change func(*certificate.IssuanceIntended)
		want   *fault.Fault
	}{
		{own.ResponderKey, func(*certificate.IssuanceIntended) {}, nil},
		{foreign, func(*certificate.IssuanceIntended) {}, signer.ErrKey},
		{own.ResponderKey, func(i *certificate.IssuanceIntended) { i.PublicTBS = nil }, signer.ErrProfile},
		{own.ResponderKey, func(i *certificate.IssuanceIntended) { i.Profile = "cpmis-signature@1" }, signer.ErrProfile},
		{own.ResponderKey, func(i *certificate.IssuanceIntended) {
			p, _ := profiles.Default().Offered("cpmis-signature")
			i.Profile, i.ProfileHash = p.ID(), p.Hash()
		}, signer.ErrKey},
		{own.ResponderKey, func(i *certificate.IssuanceIntended) { i.ProfileHash = "" }, signer.ErrProfileDiffers},
	} {
		serial, err := h.NewSerial(time.Now())
		must(t, err)
		p, err := h.PrepareResponder(serial, c.key, time.Now())
		must(t, err)
		i := signertest.IntentOf(p, serial)
		i.PublicTBS = p.TBS
		c.change(&i)
		stream := certificate.Kind.Stream(serial)
		der, _, err := h.client.SignCertificate(t.Context(), stream, add(t, h.log, certificate.Kind, stream, 0, i), p.TBS, h.by.DER)
		if c.want == nil {
			must(t, err)
			_, err = h.CheckIssued(der, p.TBS)
			must(t, err)
		} else if !errors.Is(err, c.want) {
			t.Errorf("got %v, want %v", err, c.want)
		}
	}
	if n := h.ca.n.Load(); n != 1 {
		t.Errorf("%d signatures", n)
	}
}

func TestLogOutOfReachSignsNothing(t *testing.T) {
	h := newHouse(t, newMemory())
	stream, revision, tbs := h.intend(t, asIs)
	for _, broken := range []event.Log{deaf{Log: h.log, reads: true}, deaf{Log: h.log}} {
		config := h.config("deaf")
		config.Log = broken
		s, err := signer.New(config)
		must(t, err)
		_, _, err = h.serve(t, s).SignCertificate(t.Context(), stream, revision, tbs, h.by.DER)
		if !errors.Is(err, signer.ErrLog) {
			t.Errorf("got %v", err)
		}
	}
	if n := h.ca.n.Load(); n != 0 {
		t.Errorf("%d signatures", n)
	}
}

// BenchmarkSignCertificate is the whole way: socket, two reads, checks, append,
// C_Sign, on a log in memory.
func BenchmarkSignCertificate(b *testing.B) {
	h := newHouse(b, newMemory())
	type job struct {
		stream   event.Stream
		revision uint64
		tbs      []byte
	}
	jobs := make(chan job, b.N)
	for range b.N {
		stream, revision, tbs := h.intend(b, asIs)
		jobs <- job{stream, revision, tbs}
	}
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			j := <-jobs
			if _, _, err := h.client.SignCertificate(b.Context(), j.stream, j.revision, j.tbs, h.by.DER); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "certificates/s")
}

var _ commands.Signer = (*signer.Client)(nil)

// TestRetryUnderANewSerialIsSigned: a failed key and an abandoned serial came
// before, under the same confirmation.
func TestRetryUnderANewSerialIsSigned(t *testing.T) {
	h := newHouse(t, newMemory())
	stream, revision, tbs := h.intend(t, func(s *story) {
		last := len(s.Events) - 2 // requested and attempted
		s.Events = slices.Insert(s.Events, last, []event.Event{
			enrollment.IssuanceRequested{KeyHash: "00", Request: event.About(applicant, enrollment.SigningInfo{}), By: officer},
			enrollment.IssuanceAttempted{Serial: "67aa", Handler: "h"},
			enrollment.IssuanceFailed{Code: "lint-refused"},
		}...)
		s.Events = slices.Insert(s.Events, len(s.Events)-1, event.Event(enrollment.IssuanceAttempted{Serial: "67bb", Handler: "h"}))
	})
	_, _, err := h.client.SignCertificate(t.Context(), stream, revision, tbs, h.by.DER)
	must(t, err)
}
