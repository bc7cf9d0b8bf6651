package commands_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/notification"
	"govahi/domain/profile"
)

func worker(name string) commands.Caller { return commands.Caller{Policy: name} }

const day = 24 * time.Hour

// remind asks for every reminder that there may be, as a worker with a stale
// view would, and lists the days of those that were claimed.
func (r *request) remind() string {
	r.t.Helper()
	for _, days := range r.Terms.ReminderDays {
		if err := r.RemindExpiry(r.t.Context(), worker("remind-expiry"), fmt.Sprintf("%s/%d", r.now().Serial, days)); err != nil {
			r.t.Fatal(err)
		}
	}
	var claimed []string
	for _, days := range []string{"30", "14", "7", "1"} {
		if len(r.stream(notification.Kind.Stream("expiry-"+r.now().Serial+"-"+days))) > 0 {
			claimed = append(claimed, days)
		}
	}
	return strings.Join(claimed, " ")
}

// TestRemindersComeOnceEach, and one that was missed is not made up for by
// several at once.
func TestRemindersComeOnceEach(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	end := r.certificate().Issued.NotAfter
	for _, c := range []struct {
		before time.Duration
		want   string
	}{
		{30*day + time.Second, ""},
		{30 * day, "30"},
		{29 * day, "30"},
		{5 * day, "30 7"}, // the house was down since: not 14 and 7
		{day, "30 7 1"},
		{time.Second, "30 7 1"},
		{-time.Second, "30 7 1"},
	} {
		r.clock.now = end.Add(-c.before)
		for range 2 {
			if got := r.remind(); got != c.want {
				t.Errorf("%s before: %q, want %q", c.before, got, c.want)
			}
		}
	}
}

func TestNobodyIsRemindedOfWhatIsRevoked(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	r.clock.now = r.certificate().Issued.NotAfter.Add(-30 * day)
	r.remind() // and it is revoked before the message goes out
	r.did(r.RevokeFormally(t.Context(), r.by(applicant), r.now().Serial, commands.RevokeFormally{Ground: certificate.HoldersWish, AskedBy: certificate.Holder}))
	m := &post{}
	id := "expiry-" + r.now().Serial + "-30"
	if err := r.SendNotification(t.Context(), worker("post"), m, id); err != nil || len(m.sent) != 0 {
		t.Errorf("%d messages, %v", len(m.sent), err)
	}
	r.clock.now = r.certificate().Issued.NotAfter.Add(-7 * day)
	if got := r.remind(); got != "30" {
		t.Errorf("reminded of a revoked certificate: %q", got)
	}
}

func TestAReminderSaysUntilWhen(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	r.clock.now = r.certificate().Issued.NotAfter.Add(-7 * day)
	r.remind()
	m := &post{}
	if err := r.SendNotification(t.Context(), worker("post"), m, "expiry-"+r.now().Serial+"-7"); err != nil || len(m.sent) != 1 {
		t.Fatalf("%d messages, %v", len(m.sent), err)
	}
	if body := m.sent[0].Body; !strings.Contains(body, "تا ۱۴") || !strings.Contains(body, r.now().Serial) {
		t.Errorf("it says %s", body)
	}
}

// TestWhatIsNotAcceptedInTimeIsRevoked, after a reminder at half time; a late
// acceptance is told what to do.
func TestWhatIsNotAcceptedInTimeIsRevoked(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusDelivered)
	tick := func() {
		t.Helper()
		for range 2 {
			for _, do := range []error{
				r.RemindAcceptance(t.Context(), worker("remind-acceptance"), r.code), r.RevokeUnaccepted(t.Context(), worker("revoke-unaccepted"), r.code),
			} {
				if do != nil {
					t.Fatal(do)
				}
			}
		}
		r.settle()
	}
	reminded := func() int { return len(r.stream(notification.Kind.Stream("acceptance-" + r.code))) }
	r.clock.pass(15*day - time.Second)
	if tick(); reminded() != 0 {
		t.Error("reminded before half time")
	}
	r.clock.pass(time.Second)
	if tick(); reminded() != 1 || r.certificate().Status != certificate.Valid {
		t.Errorf("%d reminders at half time, %s", reminded(), r.certificate().Status)
	}
	r.clock.pass(15 * day)
	if tick(); r.certificate().Status != certificate.Valid {
		t.Error("revoked on the last moment")
	}
	r.clock.pass(time.Second)
	r.refused(enrollment.ErrAcceptanceLate, func() error { _, err := r.AcceptCertificate(t.Context(), r.by(applicant), r.code); return err })
	if tick(); r.certificate().Status != certificate.Valid {
		t.Error("revoked while another clock may still let him accept")
	}
	r.clock.pass(event.Apart)
	tick()
	if c := r.certificate(); c.Status != certificate.Withdrawn || c.Reason != certificate.CessationOfOperation || r.now().Status != enrollment.StatusRevoked || reminded() != 1 {
		t.Errorf("it is %s for %s, the request %s", c.Status, c.Reason, r.now().Status)
	}
}

// TestTheProfileSaysHowLongItMayBeAccepted, in the place of the terms: the terms
// count for one that no file tells of any more.
func TestTheProfileSaysHowLongItMayBeAccepted(t *testing.T) {
	shorter := setWith(t, "cpmis-signature@2", func(p *profile.Profile) { p.AcceptanceDays = 10 })
	longer := setWith(t, "cpmis-signature@2", func(p *profile.Profile) { p.AcceptanceDays = 60 })
	for name, c := range map[string]struct {
		set  profile.Set
		days int
	}{"shorter": {shorter, 10}, "longer": {longer, 60}, "the file is not here": {profile.Set{}, 30}} {
		t.Run(name, func(t *testing.T) {
			r := open(t).draft(applicant).upTo(enrollment.StatusDelivered)
			r.Authority = otherwise{r.Authority, c.set}
			accept := func() error { _, err := r.AcceptCertificate(t.Context(), r.by(applicant), r.code); return err }
			tick := func() (reminders int, status certificate.Status) {
				t.Helper()
				if err := errors.Join(r.RemindAcceptance(t.Context(), worker("remind-acceptance"), r.code), r.RevokeUnaccepted(t.Context(), worker("revoke-unaccepted"), r.code)); err != nil {
					t.Fatal(err)
				}
				return len(r.stream(notification.Kind.Stream("acceptance-" + r.code))), r.certificate().Status
			}
			whole := time.Duration(c.days) * day
			r.clock.pass(whole/2 - time.Second)
			if n, status := tick(); n != 0 || status != certificate.Valid {
				t.Errorf("%d reminders before half time, %s", n, status)
			}
			r.clock.pass(time.Second)
			if n, _ := tick(); n != 1 {
				t.Errorf("%d reminders at half time", n)
			}
			r.clock.pass(whole/2 + time.Second)
			r.refused(enrollment.ErrAcceptanceLate, accept)
			r.clock.pass(event.Apart)
			if _, status := tick(); status != certificate.Withdrawn {
				t.Errorf("after its time it is %s", status)
			}
		})
	}
	r := open(t).draft(applicant).upTo(enrollment.StatusDelivered)
	r.Authority = otherwise{r.Authority, longer}
	r.clock.pass(60 * day)
	r.did(r.AcceptCertificate(t.Context(), r.by(applicant), r.code))
}

// TestWhatWaitsForItsDeliveryTooLongIsRevoked, after a reminder: a renewal for the
// token that its holder has, and what was never written to its token.
func TestWhatWaitsForItsDeliveryTooLongIsRevoked(t *testing.T) {
	renewal := func(t *testing.T, upTo enrollment.Status) (first, next *request) {
		first = open(t).draft(applicant).upTo(enrollment.StatusAccepted).nearTheEnd()
		return first, first.follow(enrollment.Renewal).upTo(upTo)
	}
	for name, open := range map[string]func(t *testing.T) (first, next *request){
		"a renewal that nobody wrote to the token": func(t *testing.T) (first, next *request) { return renewal(t, enrollment.StatusIssued) },
		"a renewal that nobody came for":           func(t *testing.T) (first, next *request) { return renewal(t, enrollment.StatusReadyForDelivery) },
		"a certificate beside its token": func(t *testing.T) (first, next *request) {
			return nil, open(t).draft(applicant).upTo(enrollment.StatusIssued)
		},
	} {
		t.Run(name, func(t *testing.T) {
			first, r := open(t)
			reminded := func() int { return len(r.stream(notification.Kind.Stream("delivery-" + r.code))) }
			r.clock.now = r.now().Issued.Add(30*day - time.Second)
			if r.tickDelivery(); reminded() != 0 {
				t.Error("reminded too early")
			}
			r.clock.pass(time.Second)
			if r.tickDelivery(); reminded() != 1 {
				t.Errorf("%d reminders after thirty days", reminded())
			}
			r.clock.pass(30*day + event.Apart)
			r.tickDelivery()
			r.stands(certificate.Valid, "")
			r.clock.pass(time.Second)
			r.tickDelivery()
			r.stands(certificate.Withdrawn, certificate.CessationOfOperation)
			if s := r.now().Status; s != enrollment.StatusRevoked || reminded() != 1 {
				t.Errorf("the request is %s, with %d reminders", s, reminded())
			}
			if first != nil {
				first.stands(certificate.Valid, "")
			}
		})
	}
}

func (r *request) tickDelivery() {
	r.t.Helper()
	for range 2 {
		if err := errors.Join(
			r.RemindDelivery(r.t.Context(), worker("remind-delivery"), r.code),
			r.RevokeUndelivered(r.t.Context(), worker("revoke-undelivered"), r.code),
		); err != nil {
			r.t.Fatal(err)
		}
	}
	r.settle()
}

// TestWhatIsOnItsWayIsItsTokensAffair: the token's own terms end that.
func TestWhatIsOnItsWayIsItsTokensAffair(t *testing.T) {
	for _, status := range []enrollment.Status{enrollment.StatusAtCA, enrollment.StatusReadyForDelivery, enrollment.StatusDelivered} {
		r := open(t).draft(applicant).upTo(status)
		r.clock.pass(365 * day)
		r.tickDelivery()
		if s := r.now().Status; s != status || len(r.stream(notification.Kind.Stream("delivery-"+r.code))) != 0 {
			t.Errorf("%s became %s, or somebody was reminded", status, s)
		}
	}
}

// TestNobodyIsRemindedToFetchWhatHeHas: it was delivered before the message went
// out.
func TestNobodyIsRemindedToFetchWhatHeHas(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusIssued)
	r.clock.pass(31 * day)
	r.tickDelivery()
	r.upTo(enrollment.StatusDelivered)
	m := &post{}
	if err := r.SendNotification(t.Context(), worker("post"), m, "delivery-"+r.code); err != nil || len(m.sent) != 0 {
		t.Errorf("%d messages, %v", len(m.sent), err)
	}
}

func TestWhatIsAcceptedStays(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusDelivered)
	r.clock.pass(30 * day)
	r.did(r.AcceptCertificate(t.Context(), r.by(applicant), r.code))
	r.clock.pass(day)
	if err := r.RevokeUnaccepted(t.Context(), worker("revoke-unaccepted"), r.code); err != nil || r.certificate().Status != certificate.Valid {
		t.Errorf("%v, %s", err, r.certificate().Status)
	}
}
