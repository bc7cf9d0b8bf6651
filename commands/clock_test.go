package commands_test

import (
	"testing"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/notification"
)

// TestAMessageDoesNotWaitForAClockThatWentBack: it was asked for, or put off,
// when the clock was an hour ahead. It is sent once all the same.
func TestAMessageDoesNotWaitForAClockThatWentBack(t *testing.T) {
	for name, ahead := range map[string]func(*request, *post){
		"asked for":         func(*request, *post) {},
		"put off":           func(r *request, p *post) { p.err = errCut; r.sendAll(p); p.err = nil },
		"put off, and back": func(r *request, p *post) { p.err = errCut; r.sendAll(p); r.clock.pass(time.Minute); p.err = nil },
	} {
		t.Run(name, func(t *testing.T) {
			r, p := open(t).draft(applicant).upTo(enrollment.StatusCompleted), &post{}
			ahead(r, p)
			r.clock.pass(-time.Hour)
			r.sendAll(p)
			r.sendAll(p)
			if len(p.sent) != 1 {
				t.Errorf("%d messages", len(p.sent))
			}
		})
	}
}

// TestAClockThatWentBackIsNoHaste: a server that is down is still left in peace
// between two tries.
func TestAClockThatWentBackIsNoHaste(t *testing.T) {
	r, p := open(t).draft(applicant).upTo(enrollment.StatusCompleted), &post{err: errCut}
	id := r.all("notification.requested.v1")[0].Stream
	r.sendAll(p)
	r.clock.pass(-time.Hour)
	r.sendAll(p)
	tries := state(r.house, notification.Kind, id).Attempts
	if r.sendAll(p); tries != 2 || state(r.house, notification.Kind, id).Attempts != 2 {
		t.Errorf("%d tries, then %d", tries, state(r.house, notification.Kind, id).Attempts)
	}
}

func TestAnInquiryDoesNotWaitForAClockThatWentBack(t *testing.T) {
	r, s := inquired(t)
	r.registry.err = nil
	r.clock.pass(-time.Hour)
	r.askRegistry()
	r.askRegistry()
	if got := r.names(s); got != "requested deferred answered" {
		t.Errorf("the inquiry's story is %q", got)
	}
}

// TestListsFollowOneAnotherWhateverTheClockDoes: numbers rise, no list is older
// than the one before, and a revocation is on the next.
func TestListsFollowOneAnotherWhateverTheClockDoes(t *testing.T) {
	l := publishing(t)
	l.published()
	last := l.latest()
	for _, shift := range []time.Duration{time.Hour, -time.Hour, -time.Hour, 2 * time.Hour, -time.Hour} {
		l.clock.pass(shift)
		serial := l.draft(applicant).upTo(enrollment.StatusIssued).now().Serial
		l.did(l.RevokeCertificate(t.Context(), l.by(operator), serial, certificate.Superseded))
		l.published()
		next := l.latest()
		if !l.lists(serial) || next.Number.Cmp(last.Number) <= 0 || next.ThisUpdate.Before(last.ThisUpdate) {
			t.Errorf("after %v list %v of %v follows %v of %v", shift, next.Number, next.ThisUpdate, last.Number, last.ThisUpdate)
		}
		l.published() // nothing is due
		if again := l.latest(); again.Number.Cmp(next.Number) != 0 {
			t.Errorf("after %v there is a list that nobody needs", shift)
		}
		last = next
	}
	l.rising()
	if n := len(l.stream(crl.Kind.Stream(l.Authority.Issuer()))); n != 18 {
		t.Errorf("%d events of six lists", n)
	}
}

// TestALeaseDoesNotOutlastTheClockThatGaveIt: whoever had it crashed, and the
// clock went back an hour.
func TestALeaseDoesNotOutlastTheClockThatGaveIt(t *testing.T) {
	r := atCA(t)
	r.crash("issuance:signed")
	r.clock.pass(-time.Hour)
	if err := r.issueBy(r.anotherHandler()); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce()
}
