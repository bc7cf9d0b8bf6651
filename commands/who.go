package commands

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/revocation"
)

// ErrForbidden reports a caller without the appointment that a door asks for.
// NotAppointed is the same, and says which.
var ErrForbidden = fault.New(fault.Forbidden, "not-appointed",
	"این کار در سمت‌های شما نیست؛ از مدیر سامانه بپرسید.",
	"Your appointments do not allow this; ask the administrator.")

// NotAppointed is ErrForbidden with the posts that it takes.
func NotAppointed(roles ...appointment.Role) error {
	var fa, en []string
	for _, r := range roles {
		fa, en = append(fa, r.Persian()), append(en, r.English())
	}
	return fault.New(fault.Forbidden, ErrForbidden.Code,
		"این کار از آنِ این سمت است: "+strings.Join(fa, "، ")+"؛ اگر باید آن را داشته باشید، انتصاب را از مدیر سامانه بخواهید.",
		"This is for: "+strings.Join(en, ", ")+". If that should be you, ask an administrator for the appointment.")
}

// The refusals of who may see a thing but not do this with it.
var (
	ErrNotOfOffice = fault.New(fault.Forbidden, "not-of-the-office",
		"این کار با مأمور دفتر ثبت‌نامی است که درخواست نزد آن است.",
		"This is done by an officer of the registration office that has the request.")
	ErrNotOfUnit = fault.New(fault.Forbidden, "not-of-the-unit",
		"این کار با کارشناس واحد پژوهش و فناوری‌ای است که درخواست نزد آن است.",
		"This is done by an officer of the research and technology unit that has the request.")
	ErrNotOfCompanyUnit = fault.New(fault.Forbidden, "not-of-the-company-unit",
		"این کار با مسئول واحد شرکتی است که توکن نزد آن است.",
		"This is done by an officer of the company's unit that has the token.")
	ErrNotSubmitted = fault.New(fault.Conflict, "not-submitted",
		"این درخواست هنوز نزد هیچ دفتری نیست؛ نخست آن را به دفتر بفرستید.",
		"This request is with no office yet; submit it first.")
	ErrNotHolder = fault.New(fault.Forbidden, "not-your-certificate",
		"گواهی را دارندهٔ آن یا کارشناس مرکز صدور باطل می‌کند؛ اگر اطلاعات آن نادرست است، گزارش دهید.",
		"A certificate is revoked by its holder or by the CA's operators; if its information is false, report that.")
	ErrOnlineHolder = fault.New(fault.Forbidden, enrollment.ErrOwnRequest.Code,
		"دارنده ابطال گواهی خود را برخط و به نام خود می‌خواهد؛ درخواست دیگران را مأمور دفتر یا کارشناس مرکز صدور ثبت می‌کند.",
		"A holder asks online, as the holder; what others ask is recorded by an officer of the office or an operator of the CA.").At("askedBy")
	ErrFalsity = fault.New(fault.Forbidden, "falsity-for-the-ca",
		"نادرستی اطلاعات را تنها مرکز صدور احراز می‌کند؛ دلیل دیگری برگزینید.",
		"Falsity is for the CA alone to find; choose another reason.").At("reason")
	ErrNotTrustee = fault.New(fault.Forbidden, "not-your-certificate",
		"گواهی را دارندهٔ آن، مأمور دفتر ثبت‌نام آن به خواست دارنده‌ای که نزد اوست، یا کارشناس مرکز صدور معلق می‌کند و تعلیق را برمی‌دارد.",
		"A certificate is suspended, and that lifted, by its holder, by an officer of its registration office for a holder at the counter, or by the CA's operators.")
	ErrNotOfficial = fault.New(fault.Forbidden, "not-official",
		"پایان وابستگی را مأمور دفتر ثبت‌نام گواهی با نامهٔ سازمان، یا کارشناس مرکز صدور ثبت می‌کند؛ دیگران می‌توانند گزارش دهند.",
		"The end of an affiliation is recorded by an officer of the certificate's office with the organisation's letter, or by the CA's operators; others may report it.")
	ErrOwnCertificate = fault.New(fault.Forbidden, "own-certificate",
		"هیچ‌کس دربارهٔ گواهی خود تصمیم نمی‌گیرد؛ همکار دیگری باید اقدام کند.",
		"Nobody decides about his own certificate; a colleague must.")
	ErrNotDecider = fault.New(fault.Forbidden, "for-the-ca",
		"دربارهٔ این پرونده کارشناس مرکز صدور تصمیم می‌گیرد.",
		"This case is decided by the CA's operators.")
)

// standing is what a caller holds at one moment.
type standing struct {
	person event.Subject
	held   appointment.Appointments
	cites  string // his stream as it was read
	at     time.Time
}

// standing folds the person's own stream: from a view, a dismissed officer
// would keep acting.
func (a *App) standing(ctx context.Context, c Caller) (standing, error) {
	stream := appointment.Kind.Stream(string(c.Person))
	h, err := load(ctx, a, appointment.Kind, stream)
	return standing{c.Person, h.state, fmt.Sprintf("%s@%d", stream, len(h.records)-1), a.Clock()}, err
}

// by cites the appointment to a role at a place, if it is held.
func (s standing) by(role appointment.Role, place string) (authority string, held bool) {
	return fmt.Sprintf("%s %s %s", s.cites, role, place), s.held.Holds(role, place, s.at)
}

// sees tells whether a request exists for the caller: it does for its applicant,
// for the office that has it or opened it, and for overseers.
func (s standing) sees(e enrollment.Enrollment) bool {
	if e.Status == enrollment.StatusNone {
		return false
	}
	return own(e, s.person) || s.officerOf(e.Office) || s.officerOf(e.Counter) || s.inside(e) || s.oversees()
}

// inside are those who have a part in a request of channel B: its unit, the
// authority that has or had its papers, and the company's unit that has its token.
func (s standing) inside(e enrollment.Enrollment) bool {
	return s.holds(appointment.ResearchOfficer, e.Unit) || s.holds(appointment.AuthorityOfficer, e.Dossier.Place) ||
		s.holds(appointment.AuthorityOfficer, e.Dossier.To) || s.holds(appointment.AuthorityOfficer, e.Origin) ||
		s.holds(appointment.UnitOfficer, e.TokenAt)
}

func (s standing) holds(role appointment.Role, place string) bool {
	return place != "" && s.held.Holds(role, place, s.at)
}

func (s standing) officerOf(place string) bool {
	return s.holds(appointment.RegistrationOfficer, place)
}

func (s standing) oversees() bool {
	for _, r := range appointment.Overseers {
		if s.held.Holds(r, "", s.at) {
			return true
		}
	}
	return false
}

// own tells whether a request is a person's own: he opened it for himself, or
// its form is about him.
func own(e enrollment.Enrollment, person event.Subject) bool {
	return person != "" && (person == e.Form.Person || e.Counter == "" && person == e.OpenedBy)
}

// must cites the appointment by which the caller may act, or refuses.
func (a *App) must(ctx context.Context, c Caller, role appointment.Role, place string) (string, error) {
	s, err := a.standing(ctx, c)
	if err != nil {
		return "", err
	}
	authority, held := s.by(role, place)
	if !held {
		return "", NotAppointed(role)
	}
	return authority, nil
}

// Posts lists what a person holds now: for greeting him, and for the queries'
// own checks.
func (a *App) Posts(ctx context.Context, c Caller) (appointment.Appointments, error) {
	s, err := a.standing(ctx, c)
	for post, until := range s.held {
		if !s.at.Before(until) {
			delete(s.held, post)
		}
	}
	return s.held, err
}

// PostsOf lists what the person of a national code holds now.
func (a *App) PostsOf(ctx context.Context, personCode string) (event.Subject, appointment.Appointments, error) {
	person, err := a.knownPerson(ctx, personCode)
	if err != nil {
		return "", nil, err
	}
	held, err := a.Posts(ctx, Caller{Person: person})
	return person, held, err
}

// The rights that are no appointments.
const (
	asApplicant  = "applicant"  // of a person over his own request
	asSubscriber = "subscriber" // of a holder over his certificate
	asIdentified = "identified" // of everybody who signed in
	asAnybody    = "anybody"    // of whoever did not sign in
	asPolicy     = "policy"     // of the house itself
)

// party is by what right the caller acts for the applicant: being him, or being
// the officer at whose counter he stands. A stranger's posts are read for a
// request that does not exist too: the time shall not tell one from the other.
func (a *App) party(ctx context.Context, c Caller, e enrollment.Enrollment) (authority string, counter bool, err error) {
	if own(e, c.Person) {
		return asApplicant, false, nil
	}
	s, err := a.standing(ctx, c)
	switch {
	case err != nil:
		return "", false, err
	case !s.sees(e):
		return "", false, enrollment.ErrNotFound
	case !s.officerOf(e.Counter):
		return "", false, enrollment.ErrNotYours
	}
	authority, _ = s.by(appointment.RegistrationOfficer, e.Counter)
	return authority, true, nil
}

// theirs reads a request for a caller on its applicant's side.
func (a *App) theirs(ctx context.Context, c Caller, code string) (h history[enrollment.Enrollment], authority string, counter bool, err error) {
	if h, err = load(ctx, a, enrollment.Kind, enrollment.Kind.Stream(code)); err == nil {
		authority, counter, err = a.party(ctx, c, h.state)
	}
	return h, authority, counter, err
}

// ours reads a request for an officer of the office that has it.
func (a *App) ours(ctx context.Context, c Caller, code string) (h history[enrollment.Enrollment], authority string, err error) {
	if h, err = load(ctx, a, enrollment.Kind, enrollment.Kind.Stream(code)); err == nil {
		authority, err = a.desk(ctx, c, h.state)
	}
	return h, authority, err
}

// desk is the right of an officer of the office that has the request; while the
// unit has it, or a company's unit its token, of theirs.
func (a *App) desk(ctx context.Context, c Caller, e enrollment.Enrollment) (string, error) {
	s, err := a.standing(ctx, c)
	role, place := deskOf(e)
	switch {
	case err != nil:
		return "", err
	case !s.sees(e):
		return "", enrollment.ErrNotFound
	case !s.holds(role, cmp.Or(place, e.Counter)):
		return "", notOf[role]
	case own(e, c.Person): // an officer too: nobody handles his own request
		return "", enrollment.ErrOwnRequest
	case place == "":
		return "", ErrNotSubmitted
	}
	authority, _ := s.by(role, place)
	return authority, nil
}

var notOf = map[appointment.Role]*fault.Fault{
	appointment.RegistrationOfficer: ErrNotOfOffice, appointment.ResearchOfficer: ErrNotOfUnit, appointment.UnitOfficer: ErrNotOfCompanyUnit,
}

// deskOf is who checks, or hands over, and where.
func deskOf(e enrollment.Enrollment) (appointment.Role, string) {
	switch {
	case e.Status == enrollment.StatusAtCompanyUnit:
		return appointment.UnitOfficer, e.TokenAt
	case e.Office == "" && e.Unit != "":
		return appointment.ResearchOfficer, e.Unit
	}
	return appointment.RegistrationOfficer, e.Office
}

// mayRevoke: falsity is for the CA alone to find (A7); a holder may give every
// other reason. Who may not see the certificate learns nothing of it.
func (a *App) mayRevoke(ctx context.Context, c Caller, held certificate.Certificate, reason certificate.Reason) (string, error) {
	holder := held.Issued.Subject != "" && held.Issued.Subject == c.Person
	if holder && reason != certificate.PrivilegeWithdrawn {
		return asSubscriber, nil
	}
	s, err := a.standing(ctx, c)
	if err != nil {
		return "", err
	}
	request, err := load(ctx, a, enrollment.Kind, cmp.Or(held.Issued.Request, enrollment.Kind.Stream("none")))
	if err != nil {
		return "", err
	}
	authority, operator := s.by(appointment.CAOperator, "")
	switch {
	case operator:
		return authority, nil
	case holder:
		return "", ErrFalsity
	case held.Issued.Serial != "" && (s.oversees() || s.sees(request.state)):
		return "", ErrNotHolder
	}
	return "", certificate.ErrNotIssued
}

// mayDecide lets the CA's operators decide a case, unless it is about their own
// certificate. Its reporter, too, knows of it.
func (a *App) mayDecide(ctx context.Context, c Caller, e revocation.Case) (string, error) {
	s, err := a.standing(ctx, c)
	if err != nil {
		return "", err
	}
	authority, operator := s.by(appointment.CAOperator, "")
	switch {
	case e.Status == revocation.None || !s.oversees() && !slices.Contains(e.Reporters, c.Person):
		return "", revocation.ErrNotFound
	case !operator:
		return "", ErrNotDecider
	}
	about, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(e.Opened.Certificate))
	if err == nil && about.state.Issued.Subject == c.Person {
		err = ErrOwnCertificate
	}
	return authority, err
}

// do is a caller's act by name. A door that asked for nobody's right is a
// mistake of ours, and does not open.
func (a *App) do(c Caller, name, authority, about string) act {
	if authority == "" || c.Person != "" && authority == asPolicy {
		panic("commands: " + name + " is open to a person without a right")
	}
	return act{Caller: c, name: name, authority: authority, at: a.Clock(), about: about}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
