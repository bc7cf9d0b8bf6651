package commands_test

import (
	"testing"

	"govahi/commands"
	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/revocation"
)

// active is a request whose applicant holds his token and his CPMIS name.
func active(t *testing.T) *request {
	t.Helper()
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	r.did(r.define(r.by(research), "nemune"))
	r.settle()
	return r
}

func (h *house) access(name string) access.Access {
	return state(h, access.Kind, access.Kind.Stream(name))
}

// order lists the stored names of events after a position.
func (h *house) order(after event.Position) []string {
	var names []string
	for _, r := range h.after(after) {
		names = append(names, r.Type)
	}
	return names
}

// TestWhoLosesANameTakesAnother: of two who want one user name, he who comes too
// late is bound to nothing by it.
func TestWhoLosesANameTakesAnother(t *testing.T) {
	h := open(t)
	one := h.draft(applicant).upTo(enrollment.StatusDelivered)
	other := h.draft(neighbour).upTo(enrollment.StatusDelivered)
	put(h, access.Binding, access.Binding.Stream(other.now().Serial), access.Bound{UserName: "nemune", At: noon}) // and was cut off there
	if _, err := one.define(h.by(research), "nemune"); err != nil {
		t.Fatal(err)
	}
	h.refused(access.ErrTaken, func() error { _, err := other.define(h.by(research), "nemune"); return err })
	if _, err := other.define(h.by(research), "nemune2"); err != nil {
		t.Fatal(err)
	}
	if bound := state(h, access.Binding, access.Binding.Stream(other.now().Serial)); bound.UserName != "nemune2" {
		t.Errorf("the certificate is bound to %q", bound.UserName)
	}
	h.refused(access.ErrBound, func() error { _, err := other.define(h.by(research), "nemune3"); return err })
}

func TestFalsityRevokesSuspendsAndNotifies(t *testing.T) {
	r := active(t)
	r.report()
	from := r.head()
	r.did(r.EstablishInaccuracy(t.Context(), r.by(operator), r.number(), "نادرست است", ""))
	r.settle()
	c := r.certificate()
	if c.Status != certificate.Withdrawn || c.Reason != certificate.PrivilegeWithdrawn {
		t.Errorf("the certificate is %s for %s", c.Status, c.Reason)
	}
	if r.access("nemune").Active {
		t.Error("the access is active")
	}
	if got := r.now().Status; got != enrollment.StatusRevoked {
		t.Errorf("the request is %s", got)
	}
	at := map[string]int{}
	for i, name := range r.order(from) {
		if _, twice := at[name]; twice {
			t.Errorf("%s happened twice", name)
		}
		at[name] = i + 1
	}
	for _, follows := range []string{"access.suspended.v1", "enrollment.revoked.v1", "notification.requested.v1"} {
		if at[follows] < at["certificate.revoked.v2"] || at["certificate.revoked.v2"] < at["revocation.inaccuracy-established.v2"] ||
			at["certificate.revoked.v2"] == 0 {
			t.Errorf("the order was %v", at)
		}
	}
	revoked := r.all("certificate.revoked.v2")[0]
	m, err := revoked.DecodeMeta()
	if err != nil || m.Actor != "policy:revoke-on-inaccuracy-established" || m.Causation == "" {
		t.Errorf("the revocation's origin is %+v, %v", m, err)
	}
}

func TestAnEstablishedCaseStaysEstablished(t *testing.T) {
	r := active(t)
	r.report()
	r.did(r.EstablishInaccuracy(t.Context(), r.by(operator), r.number(), "نادرست است", ""))
	r.refused(revocation.ErrClosed, func() error {
		_, err := r.RefuteInaccuracy(t.Context(), r.by(operator), r.number(), "درست است")
		return err
	})
}

func TestARefutedCaseRevokesNothing(t *testing.T) {
	r := active(t)
	r.report()
	r.did(r.RefuteInaccuracy(t.Context(), r.by(operator), r.number(), "درست است"))
	r.settle()
	if c := r.certificate(); c.Status != certificate.Valid || !r.access("nemune").Active {
		t.Errorf("the certificate is %s", c.Status)
	}
}

func TestAReporterDoesNotDecideHisReport(t *testing.T) {
	r := active(t)
	r.did(r.ReportInaccuracy(t.Context(), r.by(operator), r.now().Serial, "درست نیست"))
	r.refused(revocation.ErrOwnReport, func() error {
		_, err := r.EstablishInaccuracy(t.Context(), r.by(operator), r.number(), "نادرست است", "")
		return err
	})
}

func TestFalsityOfWhatWasRevokedBeforeChangesNothing(t *testing.T) {
	r := active(t)
	r.report()
	r.did(r.RevokeCertificate(t.Context(), r.by(applicant), r.now().Serial, certificate.CessationOfOperation))
	r.did(r.EstablishInaccuracy(t.Context(), r.by(operator), r.number(), "نادرست است", ""))
	r.settle()
	if c := r.certificate(); c.Reason != certificate.CessationOfOperation || len(r.all("certificate.revoked.v2")) != 1 {
		t.Errorf("the reason is %s", c.Reason)
	}
}

func TestAReportIsAboutAnIssuedCertificate(t *testing.T) {
	h := open(t)
	h.refused(certificate.ErrNotIssued, func() error {
		_, err := h.ReportInaccuracy(t.Context(), h.by(stranger), "67ab", "درست نیست")
		return err
	})
	r := h.draft(applicant).upTo(enrollment.StatusIssued)
	if _, err := h.ReportInaccuracy(t.Context(), h.by(stranger), r.now().Serial, " \u200c"); err == nil {
		t.Error("an empty statement was taken")
	}
	h.did(h.ReportInaccuracy(t.Context(), h.by(stranger), colons(r.now().Serial), "درست نیست"))
}

func TestAHolderRevokesHisOwnFree(t *testing.T) {
	r := active(t)
	if _, err := r.RevokeCertificate(t.Context(), r.by(applicant), r.now().Serial, "whim"); err == nil {
		t.Error("an unknown reason was taken")
	}
	r.did(r.RevokeCertificate(t.Context(), r.by(applicant), colons(r.now().Serial), certificate.KeyCompromise))
	r.settle()
	if r.access("nemune").Active || r.certificate().Reason != certificate.KeyCompromise {
		t.Error("nothing followed")
	}
	for _, serial := range []string{"nonsense", "", "67ab"} {
		r.refused(certificate.ErrNotIssued, func() error {
			_, err := r.RevokeCertificate(t.Context(), r.by(operator), serial, certificate.Superseded)
			return err
		})
	}
}

func TestAnAccessWaitsForTheDelivery(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusReadyForDelivery)
	r.refused(access.ErrNotDelivered, func() error { _, err := r.define(r.by(research), "nemune"); return err })
	r.upTo(enrollment.StatusDelivered)
	r.did(r.define(r.by(research), "nemune"))
	if a := r.access("nemune"); !a.Active || a.User.Certificate != r.now().Serial || a.User.Person != subject(applicant) {
		t.Errorf("defined %+v", a)
	}
}

func TestAnAccessIsBoundToOneCertificate(t *testing.T) {
	r := active(t)
	r.refused(access.ErrBound, func() error { _, err := r.define(r.by(research), "another"); return err })
	other := r.house.draft(neighbour).upTo(enrollment.StatusDelivered)
	r.refused(access.ErrTaken, func() error { _, err := other.define(r.by(research), "nemune"); return err })
	if _, err := other.define(r.by(research), "Nemune 2"); err == nil {
		t.Error("a name with capitals and a space was taken")
	}
	r.did(other.define(r.by(research), "nemune.2"))
}

// TestAUserNameIsNotLostWithItsCertificate: once that is over, the same person
// has it again with a new one, and nobody else.
func TestAUserNameIsNotLostWithItsCertificate(t *testing.T) {
	for name, end := range map[string]func(r *request){
		"expired": func(r *request) { r.clock.now = r.certificate().Issued.NotAfter },
		"revoked": func(r *request) { // and no policy has seen it
			r.did(r.RevokeCertificate(t.Context(), r.by(applicant), r.now().Serial, certificate.Superseded))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := active(t).nearTheEnd()
			next, other := r.house.draft(applicant).upTo(enrollment.StatusDelivered), r.house.draft(neighbour).upTo(enrollment.StatusDelivered)
			r.refused(access.ErrTaken, func() error { return definedAs(next, "nemune") })
			end(r)
			r.refused(access.ErrTaken, func() error { return definedAs(other, "nemune") })
			r.did(next.define(r.by(research), "nemune"))
			r.settle()
			if a := r.access("nemune"); !a.Active || a.User.Certificate != next.now().Serial {
				t.Errorf("defined anew: %+v", a)
			}
		})
	}
}

func TestARevokedCertificateGivesNoAccess(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusDelivered)
	r.did(r.RevokeCertificate(t.Context(), r.by(applicant), r.now().Serial, certificate.KeyCompromise))
	_, err := r.define(r.by(research), "nemune")
	if err == nil || r.access("nemune").Active {
		t.Errorf("got %v", err)
	}
}

// TestARevocationWhileTheAccessIsDefinedSuspendsIt: the first policy came too
// early, the second sees it.
func TestARevocationWhileTheAccessIsDefinedSuspendsIt(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusDelivered)
	serial := r.now().Serial
	r.log.during(r.interposed("binding", func() {
		r.did(r.RevokeCertificate(t.Context(), r.by(applicant), serial, certificate.KeyCompromise))
		r.settle()
	}), func() { r.did(r.define(r.by(research), "nemune")) })
	r.settle()
	if a := r.access("nemune"); a.Active || a.User.UserName == "" {
		t.Errorf("the access is %+v", a)
	}
}

func TestASuspendedUserGetsAnotherCertificate(t *testing.T) {
	r := active(t)
	first := r.now().Serial
	r.did(r.RevokeCertificate(t.Context(), r.by(applicant), first, certificate.Superseded))
	r.settle()
	next := r.house.draft(applicant).upTo(enrollment.StatusDelivered)
	r.did(next.define(r.by(research), "nemune"))
	before := r.head()
	if err := r.SuspendAccess(t.Context(), commands.Caller{Policy: "suspend", Key: "again"}, first); err != nil || r.head() != before {
		t.Errorf("the old certificate's end ended the new one's access: %v", err)
	}
	if !r.access("nemune").Active {
		t.Error("the user is not active")
	}
}
