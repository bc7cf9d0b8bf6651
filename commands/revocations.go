package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
	"govahi/domain/revocation"
)

// ReportInaccuracy says that information behind a certificate is false; anybody
// who is identified may (A7). The answer is the tracking code of the case, which
// is the open one if there is one.
func (a *App) ReportInaccuracy(ctx context.Context, c Caller, serial, statement string) (Receipt, error) {
	held, text, err := a.doubted(ctx, serial, statement)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "ReportInaccuracy", asIdentified, held.Issued.Serial)
	return a.doubt(ctx, as, revocation.Report{
		Certificate: held.Issued.Serial, Source: revocation.Reported, Text: text, About: c.Person, By: c.Person, At: as.at,
	})
}

// ReportUnsigned is the same by somebody who did not sign in. What he wrote is
// about the holder, and sealed under the holder's key: with that it goes.
func (a *App) ReportUnsigned(ctx context.Context, key, serial, statement string) (Receipt, error) {
	held, text, err := a.doubted(ctx, serial, statement)
	if err == nil && held.Issued.Subject == "" {
		err = certificate.ErrNotIssued // the CA's own are nobody's to report about
	}
	if err != nil {
		return Receipt{}, err
	}
	c := Caller{Key: key, Question: []byte("report " + held.Issued.Serial + " " + text)}
	as := a.do(c, "ReportUnsigned", asAnybody, held.Issued.Serial)
	report := revocation.Report{
		Certificate: held.Issued.Serial, Source: revocation.Reported, Text: text, About: held.Issued.Subject, At: as.at,
	}
	r, err := a.doubt(ctx, as, report)
	if errors.Is(err, event.ErrErased) { // the doubt counts all the same
		report.Text = ""
		return a.doubt(ctx, as, report)
	}
	return r, err
}

func (a *App) doubted(ctx context.Context, serial, statement string) (certificate.Certificate, string, error) {
	var n normaliser
	text := n.lines("statement", statement, "\n\t")
	if n.err != nil {
		return certificate.Certificate{}, "", n.err
	}
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(plainSerial(serial)))
	if err == nil && held.state.Issued.Serial == "" {
		err = certificate.ErrNotIssued
	}
	return held.state, text, err
}

// ReportAffiliationEnded proposes the revocation of somebody who left his
// organisation (policy 7): by an officer of the certificate's office with the
// organisation's letter, or by the CA.
func (a *App) ReportAffiliationEnded(ctx context.Context, c Caller, serial, letterNumber, letterDate string) (Receipt, error) {
	var n normaliser
	number := n.text("number", letterNumber)
	date := n.parsed("date", letterDate, writtenBefore(a.Clock()))
	if n.err != nil {
		return Receipt{}, n.err
	}
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(plainSerial(serial)))
	if err != nil {
		return Receipt{}, err
	}
	is, authority, err := a.trustee(ctx, c, held.state)
	switch {
	case err != nil:
		return Receipt{}, err
	case is == holder:
		return Receipt{}, enrollment.ErrOwnRequest
	case is == nobody:
		return Receipt{}, ErrNotOfficial
	}
	if err := a.affiliated(ctx, held.state); err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "ReportAffiliationEnded", authority, held.state.Issued.Serial)
	return a.doubt(ctx, as, revocation.Report{
		Certificate: held.state.Issued.Serial, Source: revocation.Unaffiliated,
		Cites: revocation.Evidence{Letter: number + " " + date}, By: c.Person, At: as.at,
	})
}

// DoubtDismissed proposes the revocation of what a registration officer holds who
// was dismissed (policy 7); a policy asks. It reads all that was ever issued: a
// dismissal is rare, and no view's delay hides a certificate.
func (a *App) DoubtDismissed(ctx context.Context, c Caller, person event.Subject, e appointment.Dismissed) error {
	if e.Role != appointment.RegistrationOfficer {
		return nil
	}
	var serials []string
	for r, err := range a.Log.ReadAll(ctx, 0, "certificate.issued.") {
		if err != nil {
			return unavailable(err)
		}
		is, err := certificate.Catalog.Open(r)
		if err != nil {
			return err
		}
		if issued, ok := is.(certificate.Issued); ok && issued.Subject == person {
			serials = append(serials, issued.Serial)
		}
	}
	key := c.Key
	for _, serial := range serials {
		c.Key = key + "/" + serial
		report := revocation.Report{Certificate: serial, Source: revocation.Unaffiliated}
		if err := a.houseDoubts(ctx, c, "DoubtDismissed", report); err != nil {
			return err
		}
	}
	return nil
}

// doubt brings a report to the one open case of its certificate, or opens one
// (uniqueness is the stream `casefile-<serial>`). Where it goes is on file before
// it goes there: whatever crashes, the next try goes to the same case. A case
// that was closed meanwhile is left alone, and another one opened.
func (a *App) doubt(ctx context.Context, as act, report revocation.Report) (Receipt, error) {
	over := ""
	for range tries {
		number, err := a.caseFor(ctx, as, report.Certificate, over)
		if err != nil {
			return Receipt{}, err
		}
		report.Case = number
		r, err := transact(ctx, a, revocation.Kind, revocation.Kind.Stream(number), as, just[revocation.Case](report))
		if !errors.Is(err, revocation.ErrOver) {
			return r, err
		}
		over = number
	}
	return Receipt{}, ErrBusy
}

// caseFor puts a doubt on file and says to which case it goes. A key that was
// used for another question is refused before anything is filed.
func (a *App) caseFor(ctx context.Context, as act, serial, over string) (string, error) {
	stream, cause := revocation.File.Stream(serial), as.commandID(as.name)
	seen, err := load(ctx, a, revocation.File, stream)
	if err != nil {
		return "", err
	}
	number := seen.state.Where[cause]
	if number == "" || number == over {
		if _, _, err := repeated(ctx, a, as, history[revocation.Case]{}); err != nil {
			return "", err
		}
		fresh, err := a.freeCase(ctx, as, over)
		if err != nil {
			return "", err
		}
		file := revocation.PutOnFile{Cause: cause, New: fresh, Over: over, At: as.at}
		if err := claim(ctx, a, revocation.File, stream, as, fresh, file); err != nil {
			return "", err
		}
		if seen, err = load(ctx, a, revocation.File, stream); err != nil {
			return "", err
		}
	}
	return seen.state.Where[cause], nil
}

// freeCase is a number under which nothing was opened yet.
func (a *App) freeCase(ctx context.Context, as act, over string) (string, error) {
	year := iran.FromTime(a.Clock()).Year
	for n := 0; ; n++ {
		number := a.trackingCode(as.Caller, "case", year, n)
		h, err := load(ctx, a, revocation.Kind, revocation.Kind.Stream(number))
		if err != nil || len(h.records) == 0 && number != over {
			return number, err
		}
	}
}

// AddEvidence is what the CA found out itself about an open case.
func (a *App) AddEvidence(ctx context.Context, c Caller, number, statement, letter string) (Receipt, error) {
	var n normaliser
	text := n.lines("statement", statement, "\n\t")
	if letter != "" {
		letter = n.text("letter", letter)
	}
	return a.onCase(ctx, c, "AddEvidence", number, n.err, func(as act, s revocation.Case) event.Command[revocation.Case] {
		return revocation.Report{
			Certificate: s.Opened.Certificate, Source: revocation.Investigated, Cites: revocation.Evidence{Letter: letter},
			Text: text, About: c.Person, By: c.Person, At: as.at,
		}
	})
}

// OpenInvestigation says that the CA looks into a case.
func (a *App) OpenInvestigation(ctx context.Context, c Caller, number string) (Receipt, error) {
	return a.onCase(ctx, c, "OpenInvestigation", number, nil, func(as act, _ revocation.Case) event.Command[revocation.Case] {
		return revocation.Investigate{By: c.Person, At: as.at}
	})
}

// RefuteInaccuracy closes a case in the holder's favour.
func (a *App) RefuteInaccuracy(ctx context.Context, c Caller, number, statement string) (Receipt, error) {
	var n normaliser
	text := n.lines("statement", statement, "\n\t")
	return a.onCase(ctx, c, "RefuteInaccuracy", number, n.err, func(as act, _ revocation.Case) event.Command[revocation.Case] {
		return revocation.Close{Text: text, By: c.Person, At: as.at}
	})
}

var errFinding = fault.New(fault.Invalid, "finding-unknown",
	"آنچه احراز شده است را از فهرست برگزینید.", "Choose from the list what was established.").At("finding")

// EstablishInaccuracy finds that information was false, or what else the case is
// about: a policy revokes, and no command can stop it (invariant 7).
func (a *App) EstablishInaccuracy(ctx context.Context, c Caller, number, statement string, finding revocation.Finding) (Receipt, error) {
	if finding != "" && !slices.Contains(revocation.Findings, finding) {
		return Receipt{}, errFinding
	}
	var n normaliser
	text := n.lines("statement", statement, "\n\t")
	return a.onCase(ctx, c, "EstablishInaccuracy", number, n.err, func(as act, _ revocation.Case) event.Command[revocation.Case] {
		return revocation.Close{Established: true, Finding: finding, Text: text, By: c.Person, At: as.at}
	})
}

// onCase runs a command of the CA's operators on a case.
func (a *App) onCase(ctx context.Context, c Caller, name, number string, wrong error,
	command func(act, revocation.Case) event.Command[revocation.Case],
) (Receipt, error) {
	stream := revocation.Kind.Stream(number)
	h, err := load(ctx, a, revocation.Kind, stream)
	if err != nil {
		return Receipt{}, err
	}
	authority, err := a.mayDecide(ctx, c, h.state)
	if err == nil {
		err = wrong
	}
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, name, authority, number)
	return transactFrom(ctx, a, revocation.Kind, stream, h, as, just[revocation.Case](command(as, h.state)))
}

// RevokeForFalsity follows an established case; a policy asks. A certificate
// that was revoked before for another reason stays revoked.
func (a *App) RevokeForFalsity(ctx context.Context, c Caller, e revocation.InaccuracyEstablished) error {
	stream := certificate.Kind.Stream(e.Certificate)
	as := a.do(c, "RevokeForFalsity", "policy", e.Case)
	ground := map[revocation.Finding]certificate.Ground{
		revocation.FalseInformation: certificate.FalseInformation, revocation.AffiliationLost: certificate.AffiliationLost,
		revocation.HolderDead: certificate.HolderDead,
	}[e.Finding]
	revoke := certificate.Revoke{
		Ask: certificate.Ask{Ground: ground, By: certificate.House}, Case: revocation.Kind.Stream(e.Case), By: as.actor(), At: as.at,
	}
	_, err := transact(ctx, a, certificate.Kind, stream, as, just[certificate.Certificate](revoke))
	if err != nil && !errors.Is(err, certificate.ErrAlreadyRevoked) {
		return err
	}
	held, err := load(ctx, a, certificate.Kind, stream) // a superseded one, too: what renewed it says the same
	if err != nil {
		return err
	}
	because := why{ground, ground.Reason(), revoke.Case}
	if err := a.spread(ctx, c, e.Certificate, held.state.Issued.Request, because); err != nil || ground != certificate.HolderDead || held.state.Issued.Request == "" {
		return err
	}
	return a.bereave(ctx, c, held.state.Issued.Request, because)
}

// CaseReview is a case with all that speaks for it, as who decides it sees it.
type CaseReview struct {
	Number      string             `json:"number"`
	Certificate string             `json:"certificate"`
	Status      revocation.Status  `json:"status"`
	Evidence    []EvidenceReviewed `json:"evidence"`
}

// EvidenceReviewed is one piece of it.
type EvidenceReviewed struct {
	Source    revocation.Source   `json:"source"`
	Cites     revocation.Evidence `json:"cites"`
	Statement string              `json:"statement,omitempty"` // empty once erased
	At        time.Time           `json:"at"`
}

// ReviewCase shows a case straight from the log: what is decided must be what
// was seen.
func (a *App) ReviewCase(ctx context.Context, number string) (CaseReview, error) {
	h, err := load(ctx, a, revocation.Kind, revocation.Kind.Stream(number))
	if err == nil && h.state.Status == revocation.None {
		err = revocation.ErrNotFound
	}
	if err != nil {
		return CaseReview{}, err
	}
	v := CaseReview{Number: h.state.Opened.Case, Certificate: h.state.Opened.Certificate, Status: h.state.Status}
	for _, r := range h.records {
		e, err := revocation.Catalog.Open(r)
		if err != nil {
			return CaseReview{}, err
		}
		piece, ok, err := a.reviewed(ctx, e)
		if err != nil {
			return CaseReview{}, fmt.Errorf("evidence of %s: %w", r.Stream, err)
		}
		if ok {
			v.Evidence = append(v.Evidence, piece)
		}
	}
	return v, nil
}

func (a *App) reviewed(ctx context.Context, e event.Event) (v EvidenceReviewed, ok bool, err error) {
	var cites *revocation.Evidence
	var sealed *event.Personal[revocation.Statement]
	switch e := e.(type) {
	case revocation.Opened:
		v.Source, v.At, cites, sealed = e.Source, e.At, e.Evidence, e.Statement
	case revocation.EvidenceAdded:
		v.Source, v.At, cites, sealed = e.Source, e.At, e.Evidence, e.Statement
	default:
		return v, false, nil
	}
	if cites != nil {
		v.Cites = *cites
	}
	if sealed != nil {
		text, err := sealed.Open(ctx, a.Keeper)
		if err != nil && !errors.Is(err, event.ErrErased) {
			return v, false, err
		}
		v.Statement = text.Text
	}
	return v, true, nil
}
