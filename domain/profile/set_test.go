package profile

import (
	"errors"
	"strings"
	"testing"
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
		files []Profile
		says  string
	}{
		"one version twice":  {[]Profile{person(1), person(1)}, "already"},
		"one product twice":  {[]Profile{person(1), other}, "other@1"},
		"two for responders": {[]Profile{two}, "answers-too@1"},
	} {
		if _, err := set(c.files...); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewSet(File{"a", person(1)}); err == nil || !strings.Contains(err.Error(), "ocsp-responder") {
		t.Errorf("no responder: %v", err)
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
