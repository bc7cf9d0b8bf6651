package commands_test

import (
	"fmt"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/inquiry"
	"govahi/domain/revocation"
)

// reinquired lets the workers come at a moment after the issue.
func (r *request) reinquired(after time.Duration) []inquiry.Inquiry {
	r.t.Helper()
	r.clock.now = r.certificate().Issued.At.Add(after)
	for range 2 {
		if err := r.Reinquire(r.t.Context(), worker("reinquire"), r.now().Serial); err != nil {
			r.t.Fatal(err)
		}
		r.settle()
	}
	var all []inquiry.Inquiry
	for n := 1; ; n++ {
		id := fmt.Sprintf("%s-again-%d", r.code, n)
		if len(r.stream(inquiry.Kind.Stream(id))) == 0 {
			return all
		}
		if err := r.AskRegistry(r.t.Context(), worker("inquire"), id); err != nil {
			r.t.Fatal(err)
		}
		r.settle()
		all = append(all, state(r.house, inquiry.Kind, inquiry.Kind.Stream(id)))
	}
}

func TestTheHolderIsAskedAboutAgainInTime(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	for _, c := range []struct {
		after time.Duration
		want  int
	}{
		{180*day - time.Second, 0},
		{180 * day, 1},
		{359 * day, 1},
		{360 * day, 2},
		{600 * day, 3}, // the house was down: once
		{601 * day, 3},
	} {
		if r.certificate().Issued.At.Add(c.after).After(r.certificate().Issued.NotAfter) {
			break
		}
		all := r.reinquired(c.after)
		if len(all) != c.want {
			t.Fatalf("after %s %d inquiries, want %d", c.after, len(all), c.want)
		}
		for _, q := range all {
			if q.Status != inquiry.StatusAnswered || q.Request.Purpose != inquiry.ForReinquiry || q.Request.LegalBasis == "" || q.Request.By == "" || q.Request.Subject != subject(applicant) {
				t.Errorf("recorded %+v", q)
			}
		}
	}
	if len(r.cases()) != 0 || r.now().Identity.Inquiry != r.code+"-1" {
		t.Error("an answer that matches led to something")
	}
}

// TestOnlyAnAnswerIsADoubt (invariants 10, 11): what is unavailable, deferred or
// inconclusive never counts, however long.
func TestOnlyAnAnswerIsADoubt(t *testing.T) {
	for name, c := range map[string]struct {
		answer *commands.RegistryAnswer
		err    error
		source revocation.Source
	}{
		"matched":      {&commands.RegistryAnswer{Matched: true, TrackingCode: "R"}, nil, ""},
		"mismatch":     {&commands.RegistryAnswer{Differs: []string{"surname"}, TrackingCode: "R"}, nil, revocation.Mismatched},
		"no record":    {&commands.RegistryAnswer{Finding: inquiry.NoRecord, TrackingCode: "R"}, nil, revocation.Mismatched},
		"cancelled":    {&commands.RegistryAnswer{Finding: inquiry.Cancelled, TrackingCode: "R"}, nil, revocation.Cancelled},
		"dead":         {&commands.RegistryAnswer{Finding: inquiry.Dead, TrackingCode: "R"}, nil, revocation.Died},
		"without code": {&commands.RegistryAnswer{Finding: inquiry.Dead}, nil, ""},
		"inconclusive": {&commands.RegistryAnswer{Inconclusive: "result.rec.review"}, nil, ""},
		"holiday":      {&commands.RegistryAnswer{Deferred: inquiry.Holiday}, nil, ""},
		"quota":        {&commands.RegistryAnswer{Deferred: inquiry.Quota}, nil, ""},
		"down":         {nil, errCut, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
			r.registry.answer, r.registry.err = c.answer, c.err
			for extra := range 3 {
				r.reinquired(180*day + time.Duration(extra)*day)
			}
			opened := r.cases()
			if (c.source != "") != (len(opened) == 1) || len(r.all("revocation.evidence-added.v1")) != 0 {
				t.Fatalf("%d cases", len(opened))
			}
			if c.source == "" {
				return
			}
			review, err := r.ReviewCase(t.Context(), opened[0].Stream.ID())
			if got := review.Evidence[0]; err != nil || got.Source != c.source || got.Cites.Inquiry != r.code+"-again-1" || got.Cites.TrackingCode != "R" {
				t.Errorf("evidence %+v, %v", got, err)
			}
			r.did(r.EstablishInaccuracy(t.Context(), r.by(operator), opened[0].Stream.ID(), "چنین است", ""))
			r.settle()
			if r.certificate().Status != certificate.Withdrawn {
				t.Error("established and not revoked")
			}
			asked := len(r.registry.asked)
			if r.reinquired(360 * day); len(r.registry.asked) != asked {
				t.Error("asked about a revoked certificate")
			}
		})
	}
}

// TestADeferredInquiryIsAskedWhenTheRegistryOpens.
func TestADeferredInquiryIsAskedWhenTheRegistryOpens(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	opens := r.certificate().Issued.At.Add(180*day + 40*time.Hour)
	r.registry.answer = &commands.RegistryAnswer{Deferred: inquiry.Holiday, RetryAt: opens}
	q := r.reinquired(180 * day)
	if len(q) != 1 || q[0].Status != inquiry.Due || !q[0].DueAt.Equal(opens) {
		t.Fatalf("%+v", q)
	}
	asked := len(r.registry.asked)
	if r.reinquired(181 * day); len(r.registry.asked) != asked {
		t.Error("asked while it is closed")
	}
	r.registry.answer = nil
	if q = r.reinquired(180*day + 40*time.Hour); len(q) != 1 || q[0].Status != inquiry.StatusAnswered {
		t.Errorf("%+v", q)
	}
}

// TestWhatIsRevokedMeanwhileIsNotAskedAbout: the purpose is gone.
func TestWhatIsRevokedMeanwhileIsNotAskedAbout(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	r.registry.err = errCut
	r.reinquired(180 * day)
	r.did(r.RevokeCertificate(t.Context(), r.by(applicant), r.now().Serial, certificate.KeyCompromise))
	r.registry.err = nil
	r.clock.pass(day)
	asked := len(r.registry.asked)
	if err := r.AskRegistry(t.Context(), worker("inquire"), r.code+"-again-1"); err != nil {
		t.Fatal(err)
	}
	q := state(r.house, inquiry.Kind, inquiry.Kind.Stream(r.code+"-again-1"))
	if len(r.registry.asked) != asked || q.Status != inquiry.StatusInconclusive {
		t.Errorf("the inquiry is %s", q.Status)
	}
}
