package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"govahi/adapters/mail"
	"govahi/adapters/sso"
	"govahi/commands"
)

// story is one certificate of channel A, from form to revocation, told over
// HTTP by the people who take part (domain §2.3). Test data is synthetic.
type story struct {
	*client
	name   string // makes the Idempotency-Keys of this telling its own
	holder string // persona whose certificate it is
	outbox *mail.Outbox
	tokens string // directory of the office's blank tokens
	out    io.Writer

	patience                                 time.Duration // how many times awaitFor a consequence may take; 0 is once
	code, token, serial, fingerprint, number string
	user, renews                             string // CPMIS user, and the certificate before this one
	bag                                      string // consignment on its way
}

// step is who does what; the state afterwards is read and printed.
type step struct {
	who, what string
	do        func(context.Context) error
	state     string // expected afterwards; empty for a step without one
}

func (s *story) tell(ctx context.Context, steps []step) error {
	for _, st := range steps {
		began := time.Now()
		if err := st.do(ctx); err != nil {
			return fmt.Errorf("%s, %s: %w", st.who, st.what, err)
		}
		state, err := s.await(ctx, st.state)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", st.who, st.what, err)
		}
		_, _ = fmt.Fprintf(s.out, "  %-17s %-52s %-12s %-18s %6d ms\n",
			st.who, st.what, s.code, state, time.Since(began).Milliseconds())
	}
	return nil
}

// awaitFor bounds how long a step's consequence may take.
const awaitFor = 20 * time.Second

// await polls the request until it shows the state that the step leads to.
func (s *story) await(ctx context.Context, want string) (string, error) {
	if s.code == "" || want == "" {
		return want, nil
	}
	var now struct{ State string }
	err := s.until(ctx, func(ctx context.Context) (bool, error) {
		err := s.get(ctx, "manager", "/requests/"+s.code, &now)
		return now.State == want, err
	})
	if err != nil {
		return now.State, fmt.Errorf("the request is %q, expected %q: %w", now.State, want, err)
	}
	return now.State, nil
}

var errTooLong = errors.New("it took too long")

func (s *story) until(ctx context.Context, so func(context.Context) (bool, error)) error {
	for end := time.Now().Add(awaitFor * max(s.patience, 1)); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok, err := so(ctx); ok || (err != nil && !waitsForView(err)) {
			return err
		}
	}
	return errTooLong
}

func waitsForView(err error) bool {
	var r refusal
	return errors.As(err, &r) && (r.Status == 503 || r.Status == 404)
}

// say posts a command about the request.
func (s *story) say(who, act string, body any) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.post(ctx, who, s.name+"-"+act, "/requests/"+s.code+"/"+act, body, nil)
	}
}

// applicantForm is the sample applicant's form. Nothing in it is real.
func applicantForm(persona string) commands.FormInput {
	code := ""
	for _, p := range sso.Personas() {
		if p.Name == persona {
			code = p.NationalCode
		}
	}
	return commands.FormInput{
		GivenName: "متقاضی", Surname: "نمونه‌پور", LatinGivenName: "Motaghazi", LatinSurname: "Nemunepur",
		PersonCode: code, BirthDate: "۱۳۶۰/۰۱/۰۱", Mobile: "۰۹۱۲۰۰۰۰۰۰۰", Email: "nemune@example.ir",
		Address: "تهران، خیابان نمونه، پلاک ۰", PostalCode: "1619735744", Province: "تهران", City: "تهران",
		OrganizationName: "شرکت نمونهٔ آزمایشی", Organization: "10999001013", Post: "کارشناس پژوهش",
	}
}

// untilSubmitted is the applicant's part.
func (s *story) untilSubmitted() []step {
	return append(s.form("outside"), step{s.holder, "submits the request to the office", func(ctx context.Context) error {
		return s.say(s.holder, "submission", map[string]string{"office": sampleOffice})(ctx)
	}, "at-office"})
}

// form is what an applicant does before anybody sees it.
func (s *story) form(channel string) []step {
	return []step{
		{s.holder, "opens a request, has a tracking code at once", s.open(channel), "draft"},
		{s.holder, "completes the form", func(ctx context.Context) error {
			return s.say(s.holder, "form", applicantForm(s.holder))(ctx)
		}, "completed"},
		{s.holder, "proves the e-mail address by the code sent there", s.proveEmail, "completed"},
		{s.holder, "accepts the liability notice", s.acceptLiability, "ready"},
	}
}

func (s *story) open(channel string) func(context.Context) error {
	return func(ctx context.Context) error {
		var opened struct{ TrackingCode string }
		err := s.post(ctx, s.holder, s.name+"-open", "/requests",
			map[string]string{"channel": channel, "certificateType": "cpmis-signature"}, &opened)
		s.code = opened.TrackingCode
		return err
	}
}

func (s *story) proveEmail(ctx context.Context) error {
	var code string
	err := s.until(ctx, func(context.Context) (bool, error) {
		all, err := s.outbox.Messages()
		for _, m := range all {
			if digits := m.Code(); digits != "" && strings.Contains(m.Body, persianGroups(s.code)) {
				code = digits
			}
		}
		return code != "", err
	})
	if err != nil {
		return fmt.Errorf("no e-mail came: %w", err)
	}
	return s.say(s.holder, "email-confirmation", map[string]string{"code": code})(ctx)
}

func (s *story) acceptLiability(ctx context.Context) error {
	var notice struct{ Version, TextHash string }
	if err := s.get(ctx, "", "/liability-notice", &notice); err != nil {
		return err
	}
	return s.say(s.holder, "liability", map[string]string{"version": notice.Version, "textHash": notice.TextHash})(ctx)
}

// untilConfirmed is the registration office's part.
func (s *story) untilConfirmed() []step {
	return []step{
		{"officer-1", "sights the originals; the registry matches", s.verify, "under-control"},
		{"officer-1", "records the payment at the terminal", s.pay, "controlled"},
		s.confirmation(),
	}
}

func (s *story) confirmation() step {
	return step{"officer-2", "reviews the record and confirms exactly it", s.confirm, "confirmed"}
}

// originals are what an officer says that he saw.
func (s *story) originals(sighted ...string) map[string]any {
	return map[string]any{"sighted": sighted, "letter": map[string]string{"number": "۱۲/۳۴۵", "date": "1405/08/01"}}
}

func (s *story) verify(ctx context.Context) error {
	return s.sight(ctx, s.name+"-documents", s.originals("birth-certificate", "national-card", "legal-person-card", "introduction-letter"))
}

// sight records originals seen at the office, and waits for the registry.
func (s *story) sight(ctx context.Context, key string, originals map[string]any) error {
	if err := s.post(ctx, "officer-1", key, "/requests/"+s.code+"/documents", originals, nil); err != nil {
		return err
	}
	return s.until(ctx, func(ctx context.Context) (bool, error) {
		var r struct{ Identity string }
		err := s.get(ctx, "officer-1", "/requests/"+s.code, &r)
		return r.Identity == "matched", err
	})
}

func (s *story) pay(ctx context.Context) error {
	return s.say("officer-1", "payment", map[string]any{
		"provider": "samplebank", "terminal": "10000001", "rrn": s.code, "trace": "000123", "amountRial": 3_445_110,
	})(ctx)
}

func (s *story) confirm(ctx context.Context) error {
	var review commands.Review
	if err := s.get(ctx, "officer-2", "/requests/"+s.code+"/record", &review); err != nil {
		return err
	}
	signature, err := s.officers.sign(ctx, "officer-2", []byte(review.Statement))
	if err != nil {
		return err
	}
	return s.say("officer-2", "confirmation", map[string]any{
		"revision": review.Record.Revision, "hash": review.Record.Hash, "signature": signature,
	})(ctx)
}

// untilIssued is the token's key and its certificate.
func (s *story) untilIssued() []step {
	return []step{
		{"officer-1", "takes a blank token from stock and reserves it", s.reserve, "confirmed"},
		{"officer-1", "makes the key on the token; the CA issues", s.issue, "issued"},
		{"officer-1", "writes the certificate to the token, reads it back", s.personalise, "issued"},
	}
}

// untilActive is issuance, sheet, delivery and access.
func (s *story) untilActive() []step { return append(s.untilIssued(), s.delivered()...) }

func (s *story) delivered() []step {
	return []step{
		{"officer-1", "prints the sheet of particulars", func(ctx context.Context) error {
			return s.say("officer-1", "sheet", nil)(ctx)
		}, "ready-for-delivery"},
		{"officer-2", "re-checks identity, hands token and sheet over", func(ctx context.Context) error {
			return s.say("officer-2", "delivery", map[string]string{"identityChecked": "national-card"})(ctx)
		}, "delivered"},
		{s.holder, "accepts the certificate", func(ctx context.Context) error {
			return s.say(s.holder, "acceptance", nil)(ctx)
		}, "accepted"},
		{"research-officer", "defines the CPMIS user, bound to the fingerprint", s.defineAt("research-officer", sampleUnit), "active"},
	}
}

// workstation runs govahi-token as the officer's workstation does.
func (s *story) workstation(ctx context.Context, args ...string) (string, error) {
	return workstation(ctx, s.tokens, nil, args...)
}

func (s *story) reserve(ctx context.Context) (err error) {
	if s.token, err = s.workstation(ctx, "init"); err != nil {
		return err
	}
	stock := map[string]string{"serial": s.token, "model": "SoftHSM sample", "office": sampleOffice}
	if err := s.post(ctx, "officer-1", s.name+"-stock-"+s.token, "/tokens", stock, nil); err != nil {
		return err
	}
	return s.say("officer-1", "token", map[string]string{"token": s.token})(ctx)
}

func (s *story) issue(ctx context.Context) error {
	csr, err := s.workstation(ctx, "key", "--token", s.token)
	if err != nil {
		return err
	}
	if err := s.say("officer-1", "issuance", map[string]string{"token": s.token, "csr": csr})(ctx); err != nil {
		return err
	}
	return s.issued(ctx)
}

// issued waits for the CA and learns serial and fingerprint.
func (s *story) issued(ctx context.Context) error {
	if _, err := s.await(ctx, "issued"); err != nil {
		return err
	}
	var r struct{ Serial, Fingerprint string }
	err := s.get(ctx, "officer-1", "/requests/"+s.code, &r)
	s.serial, s.fingerprint = r.Serial, r.Fingerprint
	return err
}

func (s *story) certificate(ctx context.Context) ([]byte, error) {
	var pem []byte
	err := s.until(ctx, func(ctx context.Context) (bool, error) {
		var err error
		pem, err = s.raw(ctx, "officer-1", "/certificates/"+s.serial+"/certificate.pem")
		return err == nil, err
	})
	return pem, err
}

func (s *story) personalise(ctx context.Context) error {
	pem, err := s.certificate(ctx)
	if err != nil {
		return err
	}
	file := filepath.Join(s.tokens, s.serial+".pem")
	if err := os.WriteFile(file, pem, 0o600); err != nil {
		return err
	}
	if _, err := s.workstation(ctx, "write", "--token", s.token, "--cert", file); err != nil {
		return err
	}
	read, err := s.workstation(ctx, "read", "--token", s.token)
	if err != nil {
		return err
	}
	return s.say("officer-1", "personalisation", map[string]string{"token": s.token, "fingerprint": read})(ctx)
}

func (s *story) defineAt(who, unit string) func(context.Context) error {
	return func(ctx context.Context) error {
		s.user = cmp.Or(s.user, "nemune."+s.code[8:])
		return s.post(ctx, who, s.name+"-access", "/accesses", map[string]string{
			"trackingCode": s.code, "userName": s.user, "level": "contributor",
			"fingerprint": s.fingerprint, "unit": unit,
		}, nil)
	}
}

// whileSuspended is a holder's doubt: trust is withdrawn, and given back.
func (s *story) whileSuspended() []step {
	return []step{{s.holder, "suspends the certificate for ten days", func(ctx context.Context) error {
		return s.post(ctx, s.holder, s.name+"-suspend", "/certificates/"+s.serial+"/suspension", map[string]int{"days": 10}, nil)
	}, ""}}
}

func (s *story) whenLifted() []step {
	return []step{{s.holder, "found the token: the suspension is lifted", func(ctx context.Context) error {
		return s.post(ctx, s.holder, s.name+"-reinstate", "/certificates/"+s.serial+"/reinstatement", nil, nil)
	}, ""}}
}

// untilRevoked is what follows false information (S1.6).
func (s *story) untilRevoked() []step {
	return []step{
		{"stranger", "reports false information", s.reportFalse, "active"},
		{"ca-operator", "establishes it; a policy revokes", func(ctx context.Context) error {
			return s.post(ctx, "ca-operator", s.name+"-establish", "/cases/"+s.number+"/establishment",
				map[string]string{"statement": "نمونه: سازمان معرفی‌نامه را تأیید نکرد."}, nil)
		}, "revoked"},
		{"policy", "suspends the CPMIS access", s.accessIs(sampleUnit, false), "revoked"},
	}
}

func (s *story) reportFalse(ctx context.Context) error {
	var opened struct{ TrackingCode string }
	err := s.post(ctx, "stranger", s.name+"-report", "/certificates/"+s.serial+"/reports",
		map[string]string{"statement": "نمونه: این شخص کارمند آن سازمان نیست."}, &opened)
	s.number = opened.TrackingCode
	return err
}
