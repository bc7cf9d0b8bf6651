package commands_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/profile"
)

// inUse is a certificate in use in CPMIS.
func inUse(t *testing.T) *request {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	r.did(r.define(r.by(research), "nemune"))
	r.settle()
	return r
}

// TestASuspendedCertificateOpensNothing: CPMIS is closed for as long as the
// certificate is on hold, and open again afterwards.
func TestASuspendedCertificateOpensNothing(t *testing.T) {
	r := inUse(t)
	for range 2 {
		r.suspend()
		r.settle()
		if c := r.certificate(); c.Status != certificate.OnHold || !c.Hold.Until.Equal(r.clock.now.Add(7*24*time.Hour)) {
			t.Errorf("the certificate is %s until %s", c.Status, c.Hold.Until)
		}
		if r.access("nemune").Active {
			t.Error("a suspended certificate opens CPMIS")
		}
		if f, ok := fault.Of(definedAs(r, "other")); !ok || f.Code != "certificate-suspended" || !told(f, certificate.Kind.Life["suspended"]) {
			t.Errorf("a user for a suspended certificate: %v", f)
		}
		r.did(r.LiftSuspension(t.Context(), r.by(applicant), r.now().Serial))
		r.settle()
		if !r.access("nemune").Active || r.certificate().Status != certificate.Valid {
			t.Error("what was lifted does not open CPMIS")
		}
	}
}

func definedAs(r *request, name string) error {
	_, err := r.define(r.by(research), name)
	return err
}

// TestALiftedSuspensionIsNotFollowedLate: a policy that was held up while the
// suspension was lifted closes nothing.
func TestALiftedSuspensionIsNotFollowedLate(t *testing.T) {
	r := inUse(t)
	r.suspend()
	r.did(r.LiftSuspension(t.Context(), r.by(applicant), r.now().Serial))
	r.settle()
	if !r.access("nemune").Active {
		t.Error("CPMIS stays closed")
	}
	r.suspend()
	r.log.during(func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
		if s.Category() == "access" { // between its look and its append the suspension is lifted
			r.log.set(nil)
			r.did(r.LiftSuspension(t.Context(), r.by(operator), r.now().Serial))
			return event.Receipt{}, event.ErrWrongExpectedRevision
		}
		return r.log.Log.Append(ctx, s, e, events...)
	}, r.settle)
	r.settle()
	if !r.access("nemune").Active {
		t.Error("CPMIS is closed though the certificate is valid")
	}
}

func TestHowLongACertificateIsSuspended(t *testing.T) {
	r := inUse(t)
	for _, days := range []int{-1, 31, 1 << 40} {
		r.refused(wantCode("suspension-too-long"), func() error {
			_, err := r.SuspendCertificate(t.Context(), r.by(applicant), r.now().Serial, days)
			return asCode(err)
		})
	}
	r.did(r.SuspendCertificate(t.Context(), r.by(applicant), r.now().Serial, 0))
	if until := r.certificate().Hold.Until; !until.Equal(r.clock.now.Add(30 * 24 * time.Hour)) {
		t.Errorf("without days it is until %s", until)
	}
}

// TestTheProfileSaysWhetherAndHowLongItIsSuspended, within the terms; the terms
// alone count for one that no file tells of any more.
func TestTheProfileSaysWhetherAndHowLongItIsSuspended(t *testing.T) {
	const notAllowed, tooLong = "suspension-not-allowed", "suspension-too-long"
	for name, c := range map[string]struct {
		set   profile.Set
		terms int
		most  int // days
		more  string
	}{
		"none":                 {setWith(t, "cpmis-signature@2", func(p *profile.Profile) { p.Suspension = profile.Suspension{} }), 30, 0, notAllowed},
		"less than the terms":  {setWith(t, "cpmis-signature@2", func(p *profile.Profile) { p.Suspension.Days = 5 }), 30, 5, tooLong},
		"more than the terms":  {setWith(t, "cpmis-signature@2", func(p *profile.Profile) { p.Suspension.Days = 60 }), 30, 30, tooLong},
		"the file is not here": {profile.Set{}, 10, 10, tooLong},
	} {
		t.Run(name, func(t *testing.T) {
			r := inUse(t)
			r.Authority, r.Terms.SuspensionDays = otherwise{r.Authority, c.set}, c.terms
			suspend := func(days int) error {
				_, err := r.SuspendCertificate(t.Context(), r.by(applicant), r.now().Serial, days)
				return err
			}
			r.refused(wantCode(c.more), func() error { return asCode(suspend(c.most + 1)) })
			if c.most == 0 {
				r.refused(wantCode(c.more), func() error { return asCode(suspend(0)) })
				return
			}
			if err := suspend(0); err != nil {
				t.Fatal(err)
			}
			if until := r.certificate().Hold.Until; !until.Equal(r.clock.now.Add(time.Duration(c.most) * day)) {
				t.Errorf("without days it is until %s", until)
			}
		})
	}
}

// TestASecondHoldIsNotDropped: for as many days it is done already, for others it
// is refused, and an operator who names none takes it over.
func TestASecondHoldIsNotDropped(t *testing.T) {
	r := inUse(t)
	ask := func(person string, days int) error {
		_, err := r.SuspendCertificate(t.Context(), r.by(person), r.now().Serial, days)
		return err
	}
	if err := errors.Join(ask(applicant, 1), ask(applicant, 1), ask(officer, 1)); err != nil {
		t.Fatal(err)
	}
	for _, person := range []string{applicant, officer, operator} {
		r.refused(wantCode("certificate-held-already"), func() error { return asCode(ask(person, 30)) })
	}
	until := r.certificate().Hold.Until
	if err := ask(operator, 0); err != nil || !r.certificate().Hold.Until.Equal(until) || r.certificate().Hold.By != string(subject(operator)) {
		t.Errorf("taken over: %v; held until %s by %s", err, r.certificate().Hold.Until, r.certificate().Hold.By)
	}
}

// TestTheCAsSuspensionIsNotTheHoldersToLift, and an officer's is not either.
func TestTheCAsSuspensionIsNotTheHoldersToLift(t *testing.T) {
	for _, person := range []string{operator, officer} {
		r := inUse(t)
		r.did(r.SuspendCertificate(t.Context(), r.by(person), r.now().Serial, 7))
		for _, other := range []string{applicant, second} {
			r.refused(certificate.ErrNotYourSuspension, func() error {
				_, err := r.LiftSuspension(t.Context(), r.by(other), r.now().Serial)
				return err
			})
		}
		r.did(r.LiftSuspension(t.Context(), r.by(person), r.now().Serial))
	}
}

func TestWhatNobodyLiftsIsRevoked(t *testing.T) {
	r := inUse(t)
	r.suspend()
	end := func() {
		t.Helper()
		if err := r.EndSuspension(t.Context(), commands.Caller{Policy: "lapse-suspension"}, r.now().Serial); err != nil {
			t.Fatal(err)
		}
		r.settle()
	}
	r.clock.pass(7*24*time.Hour - time.Second)
	end()
	if s := r.certificate().Status; s != certificate.OnHold {
		t.Fatalf("before its time it is %s", s)
	}
	r.clock.pass(time.Second)
	end()
	end()
	if c := r.certificate(); c.Status != certificate.Withdrawn || c.Reason != certificate.CessationOfOperation || r.now().Status != enrollment.StatusRevoked {
		t.Errorf("it is %s for %s, the request %s", c.Status, c.Reason, r.now().Status)
	}
	if got := strings.Count(r.names(certificate.Kind.Stream(r.certificate().Intent.Serial)), "revoked"); got != 1 {
		t.Errorf("revoked %d times", got)
	}
}

// wantCode and asCode compare refusals that are made with numbers in them.
type wantCode string

func (c wantCode) Error() string { return string(c) }

func asCode(err error) error {
	if f, ok := fault.Of(err); ok {
		return wantCode(f.Code)
	}
	return errors.Join(err)
}
