package commands

import (
	"context"
	"fmt"
	"slices"

	"govahi/domain/appointment"
	"govahi/domain/consignment"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
	"govahi/domain/office"
)

// ErrOtherCompany reports a unit of another company than the applicant's.
var ErrOtherCompany = fault.New(fault.Conflict, "unit-of-other-company",
	"این واحد از آنِ شرکت دیگری است؛ درخواست را به واحد پژوهش و فناوری شرکت خود بدهید.",
	"This unit belongs to another company; submit the request to that of your own.").At("unit")

// unitOf wants a research unit of the applicant's own company.
func (a *App) unitOf(ctx context.Context, code, company string) error {
	h, err := load(ctx, a, office.Kind, office.Kind.Stream(code))
	switch {
	case err != nil:
		return err
	case h.state.Sort != office.Research:
		return office.ErrNotFound.At("unit")
	case h.state.Company != company:
		return ErrOtherCompany
	}
	return nil
}

// ApproveDossier is the unit's word on the documents (S1.19); nobody's on his
// own.
func (a *App) ApproveDossier(ctx context.Context, c Caller, code string) (Receipt, error) {
	return a.atDesk(ctx, c, code, "ApproveDossier", func(as act, h history[enrollment.Enrollment]) ([]event.Event, error) {
		return enrollment.ApproveDossier{Unit: h.state.Unit, By: c.Person, At: as.at}.Decide(h.state)
	})
}

// ReturnDossier sends it back to the applicant.
func (a *App) ReturnDossier(ctx context.Context, c Caller, code string, fields []string) (Receipt, error) {
	if err := ofTheForm(fields); err != nil {
		return Receipt{}, err
	}
	return a.atDesk(ctx, c, code, "ReturnDossier", func(as act, h history[enrollment.Enrollment]) ([]event.Event, error) {
		return enrollment.ReturnDossier{Fields: fields, By: c.Person, At: as.at}.Decide(h.state)
	})
}

// DispatchConsignment is a bag of dossiers on its way (S1.19).
type DispatchConsignment struct {
	From     string   `json:"from" maxLength:"40" doc:"The officer's own place"`
	To       string   `json:"to" maxLength:"40" doc:"A unit sends to the contracted authority, the authority to a registration office"`
	Dossiers []string `json:"dossiers" minItems:"1" maxItems:"200" doc:"Tracking codes of all that is in the bag"`
	Seal     string   `json:"seal" maxLength:"20" doc:"شماره مهروموم"`
}

// DispatchConsignment is done by an officer of the place that has the dossiers.
// The answer is the consignment's number.
func (a *App) DispatchConsignment(ctx context.Context, c Caller, in DispatchConsignment) (Receipt, error) {
	from, authority, err := a.at(ctx, c, in.From)
	if err != nil {
		return Receipt{}, err
	}
	if err := a.leads(ctx, from, in.To); err != nil {
		return Receipt{}, err
	}
	seal, err := sealNumber(in.Seal)
	if err != nil {
		return Receipt{}, err
	}
	var n normaliser
	dossiers := n.codes("dossiers", in.Dossiers)
	if n.err != nil {
		return Receipt{}, n.err
	}
	number, err := a.numberFor(ctx, c, "consignment", "DispatchConsignment", consignment.Kind.Category)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "DispatchConsignment", authority, number)
	dispatch := consignment.Dispatch{Number: number, From: in.From, To: in.To, Dossiers: dossiers, Seal: seal, By: c.Person, At: as.at}
	return a.dispatch(ctx, as, dispatch)
}

// dispatchable looks at each dossier: what is not at the place is not in its bag,
// and what left in another bag is in that one.
func (a *App) dispatchable(ctx context.Context, from string, dossiers []string) error {
	for _, code := range dossiers {
		h, err := load(ctx, a, enrollment.Kind, enrollment.Kind.Stream(code))
		if err != nil {
			return err
		}
		if h.state.Status == enrollment.StatusNone || h.state.Dossier.Place != from { // nobody learns of another's
			return enrollment.ErrDossierElsewhere
		}
		if now := h.state; now.Status == enrollment.StatusInTransit {
			return enrollment.Kind.Life.Refuse(consignment.ErrPacked(now.Dossier.Consignment), string(now.Status))
		}
		if err := h.state.Dispatchable(from); err != nil {
			return err
		}
	}
	return nil
}

// at is a place and the right of its officer.
func (a *App) at(ctx context.Context, c Caller, code string) (office.Office, string, error) {
	h, err := load(ctx, a, office.Kind, office.Kind.Stream(code))
	if err != nil {
		return office.Office{}, "", err
	}
	role, known := officersOf[h.state.Sort]
	if !known {
		role = appointment.ResearchOfficer
	}
	authority, err := a.must(ctx, c, role, code)
	return h.state, authority, err
}

var officersOf = map[office.Sort]appointment.Role{
	office.Registration: appointment.RegistrationOfficer, office.Research: appointment.ResearchOfficer,
	office.Authority: appointment.AuthorityOfficer, office.CompanyUnit: appointment.UnitOfficer,
}

// leads wants the next place of the way up, with a contract or licence in force.
func (a *App) leads(ctx context.Context, from office.Office, to string) error {
	next := map[office.Sort]office.Sort{office.Research: office.Authority, office.Authority: office.Registration}
	h, err := load(ctx, a, office.Kind, office.Kind.Stream(to))
	switch {
	case err != nil:
		return err
	case next[from.Sort] == "" || h.state.Sort != next[from.Sort]:
		return office.ErrNotFound.At("to")
	case !h.state.Licensed(a.Clock()):
		return office.ErrUnlicensed
	case from.Sort == office.Authority && !from.Licensed(a.Clock()):
		return office.ErrUnlicensed
	}
	return nil
}

// ReceiveConsignment is the receiver's own count.
type ReceiveConsignment struct {
	Dossiers   []string `json:"dossiers" maxItems:"200" doc:"Tracking codes of all that was found in the bag"`
	SealIntact bool     `json:"sealIntact" doc:"Whether the seal was whole"`
}

// ReceiveConsignment is done by an officer of the place that it was sent to. A
// difference opens a discrepancy case.
func (a *App) ReceiveConsignment(ctx context.Context, c Caller, number string, in ReceiveConsignment) (Receipt, error) {
	stream := consignment.Kind.Stream(number)
	h, authority, err := a.consigned(ctx, c, number, func(s consignment.Consignment) []string { return []string{s.Sent.To} })
	if err != nil {
		return Receipt{}, err
	}
	var n normaliser
	found := n.codes("dossiers", in.Dossiers)
	if n.err != nil {
		return Receipt{}, n.err
	}
	as := a.do(c, "ReceiveConsignment", authority, number)
	receive := consignment.Receive{Dossiers: found, SealIntact: in.SealIntact, By: c.Person, At: as.at}
	return transactFrom(ctx, a, consignment.Kind, stream, h, as, just[consignment.Consignment](receive))
}

// ResolveDiscrepancy says what became of what did not come.
type ResolveDiscrepancy struct {
	Found []string          `json:"found,omitempty" required:"false" maxItems:"200" doc:"Tracking codes of what came after all"`
	Lost  []string          `json:"lost,omitempty" required:"false" maxItems:"200" doc:"Tracking codes of what is lost: the sender makes them anew"`
	Cause consignment.Cause `json:"cause" enum:"miscounted,left-behind,lost-on-the-way,tampered"`
}

// ResolveDiscrepancy is done by an officer of the receiver.
func (a *App) ResolveDiscrepancy(ctx context.Context, c Caller, number string, in ResolveDiscrepancy) (Receipt, error) {
	h, authority, err := a.consigned(ctx, c, number, func(s consignment.Consignment) []string { return []string{s.Sent.To} })
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "ResolveDiscrepancy", authority, number)
	var n normaliser
	resolve := consignment.Resolve{Found: n.codes("found", in.Found), Lost: n.codes("lost", in.Lost), Cause: in.Cause, By: c.Person, At: as.at}
	if n.err != nil {
		return Receipt{}, n.err
	}
	return transactFrom(ctx, a, consignment.Kind, consignment.Kind.Stream(number), h, as, just[consignment.Consignment](resolve))
}

// consigned reads a consignment for an officer of one of its places: others do
// not learn that it is there, the other end learns whose business it is.
func (a *App) consigned(ctx context.Context, c Caller, number string, whose func(consignment.Consignment) []string) (history[consignment.Consignment], string, error) {
	h, err := load(ctx, a, consignment.Kind, consignment.Kind.Stream(number))
	if err != nil {
		return h, "", err
	}
	s, err := a.standing(ctx, c)
	if err != nil {
		return h, "", err
	}
	for _, place := range whose(h.state) {
		if role, ok := s.postAt(place); ok {
			authority, _ := s.by(role, place)
			return h, authority, nil
		}
	}
	for _, place := range []string{h.state.Sent.From, h.state.Sent.To} {
		if _, ok := s.postAt(place); ok {
			return h, "", ErrNotReceiver
		}
	}
	if h.state.Status != consignment.None && s.oversees() {
		return h, "", ErrNotReceiver
	}
	return h, "", consignment.ErrNotFound
}

// ErrNotReceiver reports who sees a consignment, or a token, but is not the one
// to act.
var ErrNotReceiver = fault.New(fault.Forbidden, "not-the-receiver",
	"این کار با مأمور مقصد است.", "This is done by an officer of the destination.")

// postAt is the local post that the caller holds at a place.
func (s standing) postAt(place string) (appointment.Role, bool) {
	for _, role := range appointment.Local {
		if s.holds(role, place) {
			return role, true
		}
	}
	return "", false
}

// MoveDossiers follows a consignment: its dossiers left, came, or are lost; a
// policy asks. What a consignment has no more to do with is another's to take.
func (a *App) MoveDossiers(ctx context.Context, c Caller, number string, e event.Event) error {
	if err := a.moveDossiers(ctx, c, number, e); err != nil {
		return err
	}
	switch e := e.(type) {
	case consignment.Dispatched:
		return a.unpack(ctx, c, number, e.Dossiers)
	case consignment.Received: // the departure may have been left out by an operator
		return a.unpack(ctx, c, number, e.Dossiers)
	case consignment.DiscrepancyResolved:
		return a.unpack(ctx, c, number, slices.Concat(e.Found, e.Lost))
	}
	return nil
}

func (a *App) moveDossiers(ctx context.Context, c Caller, number string, e event.Event) error {
	h, err := load(ctx, a, consignment.Kind, consignment.Kind.Stream(number))
	if err != nil {
		return err
	}
	sent := h.state.Sent
	switch e := e.(type) {
	case consignment.Dispatched:
		return a.eachDossier(ctx, c, "DispatchDossier", e.Dossiers, func(as act) event.Command[enrollment.Enrollment] {
			return enrollment.DispatchDossier{Consignment: number, From: e.From, To: e.To, At: as.at} // the bag's own event says when it left
		})
	case consignment.Received:
		return a.dossiersCame(ctx, c, sent, e.Dossiers)
	case consignment.DiscrepancyResolved:
		if err := a.dossiersCame(ctx, c, sent, e.Found); err != nil {
			return err
		}
		return a.eachDossier(ctx, c, "LoseDossier", e.Lost, func(as act) event.Command[enrollment.Enrollment] {
			return enrollment.LoseDossier{Consignment: number, At: as.at}
		})
	}
	return nil
}

func (a *App) dossiersCame(ctx context.Context, c Caller, sent consignment.Dispatched, dossiers []string) error {
	to, err := load(ctx, a, office.Kind, office.Kind.Stream(sent.To))
	if err != nil {
		return err
	}
	return a.eachDossier(ctx, c, "ReceiveDossier", dossiers, func(as act) event.Command[enrollment.Enrollment] {
		return enrollment.ReceiveDossier{
			Consignment: sent.Number, From: sent.From, Place: sent.To, Office: to.state.Sort == office.Registration, At: as.at,
		}
	})
}

// eachDossier moves one after the other; what was moved before a crash is
// recognised.
func (a *App) eachDossier(ctx context.Context, c Caller, name string, dossiers []string, command func(act) event.Command[enrollment.Enrollment]) error {
	for _, code := range dossiers {
		as := a.do(c, name, asPolicy, code)
		as.Key += "/" + code
		if _, err := transact(ctx, a, enrollment.Kind, enrollment.Kind.Stream(code), as, just(command(as))); err != nil {
			return err
		}
	}
	return nil
}

// NoteAccess tells a request of channel B that its user is defined; a policy asks.
func (a *App) NoteAccess(ctx context.Context, c Caller, request event.Stream, userName string) error {
	as := a.do(c, "NoteAccess", asPolicy, request.ID())
	_, err := transact(ctx, a, enrollment.Kind, request, as, just[enrollment.Enrollment](enrollment.NoteAccess{UserName: userName, At: as.at}))
	return err
}

// codes are tracking codes as people write them, in the form that names streams.
// A bag has many: each that is none is named by where it stands.
func (n *normaliser) codes(field string, typed []string) []string {
	codes := make([]string, len(typed))
	for i, code := range typed {
		var err error
		if codes[i], err = iran.ParseTrackingCode(code); err != nil {
			n.refuse(fmt.Sprintf("%s.%d", field, i), errCode(i+1))
		}
	}
	return codes
}

func errCode(place int) *fault.Fault {
	return fault.New(fault.Invalid, iran.ErrTrackingCode.Code,
		iran.PersianDigits(fmt.Sprintf("کد رهگیری ردیف %d این فهرست درست نیست؛ هر دوازده رقم را از روی پرونده دوباره وارد کنید.", place)),
		fmt.Sprintf("Tracking code %d of this list is wrong; enter all twelve digits again from the dossier.", place))
}
