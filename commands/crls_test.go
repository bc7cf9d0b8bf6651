package commands_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/event"
)

// lists is a house that publishes revocation lists.
type lists struct {
	*house
	*commands.Publisher
	shelf *memlog.Shelf
	runs  int
}

func publishing(t *testing.T) *lists {
	h := open(t)
	l := &lists{house: h, shelf: memlog.NewShelf()}
	return l.another()
}

// another is another process that publishes to the same shelf.
func (l *lists) another() *lists {
	p := commands.NewPublisher(l.App, commands.Publishing{
		Authority: l.Authority, Signer: l.Signer, Shelf: l.shelf, Checker: l.ca().Checker(l.App.Log),
	})
	return &lists{house: l.house, Publisher: p, shelf: l.shelf, runs: l.runs + 100}
}

func (l *lists) publish() error {
	l.runs++
	return l.Publish(l.t.Context(), commands.Caller{Policy: "daily-crl", Key: fmt.Sprint(l.runs)})
}

func (l *lists) published() {
	l.t.Helper()
	if err := l.publish(); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lists) series() crl.Series {
	return state(l.house, crl.Kind, crl.Kind.Stream(l.Authority.Issuer()))
}

// latest is the list as relying parties read it.
func (l *lists) latest() *x509.RevocationList {
	l.t.Helper()
	list, err := x509.ParseRevocationList(l.shelf.List(l.Authority.Issuer()).DER)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := list.CheckSignatureFrom(l.ca().Certificate()); err != nil {
		l.t.Fatal(err)
	}
	return list
}

func (l *lists) lists(serial string) bool {
	for _, e := range l.latest().RevokedCertificateEntries {
		if fmt.Sprintf("%x", e.SerialNumber) == serial {
			return true
		}
	}
	return false
}

func TestTheFirstListIsEmptyAndTheNextHoldsWhatWasRevoked(t *testing.T) {
	l := publishing(t)
	l.published()
	if list := l.latest(); list.Number.Int64() != 1 || len(list.RevokedCertificateEntries) != 0 {
		t.Errorf("list %v has %d entries", list.Number, len(list.RevokedCertificateEntries))
	}
	r := l.draft(applicant).upTo(enrollment.StatusIssued)
	l.did(l.RevokeCertificate(t.Context(), l.by(operator), r.now().Serial, certificate.KeyCompromise))
	l.published()
	list := l.latest()
	if list.Number.Int64() != 2 || len(list.RevokedCertificateEntries) != 1 || !l.lists(r.now().Serial) ||
		list.RevokedCertificateEntries[0].ReasonCode != 1 {
		t.Errorf("list %v has %+v", list.Number, list.RevokedCertificateEntries)
	}
	l.nothingUnrecorded()
}

func TestNoNewListWhenNothingChanged(t *testing.T) {
	l := publishing(t)
	l.published()
	before := l.head()
	for range 3 {
		l.published()
		l.clock.pass(7 * time.Hour)
	}
	if l.head() != before {
		t.Error("a list was made for nothing")
	}
	l.clock.pass(3*time.Hour + time.Second)
	l.published()
	if list := l.latest(); list.Number.Int64() != 2 || !list.ThisUpdate.Equal(l.clock.Now().Truncate(time.Second)) {
		t.Errorf("after a day the list is %v of %v", list.Number, list.ThisUpdate)
	}
}

func TestAnotherPublisherKnowsTheSame(t *testing.T) {
	l := publishing(t)
	r := l.draft(applicant).upTo(enrollment.StatusIssued)
	l.did(l.RevokeCertificate(t.Context(), l.by(operator), r.now().Serial, certificate.Superseded))
	l.published()
	before := l.head()
	fresh := l.another()
	fresh.published()
	if l.head() != before {
		t.Error("a restart made a list for nothing")
	}
}

func covering(t *testing.T, data []byte, e crl.Event) []byte {
	var intended map[string]any
	if err := json.Unmarshal(data, &intended); err != nil {
		t.Fatal(err)
	}
	if intended["covers"] = e; e == (crl.Event{}) {
		delete(intended, "covers")
	}
	data, err := json.Marshal(intended)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// reads counts what is read of the whole log.
type reads struct {
	event.Log
	events int
}

func (r *reads) ReadAll(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		for e, err := range r.Log.ReadAll(ctx, after, prefixes...) {
			if r.events++; !yield(e, err) {
				return
			}
		}
	}
}

// A publisher reads all revocations once, then what is new; of its series the end.
func TestAPublisherReadsWhatIsNew(t *testing.T) {
	l := publishing(t)
	early := l.draft(applicant).upTo(enrollment.StatusIssued)
	late := l.draft(neighbour).upTo(enrollment.StatusIssued)
	l.did(l.RevokeCertificate(t.Context(), l.by(operator), early.now().Serial, certificate.Superseded))
	l.published()
	since := l.latest().RevokedCertificateEntries[0].RevocationTime
	l.clock.pass(time.Hour)
	counting := &reads{Log: l.App.Log}
	l.App.Log = counting
	fresh := l.another()
	before := l.head()
	fresh.published()
	fresh.published()
	if l.head() != before || counting.events != 2 { // for the list, and for the checker
		t.Errorf("it made a list for nothing, or read %d events", counting.events)
	}
	l.did(l.RevokeCertificate(t.Context(), l.by(operator), early.now().Serial, certificate.KeyCompromise))
	l.did(l.RevokeCertificate(t.Context(), l.by(operator), late.now().Serial, certificate.Superseded))
	fresh.published()
	list := l.latest().RevokedCertificateEntries
	if len(list) != 2 || !l.lists(late.now().Serial) || counting.events != 6 {
		t.Errorf("%d entries, %d events read", len(list), counting.events)
	}
	for _, e := range list {
		if early := fmt.Sprintf("%x", e.SerialNumber) == early.now().Serial; early && !e.RevocationTime.Equal(since) {
			t.Errorf("trust ended at %v, and now at %v", since, e.RevocationTime)
		}
	}
	l.published() // the first one, whose list is no longer the latest
	if got := l.series().Latest.Number; got != 2 {
		t.Errorf("list %d was made for nothing", got)
	}
}

func TestAListThatDoesNotSayWhatItCoversIsNoBeginning(t *testing.T) {
	for name, covers := range map[string]crl.Event{
		"nothing": {}, "what is not there": {Stream: "certificate-ff", Revision: 7},
	} {
		t.Run(name, func(t *testing.T) {
			l := publishing(t)
			r := l.draft(applicant).upTo(enrollment.StatusIssued)
			l.did(l.RevokeCertificate(t.Context(), l.by(operator), r.now().Serial, certificate.Superseded))
			l.log.during(func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
				for i := range events {
					if events[i].Type == "crl.intended.v2" {
						events[i].Data = covering(t, events[i].Data, covers)
					}
				}
				return l.log.Log.Append(ctx, s, e, events...)
			}, l.published)
			if got := l.series().Of.Covers; got != covers {
				t.Fatalf("it covers %v", got)
			}
			before := l.head()
			fresh := l.another()
			fresh.published()
			if l.head() != before {
				t.Error("a list was made for nothing")
			}
			other := l.draft(neighbour).upTo(enrollment.StatusIssued)
			l.did(l.RevokeCertificate(t.Context(), l.by(operator), other.now().Serial, certificate.Superseded))
			fresh.published()
			if !l.lists(r.now().Serial) || !l.lists(other.now().Serial) {
				t.Error("what was revoked is not on the list")
			}
		})
	}
}

func TestALostSignatureSkipsItsNumber(t *testing.T) {
	for name, c := range map[string]struct {
		fails error
		after bool
	}{
		"before the fence": {errNoSigner, false}, "after the fence": {errNoSigner, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := publishing(t)
			l.published()
			l.clock.pass(25 * time.Hour)
			l.signer.fails, l.signer.after = c.fails, c.after
			for range 2 {
				if err := l.publish(); !errors.Is(err, errNoSigner) {
					t.Fatalf("got %v", err)
				}
			}
			l.signer.fails = nil
			l.published()
			if list := l.latest(); list.Number.Int64() != 4 {
				t.Errorf("the list is number %v", list.Number)
			}
			l.rising()
			l.nothingUnrecorded()
		})
	}
}

// rising expects that no number was ever intended or signed twice.
func (l *lists) rising() {
	l.t.Helper()
	var intended, signed uint64
	for _, r := range l.stream(crl.Kind.Stream(l.Authority.Issuer())) {
		e, err := crl.Catalog.Open(r)
		if err != nil {
			l.t.Fatal(err)
		}
		switch e := e.(type) {
		case crl.Intended:
			if e.Number <= intended {
				l.t.Errorf("%d was intended after %d", e.Number, intended)
			}
			intended = e.Number
		case crl.Signed:
			if e.Number <= signed || e.Number != intended {
				l.t.Errorf("%d was signed after %d, intended is %d", e.Number, signed, intended)
			}
			signed = e.Number
		}
	}
}

func TestACrashBetweenIntentAndSignatureSkipsTheNumber(t *testing.T) {
	l := publishing(t)
	l.steps = func(p string) {
		if p == "crl:intended" {
			panic(errCut)
		}
	}
	func() {
		defer func() { _ = recover() }()
		_ = l.publish()
	}()
	l.steps = func(string) {}
	fresh := l.another()
	fresh.published()
	if list := l.latest(); list.Number.Int64() != 2 {
		t.Errorf("the list is number %v", list.Number)
	}
	l.rising()
}

func TestALostAnswerToTheNoteIsNoSecondList(t *testing.T) {
	l := publishing(t)
	l.log.during(func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
		r, err := l.log.Log.Append(ctx, s, e, events...)
		if events[0].Type == "crl.signed.v2" {
			return event.Receipt{}, errCut
		}
		return r, err
	}, func() {
		if err := l.publish(); !errors.Is(err, commands.ErrLogUnavailable) {
			t.Fatalf("got %v", err)
		}
	})
	before := l.head()
	l.published()
	if l.head() != before {
		t.Error("a second list was made")
	}
}

func TestAnExpiredSerialStaysOnOneMoreList(t *testing.T) {
	l := publishing(t)
	r := l.draft(applicant).upTo(enrollment.StatusIssued)
	serial, end := r.now().Serial, r.certificate().Issued.NotAfter
	l.did(l.RevokeCertificate(t.Context(), l.by(operator), serial, certificate.Superseded))
	l.clock.now = end.Add(-time.Hour)
	l.published()
	if !l.lists(serial) {
		t.Fatal("a revoked certificate is not on the list")
	}
	l.clock.now = end.Add(24 * time.Hour)
	l.published()
	if !l.lists(serial) {
		t.Error("the serial is not on the first list after its end (RFC 5280 §3.3)")
	}
	l.clock.pass(25 * time.Hour)
	l.published()
	if l.lists(serial) {
		t.Error("the serial stays for ever")
	}
	l.rising()
}

func TestAnAbandonedSerialIsOnTheList(t *testing.T) {
	l := publishing(t)
	r := l.draft(applicant).upTo(enrollment.StatusAtCA)
	for _, point := range points[:3] {
		r.crash(point)
	}
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	l.published()
	tried := r.attempts()
	for i, serial := range tried {
		if got := l.lists(serial); got != (i < len(tried)-1) {
			t.Errorf("attempt %d on the list: %v", i, got)
		}
	}
}

func TestAWorseReasonReplacesAMilderOneOnTheList(t *testing.T) {
	l := publishing(t)
	r := l.draft(applicant).upTo(enrollment.StatusIssued)
	for _, reason := range []certificate.Reason{certificate.Superseded, certificate.KeyCompromise} {
		l.did(l.RevokeCertificate(t.Context(), l.by(operator), r.now().Serial, reason))
		l.published()
		if got := l.latest().RevokedCertificateEntries[0].ReasonCode; got != reason.Code() {
			t.Errorf("the reason on the list is %d, want %d", got, reason.Code())
		}
	}
	l.refused(certificate.ErrAlreadyRevoked, func() error {
		_, err := l.RevokeCertificate(t.Context(), l.by(operator), r.now().Serial, certificate.Superseded)
		return err
	})
}

// overtaken is an authority during whose work another process publishes.
type overtaken struct {
	commands.Authority
	by func()
}

func (o *overtaken) PrepareCRL(number uint64, thisUpdate time.Time, revoked []commands.RevokedSerial) (commands.PreparedCRL, error) {
	if by := o.by; by != nil {
		o.by = nil
		by()
	}
	return o.Authority.PrepareCRL(number, thisUpdate, revoked)
}

func TestAPublisherWhoIsOvertakenPublishesWhatTheOtherDidNotHold(t *testing.T) {
	l := publishing(t)
	l.published()
	early := l.draft(applicant).upTo(enrollment.StatusIssued)
	late := l.draft(neighbour).upTo(enrollment.StatusIssued)
	l.did(l.RevokeCertificate(t.Context(), l.by(operator), early.now().Serial, certificate.Superseded))
	other := l.another()
	slow := &overtaken{l.Authority, func() {
		other.published() // with the first one only
		l.did(l.RevokeCertificate(t.Context(), l.by(operator), late.now().Serial, certificate.Superseded))
	}}
	l.Publisher = commands.NewPublisher(l.App, commands.Publishing{
		Authority: slow, Signer: l.Signer, Shelf: l.shelf, Checker: l.ca().Checker(l.App.Log),
	})
	l.published()
	if !l.lists(early.now().Serial) || !l.lists(late.now().Serial) {
		t.Errorf("list %v lacks what was revoked while two published", l.latest().Number)
	}
}

func (l *lists) suspends(serial string) {
	l.t.Helper()
	put(l.house, certificate.Kind, certificate.Kind.Stream(serial), certificate.Suspended{Serial: serial, Until: l.clock.Now().AddDate(0, 1, 0), At: l.clock.Now()})
}

func TestASuspendedSerialIsOnTheListUntilItIsLifted(t *testing.T) {
	l := publishing(t)
	serial := l.draft(applicant).upTo(enrollment.StatusIssued).now().Serial
	l.suspends(serial)
	l.published()
	if e := l.latest().RevokedCertificateEntries; len(e) != 1 || e[0].ReasonCode != 6 || !e[0].RevocationTime.Equal(noon) {
		t.Errorf("on hold it is listed as %+v", e)
	}
	put(l.house, certificate.Kind, certificate.Kind.Stream(serial), certificate.SuspensionLifted{Serial: serial, At: l.clock.Now()})
	l.published()
	if list := l.latest(); list.Number.Int64() != 2 || len(list.RevokedCertificateEntries) != 0 {
		t.Errorf("lifted, it stands on list %v", list.Number)
	}
	l.suspends(serial)
	l.clock.pass(time.Hour)
	l.did(l.RevokeCertificate(t.Context(), l.by(operator), serial, certificate.KeyCompromise))
	l.published()
	if e := l.latest().RevokedCertificateEntries; len(e) != 1 || e[0].ReasonCode != 1 || !e[0].RevocationTime.Equal(noon.Add(time.Hour)) {
		t.Errorf("revoked at last, it is listed as %+v", e)
	}
}

func TestAListThatIsLostFromTheShelfIsFollowedByTheNext(t *testing.T) {
	l := publishing(t)
	l.published()
	l.shelf.Drop()
	l.published()
	if n := l.series().Latest.Number; n != 1 {
		t.Errorf("list %d was made while the first might be on its way", n)
	}
	l.clock.pass(time.Minute)
	fresh := l.another()
	for range 3 {
		fresh.published()
		l.published()
		l.clock.pass(time.Second)
	}
	if list := l.latest(); list.Number.Int64() != 2 {
		t.Errorf("list %v", list.Number)
	}
	l.rising()
}

func TestAnOldLogsNextListIsAboveTheShelfs(t *testing.T) {
	l := publishing(t)
	l.published()
	if err := l.shelf.Put(t.Context(), l.Authority.Issuer(), crl.List{Number: 40}); err != nil {
		t.Fatal(err)
	}
	l.published()
	if list := l.latest(); list.Number.Int64() != 41 {
		t.Errorf("list %v", list.Number)
	}
}

// brokenShelf takes nothing for a while.
type brokenShelf struct {
	*memlog.Shelf
	broken bool
}

func (s *brokenShelf) Put(ctx context.Context, issuer string, l crl.List) error {
	if s.broken {
		return errCut
	}
	return s.Shelf.Put(ctx, issuer, l)
}

func TestASignedListIsKeptUntilTheShelfTakesIt(t *testing.T) {
	l := publishing(t)
	shelf := &brokenShelf{Shelf: l.shelf, broken: true}
	l.Publisher = commands.NewPublisher(l.App, commands.Publishing{
		Authority: l.Authority, Signer: l.Signer, Shelf: shelf, Checker: l.ca().Checker(l.App.Log),
	})
	for range 3 {
		if err := l.publish(); !errors.Is(err, commands.ErrShelf) {
			t.Fatalf("got %v", err)
		}
	}
	shelf.broken = false
	l.published()
	if list := l.latest(); list.Number.Int64() != 1 {
		t.Errorf("list %v", list.Number)
	}
}

// refusing is a checker that finds something.
type refusing struct {
	commands.ListChecker
	on bool
}

func (r *refusing) Check(ctx context.Context, tbs []byte, upTo event.Position) error {
	if r.on {
		return commands.ErrListRefused
	}
	return r.ListChecker.Check(ctx, tbs, upTo)
}

func TestAListThatTheCheckerRefusesIsNotEvenIntended(t *testing.T) {
	l := publishing(t)
	checker := &refusing{ListChecker: l.ca().Checker(l.App.Log), on: true}
	l.Publisher = commands.NewPublisher(l.App, commands.Publishing{Authority: l.Authority, Signer: l.Signer, Shelf: l.shelf, Checker: checker})
	l.refused(commands.ErrListRefused, l.publish)
	if n := l.Refused(); n != 1 {
		t.Errorf("%d refusals are counted", n)
	}
	checker.on = false
	l.published()
	if list := l.latest(); list.Number.Int64() != 1 || l.Refused() != 1 {
		t.Errorf("list %v", list.Number)
	}
}

// TestManyRevocationsAtOnceMakeFewLists lets each ask for a list.
func TestManyRevocationsAtOnceMakeFewLists(t *testing.T) {
	l := publishing(t)
	l.Publisher = commands.NewPublisher(l.App, commands.Publishing{
		Authority: l.Authority, Signer: l.Signer, Shelf: l.shelf, Checker: l.ca().Checker(l.App.Log), Pace: 100 * time.Millisecond,
	})
	l.published()
	began := time.Now()
	var all sync.WaitGroup
	for n := range 200 {
		serial := fmt.Sprintf("67%034x", n)
		put(l.house, certificate.Kind, certificate.Kind.Stream(serial), certificate.Revoked{Serial: serial, Reason: certificate.Superseded, At: noon, Issuer: l.Authority.Issuer(), NotAfter: noon.AddDate(1, 0, 0)})
		all.Go(func() {
			if err := l.Publish(t.Context(), commands.Caller{Policy: "revoked", Key: serial}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	most := int64(time.Since(began)/(100*time.Millisecond)) + 2
	if list := l.latest(); len(list.RevokedCertificateEntries) != 200 || list.Number.Int64() > most {
		t.Errorf("%d entries on list %v", len(list.RevokedCertificateEntries), list.Number)
	}
}

func TestAnotherIssuersRevocationsAreNotListed(t *testing.T) {
	l := publishing(t)
	put(l.house, certificate.Kind, certificate.Kind.Stream("6701"), certificate.Revoked{Serial: "6701", Reason: certificate.Superseded, At: noon, Issuer: "another"})
	l.published()
	if n := len(l.latest().RevokedCertificateEntries); n != 0 {
		t.Errorf("%d entries", n)
	}
}

// TestASeriesIsReadFromItsEnd: the latest list's intent is behind many numbers that
// were skipped.
func TestASeriesIsReadFromItsEnd(t *testing.T) {
	l := publishing(t)
	l.published()
	stream := crl.Kind.Stream(l.Authority.Issuer())
	for n := range uint64(100) {
		put(l.house, crl.Kind, stream, crl.Intended{Number: 2 + n, ThisUpdate: noon})
	}
	before := l.head()
	l.another().published()
	if l.head() != before {
		t.Error("a list was made for nothing")
	}
	l.clock.pass(25 * time.Hour)
	l.another().published()
	if list := l.latest(); list.Number.Int64() != 102 {
		t.Errorf("list %v", list.Number)
	}
}
