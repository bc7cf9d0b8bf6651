package commands_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/commands/policies"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/issuer"
)

const operator2 = "9992014148" // of the CA, too

// succession is a house whose first issuer has issued a certificate, and got
// another beside it.
type succession struct {
	*house
	elder, newer *ca
	old          *request // its certificate is the elder's
	publishers   commands.Publishers
	shelf        *memlog.Shelf
	runs         int
}

func newSuccession(t *testing.T) *succession {
	h := open(t)
	s := &succession{house: h, newer: h.ca(), shelf: memlog.NewShelf()}
	s.elder = h.succeeds()
	h.Authority, h.Elder = s.elder, nil // as it was before
	s.old = h.draft(applicant).upTo(enrollment.StatusIssued)
	h.Authority, h.Elder = s.newer, []commands.Authority{s.elder}
	h.appoint(operator2, appointment.CAOperator, "", noon.AddDate(1, 0, 0))
	s.start()
	return s
}

// start is a process that was just started: it knows nothing.
func (s *succession) start() {
	s.publishers = commands.NewPublishers(s.App, func(of commands.Authority) commands.Publishing {
		return commands.Publishing{Authority: of, Signer: s.Signer, Shelf: s.shelf, Checker: of.(*ca).Checker(s.App.Log)}
	})
}

func (s *succession) publish() {
	s.t.Helper()
	s.runs++
	if err := s.publishers.Publish(s.t.Context(), commands.Caller{Policy: "daily-crl", Key: fmt.Sprint(s.runs)}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *succession) series(a *ca) crl.Series {
	return state(s.house, crl.Kind, crl.Kind.Stream(a.Issuer()))
}

// lists tells whether the published list of an issuer has a serial.
func (s *succession) lists(a *ca, serial string) bool {
	s.t.Helper()
	l := s.shelf.List(a.Issuer())
	list, err := x509.ParseRevocationList(l.DER)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := list.CheckSignatureFrom(a.Certificate()); err != nil {
		s.t.Fatal(err)
	}
	for _, e := range list.RevokedCertificateEntries {
		if hex.EncodeToString(e.SerialNumber.Bytes()) == serial {
			return true
		}
	}
	return false
}

func (s *succession) issuerOf(r *request) string {
	return state(s.house, certificate.Kind, certificate.Kind.Stream(r.now().Serial)).Issued.Issuer
}

// compromise is declared by two operators.
func (s *succession) compromised(a *ca) {
	s.t.Helper()
	s.did(s.DeclareCACompromised(s.t.Context(), s.by(operator), a.Issuer()))
	s.did(s.DeclareCACompromised(s.t.Context(), s.by(operator2), a.Issuer()))
}

func TestTheNewestIssuerIssuesAndEachListsItsOwn(t *testing.T) {
	s := newSuccession(t)
	fresh := s.draft(neighbour).upTo(enrollment.StatusIssued)
	if s.issuerOf(s.old) != s.elder.Issuer() || s.issuerOf(fresh) != s.newer.Issuer() {
		t.Fatal("issued by another than the newest")
	}
	for _, r := range []*request{s.old, fresh} {
		s.did(s.RevokeCertificate(t.Context(), s.by(operator), r.now().Serial, certificate.Superseded))
	}
	s.publish()
	for _, of := range []struct {
		ca          *ca
		mine, other *request
	}{{s.elder, s.old, fresh}, {s.newer, fresh, s.old}} {
		if !s.lists(of.ca, of.mine.now().Serial) || s.lists(of.ca, of.other.now().Serial) {
			t.Error("a list has another issuer's certificates")
		}
	}
	before := s.series(s.elder).Latest.Number
	s.did(s.SuspendCertificate(t.Context(), s.by(operator), s.draft(stranger).upTo(enrollment.StatusIssued).now().Serial, 7))
	s.publish()
	if got := s.series(s.elder).Latest.Number; got != before {
		t.Errorf("a suspension under the newer issuer made list %d of the elder", got)
	}
}

func TestOneOperatorEndsNoIssuer(t *testing.T) {
	s := newSuccession(t)
	s.did(s.RetireIssuer(t.Context(), s.by(operator), s.newer.Issuer()))
	s.refused(issuer.ErrFourEyes, func() error {
		_, err := s.RetireIssuer(t.Context(), s.by(operator), s.newer.Issuer())
		return err
	})
	s.refused(issuer.ErrUnknown, func() error { _, err := s.RetireIssuer(t.Context(), s.by(operator), "67"); return err })
	if r := s.draft(neighbour).upTo(enrollment.StatusIssued); s.issuerOf(r) != s.newer.Issuer() {
		t.Error("a proposal has ended it")
	}
}

// TestARetiredIssuerAnswersUntilItsLastCertificateIsOver and then makes one more
// list, which is good for ever.
func TestARetiredIssuerAnswersUntilItsLastCertificateIsOver(t *testing.T) {
	s := newSuccession(t)
	for _, who := range []string{operator, operator2} {
		s.did(s.RetireIssuer(t.Context(), s.by(who), s.elder.Issuer()))
	}
	s.refused(issuer.ErrNoSuccessor, func() error {
		_, err := s.RetireIssuer(t.Context(), s.by(operator), s.newer.Issuer())
		return err
	})
	s.publish()
	end := state(s.house, certificate.Kind, certificate.Kind.Stream(s.old.now().Serial)).Issued.NotAfter
	s.clock.pass(25 * time.Hour)
	s.publish()
	if got := s.series(s.elder); got.Latest.Number != 2 || got.Of.Last() {
		t.Fatalf("the daily list is %+v", got.Of)
	}
	s.clock.pass(end.Sub(s.clock.Now()) + time.Hour)
	s.publish() // one more
	s.publish()
	got := s.series(s.elder)
	if got.Latest.Number != 4 || !got.Of.Last() {
		t.Fatalf("the last list is %+v", got.Of)
	}
	s.clock.pass(72 * time.Hour)
	s.start()
	s.publish()
	if again := s.series(s.elder); again.Latest.Number != got.Latest.Number {
		t.Errorf("after the last list came %d", again.Latest.Number)
	}
	if l := s.shelf.List(s.elder.Issuer()); !l.NextUpdate.Equal(crl.Never) {
		t.Errorf("the last list is good until %v", l.NextUpdate)
	}
}

// TestDrillOfACompromisedKey declares it, is killed between any two steps, and
// goes on: all that the issuer issued is revoked, its last list says so, and the
// next issuer takes over.
func TestDrillOfACompromisedKey(t *testing.T) {
	s := newSuccession(t)
	h := s.house
	h.Authority, h.Elder = s.elder, nil
	others := []*request{h.draft(neighbour).upTo(enrollment.StatusIssued), h.draft(stranger).upTo(enrollment.StatusDelivered)}
	h.Authority, h.Elder = s.newer, []commands.Authority{s.elder}
	safe := h.draft(dismissed).upTo(enrollment.StatusIssued)
	s.publish()
	s.compromised(s.elder)
	all := append(others, s.old)
	for n := range all { // a new process each time
		w := commands.NewWithdrawal(s.App)
		due, err := w.Due(t.Context(), s.clock.Now(), 100)
		if err != nil || len(due) != len(all)-n {
			t.Fatalf("left are %v, %v", due, err)
		}
		if err := s.crash(func() error { return s.RevokeCompromised(t.Context(), commands.Caller{Policy: "withdraw"}, due[0]) }); !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		s.start()
		s.publish()
		if s.series(s.elder).Of.Last() {
			t.Fatal("the last list came before the end")
		}
		for range 2 { // and asked twice
			if err := s.RevokeCompromised(t.Context(), commands.Caller{Policy: "withdraw"}, due[0]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if due, err := commands.NewWithdrawal(s.App).Due(t.Context(), s.clock.Now(), 100); err != nil || len(due) > 0 {
		t.Errorf("left are %v, %v", due, err)
	}
	s.start()
	s.publish()
	for _, r := range all {
		c := state(s.house, certificate.Kind, certificate.Kind.Stream(r.now().Serial))
		if c.Status != certificate.Withdrawn || c.Reason != certificate.Superseded || !s.lists(s.elder, r.now().Serial) {
			t.Errorf("%s is %s", r.now().Serial, c.Status)
		}
	}
	last := s.series(s.elder)
	if !last.Of.Last() {
		t.Errorf("the last list is %+v", last.Of)
	}
	if c := state(s.house, certificate.Kind, certificate.Kind.Stream(safe.now().Serial)); c.Status != certificate.Valid {
		t.Errorf("the next issuer's is %s", c.Status)
	}
	if r := s.draft(auditor).upTo(enrollment.StatusIssued); s.issuerOf(r) != s.newer.Issuer() {
		t.Error("the next issuer does not go on")
	}
	s.settle()
	s.clock.pass(72 * time.Hour)
	s.publish()
	if again := s.series(s.elder).Latest.Number; again != last.Latest.Number {
		t.Errorf("the compromised key signed list %d", again)
	}
}

// TestTheDirectoryAloneOnlyEndsTheIssuing: one person writes it. What cannot be taken
// back, the mass revocation and the last list, waits for the two operators' word.
func TestTheDirectoryAloneOnlyEndsTheIssuing(t *testing.T) {
	for _, how := range []issuer.Ending{issuer.Compromise, issuer.Retirement} {
		s := newSuccession(t)
		s.newer.ended = how
		fresh := s.draft(neighbour).upTo(enrollment.StatusIssued)
		if s.issuerOf(fresh) != s.elder.Issuer() {
			t.Errorf("%s: it issues on", how)
		}
		s.elder.ended = how
		if due, err := commands.NewWithdrawal(s.App).Due(t.Context(), s.clock.Now(), 100); err != nil || len(due) > 0 {
			t.Errorf("%s: %v would be revoked on one person's word, %v", how, due, err)
		}
		s.did(s.RevokeCertificate(t.Context(), s.by(operator), s.old.now().Serial, certificate.Superseded))
		s.did(s.RevokeCertificate(t.Context(), s.by(operator), fresh.now().Serial, certificate.Superseded))
		s.publish() // nothing is left to revoke
		if s.series(s.elder).Of.Last() {
			t.Errorf("%s: the last list came on one person's word", how)
		}
		all, err := s.IssuerStandings(t.Context())
		if err != nil || len(all) != 2 || !all[0].Undeclared() || !all[1].Undeclared() {
			t.Errorf("%s: nobody is told that the log does not say it: %+v, %v", how, all, err)
		}
		s.compromised(s.elder)
		s.publish()
		if all, err = s.IssuerStandings(t.Context()); err != nil || !s.series(s.elder).Of.Last() || all[1].Undeclared() {
			t.Errorf("%s: two operators are not heard: %+v, %v", how, all, err)
		}
		s.clock.pass(10 * 365 * 24 * time.Hour) // all that was issued is over
		s.publish()
		s.publish()
		if s.series(s.newer).Of.Last() {
			t.Errorf("%s: the last list came on one person's word, in the end", how)
		}
	}
}

// destroyed has the drill come to its end: the elder's last list is out, and its key
// is no more.
func (s *succession) destroyed() crl.List {
	s.t.Helper()
	s.publish()
	s.compromised(s.elder)
	if err := s.RevokeCompromised(s.t.Context(), commands.Caller{Policy: "withdraw"}, s.old.now().Serial); err != nil {
		s.t.Fatal(err)
	}
	s.publish()
	s.signer.gone = s.elder
	if !s.series(s.elder).Of.Last() {
		s.t.Fatal("there is no last list")
	}
	return s.shelf.List(s.elder.Issuer())
}

// TestTheLastListIsLaidOutAgainWithoutItsKey: a shelf may lose it at any time.
func TestTheLastListIsLaidOutAgainWithoutItsKey(t *testing.T) {
	for _, again := range []bool{false, true} {
		s := newSuccession(t)
		last, before := s.destroyed(), len(s.all("crl.intended.v2"))
		s.shelf.Drop()
		s.clock.pass(time.Minute)
		if again {
			s.start()
		}
		s.publish() // the newer issuer's is issued anew
		if got := s.shelf.List(s.elder.Issuer()); got.Number != last.Number || !bytes.Equal(got.DER, last.DER) {
			t.Errorf("there lies list %d, not %d", got.Number, last.Number)
		}
		if got := len(s.all("crl.intended.v2")); got != before+1 {
			t.Errorf("%d lists were intended", got-before)
		}
	}
}

// TestALateRevocationAsksForADestroyedKeyOnceADay: each time costs a number, and is
// in vain until the key is back.
func TestALateRevocationAsksForADestroyedKeyOnceADay(t *testing.T) {
	s := newSuccession(t)
	last := s.destroyed()
	r := s.did(s.RevokeCertificate(t.Context(), s.by(operator), s.old.now().Serial, certificate.KeyCompromise))
	asks := func() error {
		s.runs++
		return s.publishers.PublishFor(t.Context(), commands.Caller{Policy: "daily-crl", Key: fmt.Sprint(s.runs)}, s.elder.Issuer(), event.Position(r.Position))
	}
	for range 2 {
		if err := asks(); !errors.Is(err, issuer.ErrKeyGone) {
			t.Errorf("nobody is told: %v", err)
		}
		before := len(s.all("crl.intended.v2"))
		for range 3 {
			if err := asks(); err != nil {
				t.Error(err)
			}
		}
		if got := len(s.all("crl.intended.v2")); got != before {
			t.Errorf("%d lists were intended in vain", got-before)
		}
		s.clock.pass(25 * time.Hour)
	}
	s.signer.gone = nil // it was put back
	s.publish()
	if got := s.series(s.elder); got.Latest.Number <= last.Number || !got.Of.Last() {
		t.Errorf("the latest is %+v", got.Of)
	}
}

// busyShelf is one at which something happens while an issuer's list is made.
type busyShelf struct {
	*memlog.Shelf
	issuer    string
	meanwhile func()
}

func (s busyShelf) Number(ctx context.Context, issuer string) (uint64, error) {
	if issuer == s.issuer {
		s.meanwhile()
	}
	return s.Shelf.Number(ctx, issuer)
}

// TestTheLastListHasWhatWasRevokedWhileItWasMade: nobody looks for one after it.
func TestTheLastListHasWhatWasRevokedWhileItWasMade(t *testing.T) {
	s := newSuccession(t)
	s.publish()
	s.compromised(s.elder)
	serial := s.old.now().Serial
	busy := busyShelf{s.shelf, s.elder.Issuer(), sync.OnceFunc(func() {
		if err := s.RevokeCompromised(t.Context(), commands.Caller{Policy: "withdraw"}, serial); err != nil {
			t.Error(err)
		}
	})}
	s.publishers = commands.NewPublishers(s.App, func(of commands.Authority) commands.Publishing {
		return commands.Publishing{Authority: of, Signer: s.Signer, Shelf: busy, Checker: of.(*ca).Checker(s.App.Log)}
	})
	s.clock.pass(25 * time.Hour)
	s.publish() // the daily one, and the last certificate is revoked meanwhile
	if of := s.series(s.elder).Of; of.Number != 2 || of.Last() && !s.lists(s.elder, serial) {
		t.Errorf("list %d is the last, without what was revoked last", of.Number)
	}
	s.publish()
	if of := s.series(s.elder).Of; of.Number != 3 || !of.Last() || !s.lists(s.elder, serial) {
		t.Errorf("list %d is not the last, or is without what was revoked", of.Number)
	}
}

// busyLog is one into which something comes right after its head was asked for.
type busyLog struct {
	event.Log
	asked     atomic.Int32
	after     int32
	meanwhile func()
}

func (l *busyLog) Head(ctx context.Context) (event.Position, error) {
	head, err := l.Log.Head(ctx)
	if l.asked.Add(1) == l.after {
		l.meanwhile()
	}
	return head, err
}

// TestTheLastListComesWithTheLastRevocation whenever that comes: the daily look might
// be a minute away.
func TestTheLastListComesWithTheLastRevocation(t *testing.T) {
	for after := range int32(8) {
		s := newSuccession(t)
		s.publish()
		s.compromised(s.elder)
		serial := s.old.now().Serial
		revoke := sync.OnceFunc(func() {
			if err := s.RevokeCompromised(t.Context(), commands.Caller{Policy: "withdraw"}, serial); err != nil {
				t.Error(err)
			}
		})
		s.App.Log = &busyLog{Log: s.App.Log, after: after + 1, meanwhile: revoke}
		s.start()
		s.clock.pass(25 * time.Hour)
		s.publish()
		revoke()
		revoked := s.all("certificate.revoked.v2")
		if err := s.publishers.PublishFor(t.Context(), commands.Caller{Policy: "publish-crl-on-revoked", Key: "1"}, s.elder.Issuer(), revoked[len(revoked)-1].Position); err != nil {
			t.Fatal(err)
		}
		if of := s.series(s.elder).Of; !of.Last() || !s.lists(s.elder, serial) {
			t.Errorf("%d: list %d is not the last, or is without what was revoked", after, of.Number)
		}
	}
}

// crash dies before anything of a certificate is appended.
func (s *succession) crash(do func() error) (err error) {
	s.log.cutAt("certificate", func() { err = do() })
	return err
}

// TestNobodyIssuesUnderACompromisedKeyAlone: where there is no other issuer the
// request waits for one.
func TestNobodyIssuesUnderACompromisedKeyAlone(t *testing.T) {
	s := newSuccession(t)
	s.compromised(s.newer)
	if r := s.draft(neighbour).upTo(enrollment.StatusIssued); s.issuerOf(r) != s.elder.Issuer() {
		t.Error("the elder does not take over")
	}
	s.compromised(s.elder)
	r := s.draft(stranger).upTo(enrollment.StatusAtCA)
	if err := s.Issue(context.Background(), commands.Caller{Policy: "issue", Key: "1"}, enrollment.Kind.Stream(r.code)); !errors.Is(err, issuer.ErrNoneOpen) {
		t.Errorf("issued: %v", err)
	}
}

// TestAnAbandonedSerialIsOnTheListOfWhoTriedIt: nothing comes on the list of a
// compromised issuer for what another one could not issue.
func TestAnAbandonedSerialIsOnTheListOfWhoTriedIt(t *testing.T) {
	for name, ends := range map[string]func(s *succession, r *request){
		"refused before the intent": func(s *succession, r *request) {
			s.elder.refuses = errLint
			if err := r.issue(); err != nil {
				t.Error(err)
			}
		},
		"crashed before the intent": func(_ *succession, r *request) { r.crash("issuance:attempted") },
		"crashed after the intent":  func(_ *succession, r *request) { r.crash("issuance:intended") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSuccession(t)
			r := s.draft(neighbour).upTo(enrollment.StatusAtCA)
			s.compromised(s.newer)
			ends(s, r)
			if tried := r.attempts(); r.now().Status == enrollment.StatusAtCA {
				if err := r.issue(); err != nil {
					t.Fatal(err)
				}
				r.issuedOnce()
			} else if len(tried) != 1 {
				t.Fatalf("tried were %v", tried)
			}
			s.publish()
			if serial := r.attempts()[0]; !s.lists(s.elder, serial) || s.lists(s.newer, serial) {
				t.Errorf("%s is not on the list of who tried it, or on another's", serial)
			}
		})
	}
}

// TestAnAttemptOfACompromisedIssuerIsItsOwn also when another one goes on with it.
func TestAnAttemptOfACompromisedIssuerIsItsOwn(t *testing.T) {
	s := newSuccession(t)
	r := s.draft(neighbour).upTo(enrollment.StatusAtCA)
	r.crash("issuance:intended")
	s.compromised(s.newer)
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce()
	s.publish()
	if serial := r.attempts()[0]; s.lists(s.elder, serial) || !s.lists(s.newer, serial) {
		t.Errorf("%s is not on the list of who meant to issue it, or on another's", serial)
	}
}

// TestHoldersAreToldThatItIsNotTheirDoing: a revocation for the issuer's sake has
// words of its own, and they are sent once.
func TestHoldersAreToldThatItIsNotTheirDoing(t *testing.T) {
	s, p := newSuccession(t), &post{}
	own := s.draft(neighbour).upTo(enrollment.StatusIssued)
	s.did(s.RevokeCertificate(t.Context(), s.by(operator), own.now().Serial, certificate.Superseded))
	s.compromised(s.elder)
	for range 2 { // and asked twice
		if err := s.RevokeCompromised(t.Context(), commands.Caller{Policy: "withdraw"}, s.old.now().Serial); err != nil {
			t.Fatal(err)
		}
		for _, e := range s.all("certificate.revoked.v2") {
			if err := policies.NotifyOnRevoked().Handle(t.Context(), s.App, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.sendAll(p)
	told := map[string]string{}
	for _, m := range p.sent {
		for _, r := range []*request{s.old, own} {
			if strings.Contains(m.Body, r.now().Serial) && strings.Contains(m.Subject, "باطل شد") {
				told[r.code] += m.Subject + m.Body
			}
		}
	}
	const why, what, next = "افشای کلید مرکز صدور", "دیگر با این گواهی امضا نکنید", "درخواست دیگری ثبت کنید"
	for _, words := range []string{why, what, next} {
		if strings.Count(told[s.old.code], words) != 1 || strings.Contains(told[own.code], words) {
			t.Errorf("%q is said to the holder of another's, or not to him:\n%v", words, told)
		}
	}
	if told[own.code] == "" {
		t.Error("who was revoked for a reason of his own is told nothing")
	}
}
