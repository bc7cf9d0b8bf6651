package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"govahi/adapters/sso"
	"govahi/domain/appointment"
)

// The places of a seeded instance.
const (
	sampleOffice = "office-1"
	otherOffice  = "office-2"
	sampleUnit   = "unit-rt"

	// Of channel B, and of the sample company.
	insideUnit      = "unit-b"
	sampleAuthority = "authority-1"
	companyUnit     = "company-unit-1"
	sampleCompany   = "10999001013"
)

// seed gives a new instance what the personas need. Every step is idempotent:
// seeding twice changes nothing.
type seed struct {
	*client
	bootstrap func(ctx context.Context, code string) error
	until     time.Time
	offices   map[string]string // of the registration officers
}

func (s seed) run(ctx context.Context) error {
	codes := personaCodes()
	if err := s.bootstrap(ctx, codes["admin"]); err != nil {
		return err
	}
	for _, o := range []map[string]string{
		{"sort": "registration-office", "code": sampleOffice, "name": "دفتر ثبت‌نام نمونهٔ یک", "province": "تهران", "city": "تهران"},
		{"sort": "registration-office", "code": otherOffice, "name": "دفتر ثبت‌نام نمونهٔ دو", "province": "خوزستان", "city": "اهواز"},
		{"sort": "research-unit", "code": sampleUnit, "name": "واحد پژوهش و فناوری نمونه", "province": "تهران", "city": "تهران"},
		{"sort": "research-unit", "code": insideUnit, "name": "واحد پژوهش و فناوری شرکت نمونه", "province": "تهران", "city": "تهران", "company": sampleCompany},
		{"sort": "contracted-authority", "code": sampleAuthority, "name": "مرجع طرف قرارداد نمونه", "province": "تهران", "city": "تهران"},
		{"sort": "company-unit", "code": companyUnit, "name": "واحد تحویل شرکت نمونه", "province": "تهران", "city": "تهران", "company": sampleCompany},
	} {
		if err := s.post(ctx, "admin", "seed-"+o["code"], "/offices", o, nil); err != nil {
			return err
		}
	}
	if err := s.appoint(ctx, codes); err != nil {
		return err
	}
	if err := s.license(ctx); err != nil {
		return err
	}
	err := s.post(ctx, "manager", "seed-contract", "/contracts", map[string]any{"company": sampleCompany, "number": "Q-1", "until": s.until}, nil)
	if err != nil {
		return err
	}
	return s.post(ctx, "manager", "seed-tariff", "/tariffs", map[string]any{
		"product": "cpmis-signature", "tokenRial": 1_200_000, "issuanceRial": 2_245_110, "validFrom": "2026-01-01T00:00:00Z",
	}, nil)
}

// all seeds, and equips the officers; a CA must be at work for that.
func (s seed) all(ctx context.Context) error {
	if err := s.run(ctx); err != nil {
		return err
	}
	codes := personaCodes()
	for _, persona := range []string{"officer-1", "officer-2", "officer-other"} {
		if err := s.equip(ctx, persona, codes[persona]); err != nil {
			return err
		}
	}
	return nil
}

func personaCodes() map[string]string {
	codes := map[string]string{}
	for _, p := range sso.Personas() {
		codes[p.Name] = p.NationalCode
	}
	return codes
}

func (s seed) appoint(ctx context.Context, codes map[string]string) error {
	for _, a := range []struct {
		persona string
		role    appointment.Role
		place   string
	}{
		{"manager", appointment.Manager, ""},
		{"auditor", appointment.Auditor, ""},
		{"ca-operator", appointment.CAOperator, ""},
		{"ca-operator-2", appointment.CAOperator, ""}, // an issuer is ended by two
		{"officer-1", appointment.RegistrationOfficer, sampleOffice},
		{"officer-2", appointment.RegistrationOfficer, sampleOffice},
		{"officer-other", appointment.RegistrationOfficer, otherOffice},
		{"research-officer", appointment.ResearchOfficer, sampleUnit},
		{"inside-officer", appointment.ResearchOfficer, insideUnit},
		{"courier", appointment.AuthorityOfficer, sampleAuthority},
		{"company-officer", appointment.UnitOfficer, companyUnit},
	} {
		err := s.post(ctx, "admin", "seed-"+a.persona, "/appointments", map[string]any{
			"personCode": codes[a.persona], "role": a.role, "place": a.place, "until": s.until,
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// license gives the offices their licences, for as long as the appointments.
func (s seed) license(ctx context.Context) error {
	for _, code := range []string{sampleOffice, otherOffice, sampleAuthority} {
		err := s.post(ctx, "ca-operator", "seed-licence-"+code, "/offices/"+code+"/licence", map[string]any{
			"number": "P-" + code, "validFrom": s.until.AddDate(-2, 0, 0), "validUntil": s.until,
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

type devSeed struct{ devInstance }

// Run seeds the running instance.
func (s devSeed) Run() error {
	d, err := s.open()
	if err != nil {
		return err
	}
	if s.Log == "" {
		if err := d.running(); err != nil {
			return err
		}
	}
	ctx := context.Background()
	sowing, done, err := s.sowing(ctx, d)
	if err != nil {
		return err
	}
	defer done()
	if err := sowing.all(ctx); err != nil {
		var r refusal
		if errors.As(err, &r) {
			return r
		}
		return said(err)
	}
	fmt.Println("offices, tariff and appointments are in place: each persona can act")
	return nil
}

// sowing binds the seed to a running instance.
func (i devInstance) sowing(ctx context.Context, d data) (seed, func(), error) {
	issuer, err := openIssuer(d, i.base(), i.Audience)
	if err != nil {
		return seed{}, nil, err
	}
	app, done, err := i.app(ctx)
	if err != nil {
		return seed{}, nil, err
	}
	token := func(persona string) (string, error) { return issuer.Token(persona, time.Hour) }
	end := time.Date(now().Year()+1, 12, 31, 0, 0, 0, 0, time.UTC) // the same on the same day's retry
	c := newClient(i.base(), token)
	c.officers = officers{d.path("officers")}
	offices := map[string]string{"officer-1": sampleOffice, "officer-2": sampleOffice, "officer-other": otherOffice}
	return seed{c, func(ctx context.Context, code string) error {
		_, err := app.Bootstrap(ctx, code)
		return err
	}, end, offices}, done, nil
}
