package profile

import (
	"errors"
	"strings"
	"testing"

	"govahi/domain/fault/faulttest"
)

func responder() Profile {
	return Profile{
		Name: "answers", Version: 1, Title: Title{"پاسخ", "answers"}, Holder: Responder, Use: Answering, KeyUsage: []KeyUsage{DigitalSignature},
		ExtendedKeyUsage: []Purpose{OCSPSigning}, Keys: []Key{P256}, Email: EmailNone, Validity: Validity{Days: 30},
		Subject: []Attribute{{Type: Country, Value: "IR"}, {Type: CommonName, Value: "Responder"}},
	}
}

func person(version int) Profile {
	return Profile{
		Name: "person", Version: version, Product: "person", Title: Title{"شخص", "person"}, Holder: Person, Sector: Unaffiliated,
		Use: Signing, KeyUsage: []KeyUsage{NonRepudiation}, ExtendedKeyUsage: []Purpose{EmailProtection}, Keys: []Key{P256, RSA2048},
		Subject: []Attribute{
			{Type: Country, Value: "IR"},
			{Type: Organization, From: FromSector},
			{Type: Province, From: FromProvince},
			{Type: Locality, From: FromCity},
			{Type: Surname, From: FromSurname},
			{Type: GivenName, From: FromGivenName},
			{Type: SerialNumber, From: FromPersonCode},
			{Type: CommonName, From: FromLatinName, Suffix: "[Sign]"},
		},
		Email: EmailRequired, Validity: Validity{Years: 1}, Level: 2, Policy: "2.16.364.1", AcceptanceDays: 30, RenewalDays: 30,
	}
}

func set(profiles ...Profile) (Set, error) {
	files := []File{{"answers.yaml", responder()}}
	for _, p := range profiles {
		files = append(files, File{p.ID() + ".yaml", p})
	}
	return NewSet(files...)
}

func TestTheNewestVersionIsOffered(t *testing.T) {
	s, err := set(person(2), person(10), person(1))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.Offered("person"); err != nil || p.Version != 10 {
		t.Errorf("offered is %s, %v", p.ID(), err)
	}
	if p, ok := s.Find("person@1"); !ok || p.Version != 1 {
		t.Error("the oldest is lost")
	}
	if got := s.Products(); len(got) != 1 || got[0] != "person" {
		t.Errorf("products %v", got)
	}
}

func TestARetiredVersionEndsTheProduct(t *testing.T) {
	last := person(2)
	last.Retired = true
	s, err := set(person(1), last)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Offered("person"); !errors.Is(err, ErrProduct) || len(s.Products()) != 0 {
		t.Errorf("still offered: %v", err)
	}
	again := person(3)
	if s, err = set(person(1), last, again); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Offered("person"); err != nil || p.Version != 3 {
		t.Errorf("not offered again: %v", err)
	}
}

func TestWhatNobodyAsksForIsNotOffered(t *testing.T) {
	s, err := set(person(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, product := range []string{"", "answers", "ocsp-responder", ":ocsp-responder"} {
		if _, err := s.Offered(product); !errors.Is(err, ErrProduct) {
			t.Errorf("%q is offered", product)
		}
	}
	if p, ok := s.Responder(); !ok || p.Name != "answers" {
		t.Error("no responder")
	}
	if _, ok := s.Officer(); ok {
		t.Error("an officer from nowhere")
	}
}

func TestProfilesThatDoNotGoTogetherAreRefused(t *testing.T) {
	other := person(1)
	other.Name = "other"
	two := responder()
	two.Name = "answers-too"
	for name, c := range map[string]struct {
		files       []Profile
		field, says string
	}{
		"one version twice":  {[]Profile{person(1), person(1)}, "version", "already"},
		"one product twice":  {[]Profile{person(1), other}, "product", "other@1"},
		"two for responders": {[]Profile{two}, "holder", "answers-too@1"},
	} {
		_, err := set(c.files...)
		wantRemark(t, name, err, c.field, c.says)
	}
	_, err := NewSet(File{"a", person(1)})
	wantRemark(t, "no responder", err, "holder", "ocsp-responder")
}

func wantRemark(t *testing.T, name string, err error, field, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v", name, err)
		return
	}
	if err := faulttest.Remarked(err.Error(), field); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// TestWhatCannotBeIsRemarkedOn in both languages, with the values at their places.
func TestWhatCannotBeIsRemarkedOn(t *testing.T) {
	officer := func(p *Profile) {
		p.Holder, p.Name, p.Product, p.Sector, p.AcceptanceDays = Officer, OfficersName, "", Governmental, 0
	}
	for says, c := range map[string]struct {
		of     Profile
		spoil  func(*Profile)
		fields []string
	}{
		"at most 40":                   {person(1), func(p *Profile) { p.Name, p.Product = "a--b", "B" }, []string{"name", "product"}},
		"not from 1 to 9999":           {person(1), func(p *Profile) { p.Version = 0 }, []string{"version"}},
		"in English, is missing":       {person(1), func(p *Profile) { p.Title = Title{} }, []string{"title.fa", "title.en"}},
		"certified without a request":  {responder(), func(p *Profile) { p.Product, p.Sector = "x", Governmental }, []string{"product", "sector"}},
		`"anybody" is none of person`:  {person(1), func(p *Profile) { p.Holder = "anybody" }, []string{"holder", "subject[0].type"}},
		"O is missing, which holder":   {person(1), func(p *Profile) { p.Subject = p.Subject[:1] }, []string{"subject"}},
		"other records know":           {person(1), func(p *Profile) { p.Name = OfficersName }, []string{"name"}},
		"holder person is":             {person(1), func(p *Profile) { p.Sector = "" }, []string{"sector"}},
		"holder ra-officer is":         {person(1), func(p *Profile) { officer(p); p.Sector = "" }, []string{"sector"}},
		"accepts nothing":              {person(1), func(p *Profile) { officer(p); p.AcceptanceDays = 1 }, []string{"acceptanceDays"}},
		"not from 0 to 366":            {person(1), func(p *Profile) { officer(p); p.RenewalDays = 999 }, []string{"renewalDays"}},
		"not from 1 to 366, within":    {person(1), func(p *Profile) { p.RenewalDays = 0 }, []string{"renewalDays"}},
		"one for signing and one":      {person(1), func(p *Profile) { p.Use = Mixed }, []string{"use"}},
		"neither with another":         {person(1), func(p *Profile) { p.Use = Answering }, []string{"use"}},
		"which encryption needs":       {person(1), func(p *Profile) { p.Use = Encryption }, []string{"keyUsage", "escrow"}},
		"it is for encryption only":    {person(1), func(p *Profile) { p.Escrow = "none" }, []string{"escrow"}},
		"nothing is said; for signing": {person(1), func(p *Profile) { p.Keys, p.KeyUsage = nil, nil }, []string{"keys", "keyUsage"}},
		`"p-256" stands twice`:         {person(1), func(p *Profile) { p.Keys = []Key{P256, P256} }, []string{"keys"}},
		`"serverAuth" cannot be; for`:  {person(1), func(p *Profile) { p.ExtendedKeyUsage = []Purpose{"serverAuth"} }, []string{"extendedKeyUsage"}},
		"C stands 2 times, and may 1":  {person(1), func(p *Profile) { p.Subject = append(p.Subject, p.Subject[0]) }, []string{"subject"}},
		"no address":                   {responder(), func(p *Profile) { p.Email = EmailRequired }, []string{"email"}},
		"either a value or from":       {person(1), func(p *Profile) { p.Subject[2].From = "" }, []string{"subject[2]"}},
		"for S it is one of":           {person(1), func(p *Profile) { p.Subject[2].From = FromCity }, []string{"subject[2].from"}},
		"C is IR":                      {person(1), func(p *Profile) { p.Subject[0].Value = "FR" }, []string{"subject[0].value"}},
		"O is the sector":              {person(1), func(p *Profile) { p.Subject[1] = Attribute{Type: Organization, Value: "x"} }, []string{"subject[1].from"}},
		"take it from somewhere":       {person(1), func(p *Profile) { p.Subject[4] = Attribute{Type: Surname, Value: "x"} }, []string{"subject[4].value"}},
		"only CN has one":              {person(1), func(p *Profile) { p.Subject[4].Suffix = "[X]" }, []string{"subject[4].suffix"}},
		"a word in brackets":           {person(1), func(p *Profile) { p.Subject[7].Suffix = "x" }, []string{"subject[7].suffix"}},
		"the responder's name has":     {responder(), func(p *Profile) { p.Subject[1].Suffix = "[X]" }, []string{"subject[1].suffix"}},
		`for holder person it is "`:    {person(1), func(p *Profile) { p.Subject[7].From = "" }, []string{"subject[7].from", "subject[7]"}},
		"either years or days":         {person(1), func(p *Profile) { p.Validity = Validity{6, 1827} }, []string{"validity", "validity.years", "validity.days"}},
		"leave the days out":           {person(1), func(p *Profile) { p.Suspension.Days = 1 }, []string{"suspension.days"}},
		"not from 1 to 366":            {person(1), func(p *Profile) { p.Suspension.Allowed, p.AcceptanceDays = true, 0 }, []string{"suspension.days", "acceptanceDays"}},
		"neither policy nor cps":       {responder(), func(p *Profile) { p.Policy, p.Level = "1.2.3", 1 }, []string{"policy", "level"}},
		"is not suspended":             {responder(), func(p *Profile) { p.Suspension = Suspension{Allowed: true, Days: 1} }, []string{"suspension.allowed"}},
		"1 (bronze)":                   {person(1), func(p *Profile) { p.Policy, p.Level, p.CPS = "x", 5, "ftp://x" }, []string{"policy", "level", "cps"}},
	} {
		c.spoil(&c.of)
		_, err := NewSet(File{"spoilt", c.of})
		for _, field := range c.fields {
			wantRemark(t, says, err, field, says)
		}
	}
}

// TestTheHashIsOfWhatItSays: every field counts, and the order of lists.
func TestTheHashIsOfWhatItSays(t *testing.T) {
	seen := map[string]string{person(1).Hash(): "as it is"}
	for name, change := range map[string]func(*Profile){
		"version": func(p *Profile) { p.Version = 2 }, "product": func(p *Profile) { p.Product = "x" },
		"retired": func(p *Profile) { p.Retired = true }, "title": func(p *Profile) { p.Title.Fa = "x" },
		"use": func(p *Profile) { p.Use = Authentication }, "keys": func(p *Profile) { p.Keys = []Key{RSA2048, P256} },
		"key usage": func(p *Profile) { p.KeyUsage = nil }, "purposes": func(p *Profile) { p.ExtendedKeyUsage = nil },
		"subject": func(p *Profile) { p.Subject = p.Subject[1:] }, "email": func(p *Profile) { p.Email = EmailNone },
		"validity": func(p *Profile) { p.Validity.Years = 2 }, "level": func(p *Profile) { p.Level = 3 },
		"policy": func(p *Profile) { p.Policy = "1.2.3" }, "cps": func(p *Profile) { p.CPS = "http://x" },
		"suspension": func(p *Profile) { p.Suspension.Allowed = true }, "acceptance": func(p *Profile) { p.AcceptanceDays = 1 },
		"renewal": func(p *Profile) { p.RenewalDays = 1 }, "escrow": func(p *Profile) { p.Escrow = "none" },
		"sector": func(p *Profile) { p.Sector = "x" }, "holder": func(p *Profile) { p.Holder = Member }, "name": func(p *Profile) { p.Name = "x" },
	} {
		p := person(1)
		change(&p)
		if other, ok := seen[p.Hash()]; ok {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[p.Hash()] = name
	}
}

func TestWhatAProfileKnows(t *testing.T) {
	p := person(1)
	if got := p.Until(noon); !got.Equal(noon.AddDate(1, 0, 0).Add(-1e9)) {
		t.Errorf("until %v", got)
	}
	if !p.Allows(P256) || p.Allows(P384) || p.Affiliated() || !p.Requested() || !p.Has(SerialNumber) || p.Has(Post) {
		t.Error("knows itself wrongly")
	}
}
