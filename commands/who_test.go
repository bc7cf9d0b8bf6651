package commands_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
)

// TestARefusalTellsWhoseBusinessItIs: whoever sees a thing and may not do this
// with it is told who may, and one reason has one code.
func TestARefusalTellsWhoseBusinessItIs(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusIssued)
	r.report()
	ctx := t.Context()
	for name, c := range map[string]struct {
		by   []string
		ask  func(commands.Caller) (commands.Receipt, error)
		want *fault.Fault
		word string
	}{
		"the applicant's": {[]string{officer, second, auditor, manager, operator}, func(c commands.Caller) (commands.Receipt, error) {
			return r.AcceptCertificate(ctx, c, r.code)
		}, enrollment.ErrNotYours, "applicant himself"},
		"the office's": {[]string{applicant, auditor, manager, operator}, func(c commands.Caller) (commands.Receipt, error) {
			return r.PrintSheet(ctx, c, r.code)
		}, commands.ErrNotOfOffice, "officer of the registration office"},
		"the holder's": {[]string{officer, auditor, manager}, func(c commands.Caller) (commands.Receipt, error) {
			return r.RevokeCertificate(ctx, c, r.now().Serial, certificate.Superseded)
		}, commands.ErrNotHolder, "holder"},
		"the CA's to find": {[]string{applicant}, func(c commands.Caller) (commands.Receipt, error) {
			return r.RevokeCertificate(ctx, c, r.now().Serial, certificate.PrivilegeWithdrawn)
		}, commands.ErrFalsity, "CA alone"},
		"the CA's to decide": {[]string{stranger, auditor, manager}, func(c commands.Caller) (commands.Receipt, error) {
			return r.RefuteInaccuracy(ctx, c, r.number(), "درست است")
		}, commands.ErrNotDecider, "CA's operators"},
		"the unit's": {[]string{applicant, officer, stranger}, func(c commands.Caller) (commands.Receipt, error) {
			return r.define(c, "nemune")
		}, commands.ErrForbidden, "an officer of that research unit"},
		"the administrator's": {[]string{manager, stranger}, func(c commands.Caller) (commands.Receipt, error) {
			return r.Dismiss(ctx, c, commands.Dismiss{PersonCode: officer, Role: appointment.RegistrationOfficer, Place: "office-1"})
		}, commands.ErrForbidden, "an administrator"},
	} {
		for _, person := range c.by {
			r.refused(c.want, func() error {
				_, err := c.ask(r.by(person))
				if f, ok := fault.Of(err); ok && !strings.Contains(f.Text.En, c.word) {
					t.Errorf("%s, %s: %q", name, subject(person), f.Text.En)
				}
				return err
			})
		}
	}
}

// TestARequestOfTheCounterIsItsOffices: what an officer opened for a visitor is
// seen and carried on by his office alone, and by the visitor.
func TestARequestOfTheCounterIsItsOffices(t *testing.T) {
	h := open(t)
	opened := h.did(h.OpenRequest(t.Context(), h.by(officer), commands.OpenRequest{
		Channel: enrollment.Outside, CertificateType: "cpmis-signature", Office: "office-1",
	}))
	r := &request{house: h, code: opened.Stream.ID(), of: applicant}
	complete := func(person, of string) error {
		_, err := r.CompleteForm(t.Context(), r.by(person), r.code, formOf(of))
		return err
	}
	for _, person := range []string{elsewhere, stranger, applicant, dismissed, expired, research, admin} {
		r.refused(enrollment.ErrNotFound, func() error { return complete(person, applicant) })
	}
	r.refused(enrollment.ErrNotYours, func() error { return complete(auditor, auditor) })
	r.refused(enrollment.ErrOwnRequest, func() error { return complete(officer, officer) })
	r.refused(commands.ErrNotSubmitted, func() error {
		_, err := r.RejectRequest(t.Context(), r.by(second), r.code, enrollment.NotEntitled)
		return err
	})
	r.refused(commands.ErrNotOfOffice, func() error {
		_, err := r.RejectRequest(t.Context(), r.by(auditor), r.code, enrollment.NotEntitled)
		return err
	})
	if err := complete(second, applicant); err != nil {
		t.Fatal(err)
	}
	if err := complete(applicant, applicant); err != nil {
		t.Errorf("the visitor at home: %v", err)
	}
	r.refused(enrollment.ErrNotFound, func() error { return complete(elsewhere, applicant) })
}

// TestAnOfficerActsForTheOfficeThatHasTheRequest: by posts at two offices he
// acts for the one that the request is with, and the act cites that one.
func TestAnOfficerActsForTheOfficeThatHasTheRequest(t *testing.T) {
	h := open(t)
	h.appoint(officer, appointment.RegistrationOfficer, "office-2", noon.AddDate(1, 0, 0))
	r := h.draft(applicant).upTo(enrollment.StatusReady)
	r.did(r.SubmitRequest(t.Context(), r.by(applicant), r.code, "office-2"))
	r.refused(enrollment.ErrNotFound, func() error {
		_, err := r.VerifyDocuments(t.Context(), r.by(second), r.code, originals)
		return err
	})
	receipt := r.did(r.VerifyDocuments(t.Context(), r.by(officer), r.code, originals))
	m, err := r.stream(receipt.Stream)[receipt.Revision].DecodeMeta()
	if want := fmt.Sprintf("appointment-%s@1 registration-officer office-2", subject(officer)); err != nil || m.Authority != want {
		t.Errorf("the act cites %q, want %q, %v", m.Authority, want, err)
	}
	h.did(h.Dismiss(t.Context(), h.by(admin), commands.Dismiss{PersonCode: officer, Role: appointment.RegistrationOfficer, Place: "office-2"}))
	r.refused(enrollment.ErrNotFound, func() error {
		_, err := r.RequireControl(t.Context(), r.by(officer), r.code, enrollment.ControlTelephone)
		return err
	})
	if _, err := r.ReceiveToken(t.Context(), r.by(officer), commands.ReceiveToken{Serial: "TOKEN9", Model: "SoftHSM", Office: "office-1"}); err != nil {
		t.Errorf("at his other office: %v", err)
	}
}

func TestNobodyDecidesAboutHisOwnCertificate(t *testing.T) {
	r := open(t).draft(operator).upTo(enrollment.StatusIssued)
	r.report()
	r.refused(commands.ErrOwnCertificate, func() error {
		_, err := r.RefuteInaccuracy(t.Context(), r.by(operator), r.number(), "درست است")
		return err
	})
}

// TestAResearchOfficerKnowsARequestByItsSheet: without the fingerprint on it, a
// request that is there is answered as one that is not.
func TestAResearchOfficerKnowsARequestByItsSheet(t *testing.T) {
	h := open(t)
	r := h.draft(applicant).upTo(enrollment.StatusConfirmed)
	ask := func(code, fingerprint string) error {
		_, err := h.DefineAccess(t.Context(), h.by(research), commands.DefineAccess{
			TrackingCode: code, UserName: "nemune", Level: "viewer", Fingerprint: fingerprint, Unit: "unit-rt",
		})
		return err
	}
	unknown := ask("051234567890", "ab")
	if f, ok := fault.Of(unknown); !ok || f.Kind != fault.NotFound {
		t.Fatalf("got %v", unknown)
	}
	r.refused(unknown, func() error { return ask(r.code, "") })
	r.refused(unknown, func() error { return ask(r.code, "ab") })
	r.upTo(enrollment.StatusDelivered)
	r.refused(unknown, func() error { return ask(r.code, "") })
	r.refused(unknown, func() error { return ask(r.code, strings.Repeat("ab", 32)) })
	own := h.draft(research).upTo(enrollment.StatusDelivered)
	own.refused(enrollment.ErrOwnRequest, func() error { return ask(own.code, own.now().Fingerprint) })
}

// reading counts what is read of the log.
type reading struct {
	event.Log
	streams []string
}

func (l *reading) Read(ctx context.Context, s event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	l.streams = append(l.streams, s.Category())
	return l.Log.Read(ctx, s, from)
}

// TestTheTimeDoesNotTellWhatExists: for a stranger the same streams are read
// whether a thing is not there or not his.
func TestTheTimeDoesNotTellWhatExists(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusIssued)
	r.report()
	none := &request{house: r.house, code: "051234567890", of: applicant}
	for name, ask := range map[string]func(*request) error{
		"desk":  func(r *request) error { _, err := r.PrintSheet(t.Context(), r.by(elsewhere), r.code); return err },
		"party": func(r *request) error { _, err := r.Withdraw(t.Context(), r.by(elsewhere), r.code); return err },
		"certificate": func(r *request) error {
			_, err := r.RevokeCertificate(t.Context(), r.by(elsewhere), r.now().Serial, certificate.Superseded)
			return err
		},
		"case": func(r *request) error {
			number := "051234567890"
			if r != none {
				number = r.number()
			}
			_, err := r.RefuteInaccuracy(t.Context(), r.by(elsewhere), number, "درست است")
			return err
		},
	} {
		var answers [2]error
		var read [2][]string
		for i, of := range []*request{r, none} {
			l := &reading{Log: r.App.Log}
			r.App.Log = l
			answers[i] = ask(of)
			read[i], r.App.Log = l.streams, l.Log
		}
		if answers[0] == nil || answers[0] != answers[1] || !slices.Equal(read[0], read[1]) {
			t.Errorf("%s: %v after reading %v, and %v after %v", name, answers[0], read[0], answers[1], read[1])
		}
	}
}

func TestTheAdministratorStays(t *testing.T) {
	h := open(t)
	self := commands.Dismiss{PersonCode: admin, Role: appointment.Administrator}
	dismissal := fault.New(fault.Conflict, "self-dismissal", "", "")
	h.refused(dismissal, func() error { _, err := h.Dismiss(t.Context(), h.by(admin), self); return err })
	shorten := commands.Appoint{PersonCode: admin, Role: appointment.Administrator, Until: noon.Add(1)}
	h.refused(dismissal, func() error { _, err := h.Appoint(t.Context(), h.by(admin), shorten); return err })
	h.appoint(admin, appointment.Administrator, "", noon.AddDate(2, 0, 0))
	h.appoint(manager, appointment.Administrator, "", noon.AddDate(1, 0, 0))
	h.did(h.Dismiss(t.Context(), h.by(manager), self))
	h.refused(commands.ErrForbidden, func() error {
		_, err := h.Dismiss(t.Context(), h.by(admin), commands.Dismiss{PersonCode: manager, Role: appointment.Administrator})
		return err
	})
}

// TestAShortenedAppointmentEndsEarlier: and one that was dismissed or is over
// can be given again.
func TestAShortenedAppointmentEndsEarlier(t *testing.T) {
	h := open(t)
	receive := func(n int) error {
		_, err := h.ReceiveToken(t.Context(), h.by(officer), commands.ReceiveToken{Serial: fmt.Sprintf("TOKEN%d", n), Model: "SoftHSM", Office: "office-1"})
		return err
	}
	h.appoint(officer, appointment.RegistrationOfficer, "office-1", noon.AddDate(0, 0, 1))
	if err := receive(1); err != nil {
		t.Fatal(err)
	}
	h.clock.pass(24 * 3600e9)
	h.refused(commands.ErrForbidden, func() error { return receive(2) })
	h.appoint(officer, appointment.RegistrationOfficer, "office-1", noon.AddDate(0, 0, 2))
	if err := receive(3); err != nil {
		t.Error(err)
	}
}

// TestEveryActSaysByWhatRight: the right of an act comes from must, party, desk
// and their like, or is one of the few that need no appointment, and those few
// stand here. A new door without a right fails this, or panics.
func TestEveryActSaysByWhatRight(t *testing.T) {
	free := map[string]string{"Bootstrap": `"bootstrap"`, "ReportInaccuracy": "asIdentified", "ReportUnsigned": "asAnybody", "OpenRequest": "asApplicant", "OpenRenewal": "asApplicant", "SkipEvent": `"operator"`}
	acts := 0
	for _, f := range sources(t) {
		for _, d := range f.Decls {
			door, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			for _, right := range rights(door) {
				acts++
				if right != "authority" && right != `"policy"` && right != "asPolicy" && right != free[door.Name.Name] {
					t.Errorf("%s acts by %s", door.Name.Name, right)
				}
			}
		}
	}
	if acts < 40 {
		t.Errorf("%d acts were found", acts)
	}
}

// rights lists by what a function acts: what it hands to do, and what it calls
// its authority without having asked for it.
func rights(door *ast.FuncDecl) (all []string) {
	ast.Inspect(door, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if calls(n, "do") && len(n.Args) == 4 {
				all = append(all, written(n.Args[2]))
			}
		case *ast.AssignStmt:
			if written(n.Lhs[0]) == "authority" && len(n.Lhs) == len(n.Rhs) {
				all = append(all, written(n.Rhs[0]))
			}
		}
		return true
	})
	return all
}

func sources(t *testing.T) (all []*ast.File) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

func calls(c *ast.CallExpr, name string) bool {
	s, ok := c.Fun.(*ast.SelectorExpr)
	return ok && s.Sel.Name == name
}

func written(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.BasicLit:
		return e.Value
	}
	return "something else"
}

// TestADoorWithoutARightDoesNotOpen: deny is the default.
func TestADoorWithoutARightDoesNotOpen(t *testing.T) {
	h := open(t)
	before := h.head()
	defer func() {
		if recover() == nil || h.head() != before {
			t.Error("a person acted by a policy's right")
		}
	}()
	_ = h.ReleaseOpening(t.Context(), h.by(stranger), enrollment.Kind.Stream("051234567890"))
}

// TestAStrangerLearnsNothingInAnyState: whatever has become of a request, who
// may not see it gets the answer that he would get if it were not there.
func TestAStrangerLearnsNothingInAnyState(t *testing.T) {
	h := open(t)
	none := &request{house: h, code: "051234567890", of: applicant, token: "TOKEN1", csr: newCSR(t)}
	r := h.draft(applicant)
	r.csr = newCSR(t)
	for _, status := range []enrollment.Status{
		enrollment.StatusDraft, enrollment.StatusCompleted, enrollment.StatusReady, enrollment.StatusAtOffice, enrollment.StatusUnderControl,
		enrollment.StatusControlled, enrollment.StatusConfirmed, enrollment.StatusAtCA, enrollment.StatusIssued,
		enrollment.StatusReadyForDelivery, enrollment.StatusDelivered, enrollment.StatusAccepted,
	} {
		r.upTo(status)
		for _, d := range doors {
			if slices.Contains(unknowing, d.name) || d.name == "DefineAccess" {
				continue
			}
			for _, person := range []string{elsewhere, research, admin, stranger, dismissed, expired} {
				_, want := d.ask(none, t.Context(), h.by(person))
				h.refused(want, func() error { _, err := d.ask(r, t.Context(), h.by(person)); return err })
				if f, ok := fault.Of(want); !ok || f.Kind != fault.NotFound {
					t.Errorf("%s of nothing: %v", d.name, want)
				}
			}
		}
	}
}

// TestNoOfficerActsOnHisOwnRequest: at no desk of his own office.
func TestNoOfficerActsOnHisOwnRequest(t *testing.T) {
	tried := 0
	for _, d := range doors {
		if slices.Contains(unknowing, d.name) || d.may[0] != officer && d.may[0] != second {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			tried++
			r := open(t).draft(neighbour).upTo(d.at)
			if d.ready != nil {
				d.ready(r)
			}
			r.appoint(neighbour, appointment.RegistrationOfficer, "office-1", noon.AddDate(1, 0, 0))
			r.refused(enrollment.ErrOwnRequest, func() error { _, err := d.ask(r, t.Context(), r.by(neighbour)); return err })
		})
	}
	if tried < 12 {
		t.Errorf("%d desks were tried", tried)
	}
}
