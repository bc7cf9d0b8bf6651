package commands_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"govahi/commands"
	"govahi/domain/access"
	"govahi/domain/consignment"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
	"govahi/domain/idempotency"
	"govahi/domain/iran"
	"govahi/domain/token"
)

// chapters of channel B in the order of its story (S1.18–S1.24), each from the
// one before; the last ones are the end of a token that was lost on its way.
var chapters = []chapterInside{
	{"ready", "", nil},
	{"at-research-unit", "ready", func(r *request) { r.did(r.SubmitToUnit(r.t.Context(), r.by(r.of), r.code, "unit-b")) }},
	{"sighted", "at-research-unit", func(r *request) { r.did(r.VerifyDocuments(r.t.Context(), r.by(unitOfficer), r.code, originals)) }},
	{"approved", "sighted", func(r *request) { r.did(r.ApproveDossier(r.t.Context(), r.by(unitOfficer), r.code)) }},
	{"dispatched", "approved", func(r *request) { r.did(r.DispatchConsignment(r.t.Context(), r.by(unitOfficer), r.toAuthority())) }},
	{"discrepant", "dispatched", func(r *request) {
		r.did(r.ReceiveConsignment(r.t.Context(), r.by(carrier), r.bag(), commands.ReceiveConsignment{SealIntact: true}))
	}},
	{"at-authority", "dispatched", func(r *request) {
		r.did(r.ReceiveConsignment(r.t.Context(), r.by(carrier), r.bag(), r.counted()))
	}},
	{"ready-for-dispatch", "at-authority", func(r *request) {
		r.shipped("authority", "office-1", carrier, officer, r.code)
		r.did(r.VerifyDocuments(r.t.Context(), r.by(officer), r.code, commands.VerifyDocuments{Sighted: []enrollment.Document{enrollment.NationalCard}}))
		r.settle()
		r.upTo(enrollment.StatusReadyForDispatch)
	}},
	{"pin-issued", "ready-for-dispatch", func(r *request) { r.did(r.IssuePIN(r.t.Context(), r.by(officer), r.token, envelope)) }},
	{"in-transit", "pin-issued", func(r *request) { r.did(r.HandOverToken(r.t.Context(), r.by(officer), r.token, toOrigin)) }},
	{"at-origin", "in-transit", func(r *request) {
		r.did(r.TakeToken(r.t.Context(), r.by(carrier), r.token, commands.TakeToken{SealIntact: true}))
	}},
	{"back-at-unit", "at-origin", func(r *request) { r.leg("unit-b", carrier, unitOfficer) }},
	{"access-defined", "back-at-unit", func(r *request) {
		if err := r.defineInside(unitOfficer); err != nil {
			r.t.Fatal(err)
		}
	}},
	{"at-company-unit", "access-defined", func(r *request) { r.leg("company-unit", unitOfficer, companyOfficer) }},
	{"delivered", "at-company-unit", func(r *request) {
		r.did(r.DeliverToken(r.t.Context(), r.by(companyOfficer), r.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard}))
	}},
	{"pin-there", "delivered", func(r *request) { r.did(r.NotePIN(r.t.Context(), r.by(r.of), r.code)) }},
	{"activated", "pin-there", func(r *request) { r.did(r.ActivateToken(r.t.Context(), r.by(r.of), r.code, r.activation())) }},
	{"lost", "in-transit", func(r *request) { r.did(r.ReportTokenLost(r.t.Context(), r.by(officer), r.token)) }},
	{"returned", "lost", func(r *request) { r.did(r.ReturnToken(r.t.Context(), r.by(officer), r.token)) }},
}

var (
	envelope = commands.IssuePIN{Envelope: "E-1", Via: token.Post}
	toOrigin = commands.HandOverToken{To: "authority", Seal: "S-2"}
)

type chapterInside struct {
	name, from string
	then       func(*request)
}

// insideAt brings a request of channel B to a chapter.
func insideAt(t *testing.T, chapter string) *request {
	t.Helper()
	i := slices.IndexFunc(chapters, func(c chapterInside) bool { return c.name == chapter })
	if chapters[i].from == "" {
		return inside(t).readyInside(applicant)
	}
	r := insideAt(t, chapters[i].from)
	chapters[i].then(r)
	r.settle()
	return r
}

func (h *house) readyInside(person string) *request {
	h.t.Helper()
	ctx := h.t.Context()
	code := h.did(h.OpenRequest(ctx, h.by(person), commands.OpenRequest{Channel: enrollment.Inside, CertificateType: "cpmis-signature"})).Stream.ID()
	q := &request{house: h, code: code, of: person, token: "TOKEN" + code}
	h.did(h.CompleteForm(ctx, h.by(person), code, formOf(person)))
	h.settle()
	q.prove(q.now())
	return q
}

// bag is the first that the dossier went in.
func (r *request) bag() string {
	all := r.all("consignment.dispatched.v1")
	if len(all) == 0 {
		return "050000000018"
	}
	return all[0].Stream.ID()
}

func (r *request) counted() commands.ReceiveConsignment {
	return commands.ReceiveConsignment{Dossiers: []string{r.code}, SealIntact: true}
}

func (r *request) toAuthority() commands.DispatchConsignment {
	return commands.DispatchConsignment{From: "unit-b", To: "authority", Dossiers: []string{r.code}, Seal: "S-1"}
}

// doorInside is a door of channel B: the chapter at which it is due, who may then,
// who knows of the thing and is refused, and the chapters at which its people are
// let in, or it is done already.
type doorInside struct {
	name string
	at   string
	ask  func(*request, context.Context, commands.Caller) (commands.Receipt, error)
	may  []string
	sees []string
	in   []string
}

// chaptersFrom lists them from one to another.
func chaptersFrom(first, last string) (names []string) {
	for _, c := range chapters {
		names = append(names, c.name)
	}
	return slices.Clone(names[slices.Index(names, first) : slices.Index(names, last)+1])
}

var (
	overseeing = []string{manager, auditor, operator}
	ofRequest  = append([]string{applicant}, overseeing...)
	// who has a part in a request whose token was delivered
	ofDelivered = append([]string{officer, second, unitOfficer, carrier, companyOfficer}, overseeing...)
)

var doorsInside = []doorInside{
	{"SubmitToUnit", "ready", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.SubmitToUnit(ctx, c, r.code, "unit-b")
	}, party, overseeing, []string{"ready"}},
	{"VerifyDocuments, at the unit", "at-research-unit", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.VerifyDocuments(ctx, c, r.code, originals)
	}, []string{unitOfficer}, ofRequest, []string{"at-research-unit", "sighted"}},
	{"ApproveDossier", "sighted", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ApproveDossier(ctx, c, r.code)
	}, []string{unitOfficer}, ofRequest, []string{"sighted", "approved"}},
	{"ReturnDossier", "sighted", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ReturnDossier(ctx, c, r.code, []string{"post"})
	}, []string{unitOfficer}, ofRequest, []string{"at-research-unit", "sighted"}},
	{"DispatchConsignment", "approved", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.DispatchConsignment(ctx, c, r.toAuthority())
	}, []string{unitOfficer}, crowdInside, []string{"approved"}},
	{"ReceiveConsignment", "dispatched", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ReceiveConsignment(ctx, c, r.bag(), r.counted())
	}, []string{carrier}, append([]string{unitOfficer}, overseeing...), except(chaptersFrom("dispatched", "returned"), "discrepant")},
	{"ResolveDiscrepancy", "discrepant", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ResolveDiscrepancy(ctx, c, r.bag(), commands.ResolveDiscrepancy{Lost: []string{r.code}, Cause: consignment.LostOnTheWay})
	}, []string{carrier}, append([]string{unitOfficer}, overseeing...), []string{"discrepant"}},
	{"IssuePIN", "ready-for-dispatch", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.IssuePIN(ctx, c, r.token, envelope)
	}, officers, overseeing, chaptersFrom("ready-for-dispatch", "returned")},
	{"HandOverToken", "pin-issued", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.HandOverToken(ctx, c, r.token, toOrigin)
	}, officers, overseeing, []string{"pin-issued", "in-transit"}},
	{"TakeToken", "in-transit", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.TakeToken(ctx, c, r.token, commands.TakeToken{SealIntact: true})
	}, []string{carrier}, append([]string{officer, second}, overseeing...), []string{"in-transit", "at-origin", "lost"}},
	{"DefineAccess, before the delivery", "back-at-unit", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.DefineAccess(ctx, c, commands.DefineAccess{
			TrackingCode: r.code, UserName: "nemune.inside", Level: access.Viewer, Fingerprint: r.now().Fingerprint, Unit: "unit-b",
		})
	}, []string{unitOfficer}, crowdInside, chaptersFrom("back-at-unit", "activated")},
	{"DeliverToken, at the company's unit", "at-company-unit", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.DeliverToken(ctx, c, r.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard})
	}, []string{companyOfficer}, append([]string{applicant, officer, second, unitOfficer, carrier}, overseeing...), []string{"at-company-unit"}},
	{"NotePIN", "delivered", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.NotePIN(ctx, c, r.code)
	}, party, ofDelivered, chaptersFrom("pin-issued", "activated")},
	{"ActivateToken", "pin-there", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		var signature []byte
		if r.now().Serial != "" {
			signature = r.activation()
		}
		return r.ActivateToken(ctx, c, r.code, signature)
	}, party, ofDelivered, []string{"pin-there", "activated"}},
	{"ReportTokenLost", "delivered", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ReportTokenLost(ctx, c, r.token)
	}, []string{officer, second, applicant, operator}, []string{unitOfficer, carrier, companyOfficer, manager, auditor}, chaptersFrom("ready-for-dispatch", "lost")},
	{"ReportTokenDefective", "delivered", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ReportTokenDefective(ctx, c, r.token)
	}, []string{officer, second, applicant, operator}, []string{unitOfficer, carrier, companyOfficer, manager, auditor}, chaptersFrom("ready-for-dispatch", "activated")},
	{"ReturnToken", "lost", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ReturnToken(ctx, c, r.token)
	}, officers, append([]string{carrier}, overseeing...), []string{"lost", "returned"}},
	{"DestroyToken", "returned", func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.DestroyToken(ctx, c, r.token)
	}, officers, overseeing, []string{"returned"}},
}

// crowdInside is everybody of both channels.
var crowdInside = append(slices.Clone(everybody), unitOfficer, otherUnits, carrier, companyOfficer)

func (d doorInside) door() door { return door{name: d.name, ask: d.ask, may: d.may} }

func TestWhoMayAskInside(t *testing.T) {
	for _, d := range doorsInside {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			r := insideAt(t, d.at)
			for _, person := range crowdInside {
				if slices.Contains(d.may, person) {
					continue
				}
				want := fault.NotFound
				if slices.Contains(d.sees, person) {
					want = fault.Forbidden
				}
				r.refuses(d.door(), person, func(f *fault.Fault) bool {
					return f.Kind == want
				})
			}
			for _, person := range d.may {
				insideAt(t, d.at).accepts(d.door(), person)
			}
		})
	}
}

// apart are the doors after which the story does not go on as told.
var apart = []string{
	"ReturnDossier", "ResolveDiscrepancy", "NotePIN", "ActivateToken", "ReportTokenLost", "ReportTokenDefective", "ReturnToken", "DestroyToken",
}

// goesOn tells the rest of the way from what a door has done already.
func (r *request) goesOn(done int) {
	r.t.Helper()
	for at := chapters[done].name; ; {
		i := slices.IndexFunc(chapters, func(c chapterInside) bool { return c.from == at && c.name != "discrepant" && c.name != "lost" })
		if i < 0 {
			return
		}
		chapters[i].then(r)
		r.settle()
		at = chapters[i].name
	}
}

// TestEachDoorInEachChapterInside: who comes in the wrong order is refused, and
// nothing is stored.
func TestEachDoorInEachChapterInside(t *testing.T) {
	for _, c := range chapters {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refusing := insideAt(t, c.name)
			for _, d := range doorsInside {
				if !slices.Contains(d.in, c.name) {
					refusing.refuses(d.door(), d.may[0], func(f *fault.Fault) bool {
						return f.Kind == fault.Conflict || hides(f)
					})
					continue
				}
				r := insideAt(t, c.name)
				if _, err := d.ask(r, t.Context(), r.by(d.may[0])); err != nil {
					t.Errorf("%s: %v", d.name, err)
				}
			}
		})
	}
}

func TestAskedTwiceInsideIsDoneOnce(t *testing.T) {
	for _, d := range doorsInside {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			r := insideAt(t, d.at)
			c := asking(r.by(d.may[0]), "this")
			first := r.did(d.ask(r, t.Context(), c))
			r.sameAgain(d.door(), c, first, "at once")
			r.settle()
			r.sameAgain(d.door(), c, first, "after the policies")
			r.refused(idempotency.ErrReused, func() error { _, err := d.ask(r, t.Context(), asking(c, "that")); return err })
			if i := slices.IndexFunc(chapters, func(next chapterInside) bool { return next.from == d.at && next.name != "discrepant" }); i >= 0 && !slices.Contains(apart, d.name) {
				r.goesOn(i)
				r.sameAgain(d.door(), c, first, "after the story went on")
			}
		})
	}
}

func TestAKeyOfAnotherDoorInsideLeavesNothing(t *testing.T) {
	for _, d := range doorsInside {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			r := insideAt(t, d.at)
			c := r.by(d.may[0])
			r.did(r.OpenRequest(t.Context(), asking(c, "first"), outside))
			r.refused(idempotency.ErrReused, func() error { _, err := d.ask(r, t.Context(), asking(c, "this")); return err })
		})
	}
}

func TestAskedByManyAtOnceInsideIsDoneOnce(t *testing.T) {
	for _, d := range doorsInside {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			r := insideAt(t, d.at)
			c, before := r.by(d.may[0]), r.head()
			var receipts [16]commands.Receipt
			var errs [16]error
			var all sync.WaitGroup
			for i := range receipts {
				all.Go(func() { receipts[i], errs[i] = d.ask(r, context.Background(), c) })
			}
			all.Wait()
			if err := errors.Join(errs[:]...); err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(receipts[:], func(x commands.Receipt) bool { return x != receipts[0] }) {
				t.Errorf("they were told different things: %v", receipts)
			}
			r.onceEach(before)
		})
	}
}

// TestAnUnknownThingInsideIsNotFound: neither request, token nor consignment.
func TestAnUnknownThingInsideIsNotFound(t *testing.T) {
	h := inside(t)
	none := &request{house: h, code: iran.TrackingCode(5, 123_456_789), of: applicant, token: "TOKEN1"}
	for _, d := range doorsInside {
		if d.name == "DispatchConsignment" { // the bag is new; a dossier that is elsewhere is one that is none
			h.refused(enrollment.ErrDossierElsewhere, func() error { _, err := d.ask(none, t.Context(), h.by(d.may[0])); return err })
			continue
		}
		none.refusedUnknown(d)
	}
}

func (r *request) refusedUnknown(d doorInside) {
	r.t.Helper()
	before := r.head()
	_, err := d.ask(r, r.t.Context(), r.by(d.may[0]))
	if f, ok := fault.Of(err); !ok || f.Kind != fault.NotFound || r.head() != before {
		r.t.Errorf("%s: %v", d.name, err)
	}
}
