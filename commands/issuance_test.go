package commands_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/token"
)

// steps of the handler at which a test may stop it.
var points = []string{"issuance:attempted", "issuance:intended", "issuance:signed", "issuance:issued", "issuance:noted"}

// atCA is a request that waits for its certificate.
func atCA(t *testing.T) *request {
	t.Helper()
	return open(t).draft(applicant).upTo(enrollment.StatusAtCA)
}

// crash runs the handler until a point, and no further, as kill -9 would.
func (r *request) crash(point string) {
	r.t.Helper()
	r.steps = func(p string) {
		if p == point {
			panic(errCut)
		}
	}
	defer func() {
		r.steps = func(string) {}
		if recover() == nil {
			r.t.Fatalf("the handler never came to %s", point)
		}
	}()
	_ = r.issue()
}

// anotherHandler is the same house in another process.
func (r *request) anotherHandler() *commands.App {
	app := *r.App
	app.Handler = "handler-2"
	return &app
}

// issuedOnce expects one certificate, under the last serial that was tried, and
// that every other one is revoked as superseded.
func (r *request) issuedOnce() {
	r.t.Helper()
	tried := r.attempts()
	last := tried[len(tried)-1]
	if s := r.now(); s.Status != enrollment.StatusIssued || s.Serial != last {
		r.t.Errorf("the request is %s with %s; tried were %v", s.Status, s.Serial, tried)
	}
	for _, serial := range tried[:len(tried)-1] {
		if c := r.serial(serial); c.Status != certificate.Withdrawn || c.Reason != certificate.Superseded || c.Issued.Serial != "" {
			r.t.Errorf("%s is %s for %s", serial, c.Status, c.Reason)
		}
	}
	if c := r.serial(last); c.Status != certificate.Valid || c.Issued.Fingerprint != r.now().Fingerprint {
		r.t.Errorf("%s is %s", last, c.Status)
	}
	r.nothingUnrecorded()
}

// nothingUnrecorded expects that everything the key signed was intended, and
// signed once.
func (h *house) nothingUnrecorded() {
	h.t.Helper()
	intended := map[string]bool{}
	for _, r := range append(h.all("certificate.issuance-intended.v2"), h.all("crl.intended.v2")...) {
		var intent struct {
			TBSHash string `json:"tbsSha256"`
		}
		if err := json.Unmarshal(r.Data, &intent); err != nil {
			h.t.Fatal(err)
		}
		intended[intent.TBSHash] = true
	}
	seen := map[string]bool{}
	for _, digest := range h.signer.signed {
		if !intended[digest] || seen[digest] {
			h.t.Errorf("%s was signed; intended %v, before %v", digest, intended[digest], seen[digest])
		}
		seen[digest] = true
	}
}

func TestACertificateIsIssuedFromWhatWasConfirmed(t *testing.T) {
	r := atCA(t)
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce()
	c := r.certificate()
	i := c.Intent
	all := r.stream(r.request())
	if i.Record.Stream != r.request() || i.Record.Hash != enrollment.RecordOf(all[:i.Record.Revision+1]).Hash ||
		all[i.Confirmation.Revision].Type != "enrollment.information-confirmed.v2" || i.Fee.Stream != event.NewStream("fee", r.code) ||
		r.stream(i.Fee.Stream)[i.Fee.Revision].Type != "fee.settled.v2" || i.Token != r.token || i.Lint.Passed == 0 {
		t.Errorf("the intent cites %+v %+v %+v, token %s, lint %+v", i.Record, i.Confirmation, i.Fee, i.Token, i.Lint)
	}
	der, err := c.Issued.Certificate.Open(t.Context(), r.keeper)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der.DER)
	if err != nil || parsed.CheckSignatureFrom(r.ca().Certificate()) != nil {
		t.Errorf("what was issued: %v", err)
	}
	before := r.head()
	if err := r.issue(); err != nil || r.head() != before {
		t.Errorf("the handler called again: %v", err)
	}
}

func TestAHandlerThatCrashedIsFollowedByAnother(t *testing.T) {
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			r := atCA(t)
			r.crash(point)
			next := r.anotherHandler()
			switch point {
			case "issuance:issued", "issuance:noted": // what is issued needs no lease
			default:
				if err := r.issueBy(next); !errors.Is(err, commands.ErrAttemptRunning) || len(r.attempts()) != 1 {
					t.Fatalf("before the lease: %v", err)
				}
				r.clock.pass(3*time.Second + time.Millisecond)
			}
			if err := r.issueBy(next); err != nil {
				t.Fatal(err)
			}
			r.issuedOnce()
			want := 2
			if point == "issuance:issued" || point == "issuance:noted" {
				want = 1
			}
			if got := len(r.attempts()); got != want {
				t.Errorf("%d serials were tried", got)
			}
		})
	}
}

func TestAHandlerThatCrashedGoesOnAtOnceUnderItsOwnName(t *testing.T) {
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			r := atCA(t)
			r.crash(point)
			if err := r.issue(); err != nil {
				t.Fatal(err)
			}
			r.issuedOnce()
		})
	}
}

func TestManyCrashesInARowCostSerialsAndNothingElse(t *testing.T) {
	r := atCA(t)
	for _, point := range []string{points[0], points[1], points[2], points[1], points[0], points[3]} {
		r.crash(point)
	}
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce()
	if got := len(r.attempts()); got != 6 {
		t.Errorf("%d serials were tried", got)
	}
}

var errLint = fault.New(fault.Invalid, "lint-refused", "نادرست", "Wrong")

func TestWhatCannotBeCertifiedGoesBack(t *testing.T) {
	r := atCA(t)
	r.ca().refuses = errLint
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	tried := r.attempts()
	if s := r.now(); s.Status != enrollment.StatusConfirmed || len(tried) != 1 {
		t.Fatalf("the request is %s after %v", s.Status, tried)
	}
	if c := r.serial(tried[0]); c.Status != certificate.Withdrawn || len(r.signer.signed) != 0 {
		t.Errorf("the serial is %s", c.Status)
	}
	if got := r.names(certificate.Kind.Stream(tried[0])); got != "issuance-abandoned revoked" {
		t.Errorf("the serial's story is %q", got)
	}
	r.ca().refuses = nil
	r.csr = newCSR(t)
	r.did(r.IssueCertificate(t.Context(), r.by(officer), r.code, r.token, r.csr))
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce()
}

func TestASignerThatFailsCostsASerial(t *testing.T) {
	for name, after := range map[string]bool{"before the fence": false, "after the fence": true} {
		t.Run(name, func(t *testing.T) {
			r := atCA(t)
			r.signer.fails, r.signer.after = errNoSigner, after
			if err := r.issue(); !errors.Is(err, errNoSigner) {
				t.Fatalf("got %v", err)
			}
			if s := r.now(); s.Status != enrollment.StatusAtCA {
				t.Errorf("the request is %s", s.Status)
			}
			first := r.attempts()[0]
			if c := r.serial(first); c.Status != certificate.Withdrawn || c.Reason != certificate.Superseded {
				t.Errorf("the serial is %s", c.Status)
			}
			r.signer.fails = nil
			if err := r.issue(); err != nil {
				t.Fatal(err)
			}
			r.issuedOnce()
		})
	}
}

func TestASignerThatIsAwayCostsNothing(t *testing.T) {
	theCA(t) // made outside the bubble
	synctest.Test(t, func(t *testing.T) {
		r := atCA(t)
		calls := 0
		r.signer.fails = commands.ErrSignerAway
		r.signer.before = func() {
			if calls++; calls == 10 {
				r.signer.fails = nil
			}
		}
		if err := r.issue(); err != nil {
			t.Fatal(err)
		}
		r.issuedOnce()
		if got := len(r.attempts()); got != 1 {
			t.Errorf("%d serials were tried", got)
		}
	})
}

func TestASignerThatRefusesSendsTheRequestBack(t *testing.T) {
	r := atCA(t)
	r.signer.fails = fault.New(fault.Conflict, "tbs-profile-wrong", "نادرست", "Wrong")
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	if s := r.now(); s.Status != enrollment.StatusConfirmed || len(r.signer.signed) != 0 {
		t.Errorf("the request is %s", s.Status)
	}
}

func TestOtherBytesThanTheIntendedAreNotIssued(t *testing.T) {
	r := atCA(t)
	mine := r.signer.ca.key
	r.signer.ca = &ca{Authority: r.ca().Authority, key: otherKey(t)}
	if err := r.issue(); err == nil {
		t.Fatal("a certificate of another key was taken")
	}
	if s := r.now(); s.Status != enrollment.StatusAtCA {
		t.Errorf("the request is %s", s.Status)
	}
	r.signer.ca.key = mine
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce()
}

// TestAnOvertakenHandlersRefusalIsItsOwn holds the first handler in its call of
// the signer, lets a second one begin, and ends the first while the second is
// about to sign.
func TestAnOvertakenHandlersRefusalIsItsOwn(t *testing.T) {
	r := atCA(t)
	next := r.anotherHandler()
	firstMay, firstDone := make(chan struct{}), make(chan struct{})
	entered := make(chan struct{})
	calls := 0
	r.signer.before = func() {
		switch calls++; calls {
		case 1: // the first handler's call
			close(entered)
			<-firstMay
		case 2: // the second handler's call, while the first ends
			close(firstMay)
			<-firstDone
		}
	}
	go func() { defer close(firstDone); _ = r.issue() }()
	<-entered
	r.clock.pass(time.Minute)
	if err := r.issueBy(next); err != nil {
		t.Errorf("the second handler: %v", err)
	}
	r.issuedOnce()
}

// TestARequestThatMovedOnIsReadAgain: another handler notes the certificate after
// it is on record, and before the first one does, who knows the request as it was.
func TestARequestThatMovedOnIsReadAgain(t *testing.T) {
	r := atCA(t)
	next := r.anotherHandler()
	r.steps = func(p string) {
		if p == "issuance:issued" {
			r.steps = func(string) {}
			if err := r.issueBy(next); err != nil {
				t.Errorf("the second handler: %v", err)
			}
		}
	}
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce()
	if noted := r.all("enrollment.issued.v1"); len(noted) != 1 {
		t.Errorf("noted %d times", len(noted))
	}
}

// TestTheHandlerReadsItsRequestOnce: each read of a request brings all its events.
func TestTheHandlerReadsItsRequestOnce(t *testing.T) {
	r := atCA(t)
	log := counting{r.App.Log, map[string]int{}}
	r.App.Log = log
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce()
	// The new certificate once, for a revocation meanwhile; the officer's is kept,
	// and the request knows its payment.
	if log.reads["enrollment"] != 1 || log.reads["certificate"] != 1 || log.reads["fee"] != 0 {
		t.Errorf("an issuance reads %v", log.reads)
	}
}

// older is a log in which requests do not know where their payment stands.
type older struct{ event.Log }

func (l older) Read(ctx context.Context, stream event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		for r, err := range l.Log.Read(ctx, stream, from) {
			if r.Type == "enrollment.fee-settled.v2" {
				r.Type = "enrollment.fee-settled.v1"
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func TestThePaymentOfAnOlderRequestIsLookedUp(t *testing.T) {
	r := atCA(t)
	r.App.Log = older{r.App.Log}
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce()
	cited := r.certificate().Intent.Fee
	if cited == nil || cited.Stream != event.NewStream("fee", r.code) || r.stream(cited.Stream)[cited.Revision].Type != "fee.settled.v2" {
		t.Errorf("cited is %+v", cited)
	}
}

// TestARevocationBeforeTheRequestKnewItsCertificateIsTheEnd: the handler that
// comes back must not replace what was revoked for a reason.
func TestARevocationBeforeTheRequestKnewItsCertificateIsTheEnd(t *testing.T) {
	r := atCA(t)
	r.crash("issuance:issued")
	serial := r.attempts()[0]
	r.did(r.RevokeCertificate(t.Context(), r.by(operator), serial, certificate.KeyCompromise))
	r.settle()
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	r.settle()
	if got := r.attempts(); len(got) != 1 {
		t.Errorf("another certificate was made after a revocation: %v", got)
	}
	if s := r.now(); s.Status != enrollment.StatusRevoked {
		t.Errorf("the request is %s", s.Status)
	}
}

// TestARevocationWhileTheIssuanceIsNotedIsTheEnd: nobody has to come back for it.
func TestARevocationWhileTheIssuanceIsNotedIsTheEnd(t *testing.T) {
	r := atCA(t)
	r.steps = func(point string) {
		if point == "issuance:issued" {
			r.did(r.RevokeCertificate(t.Context(), r.by(operator), r.now().Attempt.Serial, certificate.KeyCompromise))
			r.settle()
		}
	}
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	if s := r.now(); s.Status != enrollment.StatusRevoked {
		t.Errorf("the request is %s", s.Status)
	}
}

func TestAKeyIsOfOneRequest(t *testing.T) {
	h := open(t)
	first := h.draft(applicant).upTo(enrollment.StatusConfirmed)
	other := h.draft(neighbour).upTo(enrollment.StatusConfirmed)
	first.reserve()
	other.reserve()
	h.did(first.IssueCertificate(t.Context(), h.by(officer), first.code, first.token, first.csr))
	h.refused(certificate.ErrKeyReused, func() error {
		_, err := other.IssueCertificate(t.Context(), h.by(officer), other.code, other.token, first.csr)
		return err
	})
}

func TestACutOffIssuanceRequestPassesWhenItIsSentAgain(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusConfirmed)
	r.reserve()
	r.log.cutAt("enrollment", func() {
		if _, err := r.IssueCertificate(t.Context(), r.by(officer), r.code, r.token, r.csr); !errors.Is(err, commands.ErrLogUnavailable) {
			t.Fatalf("got %v", err)
		}
	})
	if len(r.all("key.claimed.v1")) != 1 {
		t.Fatal("the key was not claimed first")
	}
	r.did(r.IssueCertificate(t.Context(), r.by(second), r.code, r.token, r.csr))
}

// passing is a log in which something happens behind the first read of a stream.
type passing struct {
	event.Log
	stream event.Stream
	then   func()
}

func (l passing) Read(ctx context.Context, stream event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		for r, err := range l.Log.Read(ctx, stream, from) {
			if !yield(r, err) {
				return
			}
		}
		if stream == l.stream {
			l.then()
		}
	}
}

// TestAHandlerThatWasOvertakenComesBack: who was quicker may die before anything is
// signed, and then nobody else knows of the request.
func TestAHandlerThatWasOvertakenComesBack(t *testing.T) {
	r := atCA(t)
	next := r.anotherHandler()
	next.Log = passing{r.App.Log, r.request(), sync.OnceFunc(func() { r.crash("issuance:intended") })}
	if err := r.issueBy(next); !errors.Is(err, commands.ErrAttemptRunning) {
		t.Fatalf("the handler is told %v", err)
	}
	r.clock.pass(time.Minute)
	if err := r.issueBy(next); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce()
}

// TestATokenThatIsLeftOverIsKeptForAnother: one request ended, the other has its
// certificate on another token.
func TestATokenThatIsLeftOverIsKeptForAnother(t *testing.T) {
	for name, over := range map[string]func(r *request){
		"rejected": func(r *request) { r.rejected() },
		"on another": func(r *request) {
			r.token = "SPARE1"
			r.stock()
			r.reserve()
			r.upTo(enrollment.StatusIssued)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			first := h.draft(applicant).upTo(enrollment.StatusConfirmed)
			other := h.draft(neighbour).upTo(enrollment.StatusConfirmed)
			first.reserve()
			left := first.token
			keep := func() error {
				_, err := h.ReserveToken(t.Context(), h.by(officer), other.code, left)
				return err
			}
			h.refused(token.ErrTaken, keep)
			over(first)
			if err := keep(); err != nil {
				t.Fatal(err)
			}
			if s := state(h, token.Kind, token.Kind.Stream(left)); s.Request != other.request() {
				t.Errorf("the token is kept for %s", s.Request)
			}
		})
	}
}

func TestATokenIsOfOneRequestAndOneOffice(t *testing.T) {
	h := open(t)
	first := h.draft(applicant).upTo(enrollment.StatusConfirmed)
	other := h.draft(neighbour).upTo(enrollment.StatusConfirmed)
	first.reserve()
	for name, c := range map[string]struct {
		serial string
		want   error
	}{
		"of another request": {first.token, token.ErrTaken},
		"of no stock":        {"T0000", token.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			h.refused(c.want, func() error {
				_, err := h.ReserveToken(t.Context(), h.by(officer), other.code, c.serial)
				return err
			})
			h.refused(c.want, func() error {
				_, err := h.IssueCertificate(t.Context(), h.by(officer), other.code, c.serial, newCSR(t))
				return err
			})
		})
	}
	h.did(h.ReceiveToken(t.Context(), h.by(elsewhere), commands.ReceiveToken{Serial: "T9999", Model: "SoftHSM", Office: "office-2"}))
	h.refused(token.ErrOffice, func() error {
		_, err := h.ReserveToken(t.Context(), h.by(officer), other.code, "T9999")
		return err
	})
	if _, err := h.IssueCertificate(t.Context(), h.by(officer), first.code, first.token, []byte("no request")); err == nil {
		t.Error("a request that is none was taken")
	}
}

// TestATokenIsReceivedUnderOneSpelling: letters of a serial say the same in both
// cases.
func TestATokenIsReceivedUnderOneSpelling(t *testing.T) {
	h := open(t)
	receive := func(serial string) error {
		_, err := h.ReceiveToken(t.Context(), h.by(officer), commands.ReceiveToken{Serial: serial, Model: "SoftHSM", Office: "office-1"})
		return err
	}
	for _, pair := range [][2]string{{"a1b2c3", "A1B2C3"}, {"D4E5F6", "d4e5f6"}} {
		if err := receive(pair[0]); err != nil {
			t.Fatal(err)
		}
		h.refused(token.ErrKnown, func() error { return receive(pair[1]) })
	}
}

// TestNoKeyIsCertifiedOfATokenThatIsGone: what was reserved may be lost or found
// defective before its key is brought.
func TestNoKeyIsCertifiedOfATokenThatIsGone(t *testing.T) {
	for name, gone := range map[string]func(r *request){
		"lost": func(r *request) { r.did(r.ReportTokenLost(t.Context(), r.by(officer), r.token)) },
		"defective": func(r *request) {
			r.did(r.ReportTokenDefective(t.Context(), r.by(officer), r.token))
		},
		"destroyed": func(r *request) {
			r.did(r.ReportTokenDefective(t.Context(), r.by(officer), r.token))
			r.did(r.ReturnToken(t.Context(), r.by(officer), r.token))
			r.did(r.DestroyToken(t.Context(), r.by(officer), r.token))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t).draft(applicant).upTo(enrollment.StatusConfirmed)
			r.reserve()
			gone(r)
			r.refused(token.ErrGone, func() error {
				_, err := r.IssueCertificate(t.Context(), r.by(officer), r.code, r.token, newCSR(t))
				return err
			})
			r.token = "SPARE1"
			r.stock()
			r.reserve()
			r.upTo(enrollment.StatusIssued)
		})
	}
}

func TestTheTokenFollowsItsRequest(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusDelivered)
	got := state(r.house, token.Kind, token.Kind.Stream(r.token))
	if got.Status != token.StatusDelivered || got.Certificate != r.now().Serial {
		t.Errorf("the token is %+v", got)
	}
}

func TestWhatIsReadBackMustBeWhatWasIssued(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusIssued)
	r.refused(enrollment.ErrFingerprint, func() error {
		_, err := r.PersonaliseToken(t.Context(), r.by(officer), r.code, r.token, "00")
		return err
	})
	r.refused(enrollment.ErrOtherToken, func() error {
		_, err := r.PersonaliseToken(t.Context(), r.by(officer), r.code, "T0000", r.now().Fingerprint)
		return err
	})
	r.did(r.PersonaliseToken(t.Context(), r.by(officer), r.code, r.token, colons(r.now().Fingerprint)))
}

// colons is a fingerprint as openssl prints it.
func colons(hex string) string {
	var pairs []string
	for i := 0; i < len(hex); i += 2 {
		pairs = append(pairs, strings.ToUpper(hex[i:i+2]))
	}
	return strings.Join(pairs, ":")
}

// TestAnIssuerThatIsNotValidCostsNoSerial: the request waits for the clock, or
// for another issuer, and nothing was attempted.
func TestAnIssuerThatIsNotValidCostsNoSerial(t *testing.T) {
	r := atCA(t)
	right := r.clock.Now()
	r.clock.pass(-100 * 365 * 24 * time.Hour)
	before := r.head()
	for range 3 {
		if f, ok := fault.Of(r.issue()); !ok || f.Kind != fault.Unavailable {
			t.Fatalf("got %v", f)
		}
	}
	if len(r.attempts()) != 0 || r.head() != before {
		t.Errorf("%d attempts", len(r.attempts()))
	}
	r.clock.pass(right.Sub(r.clock.Now()))
	if err := r.issue(); err != nil || r.now().Status != enrollment.StatusIssued {
		t.Errorf("%v, the request is %s", err, r.now().Status)
	}
}
