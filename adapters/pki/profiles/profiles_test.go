package profiles_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"govahi/adapters/pki/profiles"
	"govahi/domain/fault/faulttest"
	"govahi/domain/profile"
)

// sums are the hashes of the profiles that came with a release. A line is never
// changed: new contents are a new version.
const sums = "testdata/sha256"

func TestDefaultsAreNeverChanged(t *testing.T) {
	var have strings.Builder
	for _, p := range profiles.Default().All() {
		have.WriteString(p.Hash() + "  " + p.ID() + "\n")
	}
	want, err := os.ReadFile(sums)
	if os.IsNotExist(err) && os.Getenv("GOVAHI_UPDATE_GOLDEN") != "" {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(sums, []byte(have.String()), 0o644))
		return
	}
	must(t, err)
	for line := range strings.Lines(string(want)) {
		if !strings.Contains(have.String(), line) {
			t.Errorf("changed or gone: %s", line)
		}
	}
	for line := range strings.Lines(have.String()) {
		if !strings.Contains(string(want), line) {
			t.Errorf("add to %s: %s", sums, line)
		}
	}
}

func TestWhatIsOffered(t *testing.T) {
	s := profiles.Default()
	want := []string{
		"cpmis-authentication", "cpmis-signature", "member-authentication", "member-encryption", "member-signature",
		"official-authentication", "official-encryption", "official-signature", "official-stamp", "organisation-stamp",
		"person-authentication", "person-encryption", "person-signature",
	}
	if diff := cmp.Diff(want, s.Products()); diff != "" {
		t.Error(diff)
	}
	p, err := s.Offered("cpmis-signature")
	must(t, err)
	if p.ID() != "cpmis-signature@2" {
		t.Errorf("new certificates come under %s", p.ID())
	}
	if old, ok := s.Find("cpmis-signature@1"); !ok || !old.Retired || old.Use != profile.Mixed {
		t.Errorf("old certificates stand under %+v", old)
	}
}

// good is a directory with the default files, to be spoilt.
func good(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob("*.yaml")
	must(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, f), text, 0o644))
	}
	return dir
}

func TestADirectoryReplacesTheDefaults(t *testing.T) {
	dir := good(t)
	must(t, os.Remove(filepath.Join(dir, "organisation-stamp@1.yaml")))
	must(t, os.WriteFile(filepath.Join(dir, ".swp"), []byte("of an editor"), 0o644))
	s, err := profiles.Load(dir)
	must(t, err)
	if _, err := s.Offered("organisation-stamp"); err == nil {
		t.Error("a default was mixed in")
	}
	same, err := profiles.Load("")
	must(t, err)
	if len(same.All()) != len(profiles.Default().All()) {
		t.Error("no directory is not the defaults")
	}
}

// TestAWrongFileIsNamedWithFieldAndRemedy spoils one thing at a time: the
// message names the file, the field, and what may stand there.
func TestAWrongFileIsNamedWithFieldAndRemedy(t *testing.T) {
	const file = "person-encryption@1.yaml"
	for from, c := range map[string]struct{ to, field, allowed string }{
		"name: person-encryption\n":                    {"name: person-other\n", "name", "person-other@1.yaml"},
		"version: 1":                                   {"version: 2", "name", "person-encryption@2.yaml"},
		"holder: person":                               {"holder: anybody", "holder", "person, member, stamp"},
		"sector: Unaffiliated":                         {"sector: Governmental", "sector", "Unaffiliated"},
		"use: encryption":                              {"use: everything", "use", "signing, authentication, encryption"},
		"escrow: none":                                 {"escrow: kept", "escrow", "none"},
		"escrow: none\n":                               {"escrow: none\nescrow: none\n", `خانهٔ "escrow" دو بار`, "already defined"},
		"[keyEncipherment, keyAgreement]":              {"[nonRepudiation, keyEncipherment]", "keyUsage", "keyEncipherment, keyAgreement"},
		"extendedKeyUsage: [emailProtection]":          {"extendedKeyUsage: [serverAuth]", "extendedKeyUsage", "emailProtection"},
		"keys: [rsa-2048, rsa-3072, p-256, p-384]":     {"keys: [rsa-1024]", "keys", "rsa-2048, rsa-3072, p-256, p-384"},
		"keys: [rsa-2048,":                             {"keys: [rsa-2048, rsa-2048,", "keys", "twice"},
		"{type: C, value: IR}":                         {"{type: C, value: FR}", "subject[0].value", "IR"},
		"{type: SN, from: surname}":                    {"{type: SN, value: Sara}", "subject[4].value", "take it from"},
		"  - {type: SERIALNUMBER, from: personCode}\n": {"", "subject", "SERIALNUMBER is missing"},
		"{type: G, from: givenName}":                   {"{type: G, from: surname}", "subject[5].from", "givenName"},
		"{type: L, from: city}":                        {"{type: DC, from: city}", "subject[3].type", "C, O, S, L"},
		"suffix: \"[Encrypt]\"":                        {"suffix: Encrypt", "subject[7].suffix", "[Sign]"},
		"email: required":                              {"email: maybe", "email", "required, none"},
		"validity: {years: 1}":                         {"validity: {years: 9}", "validity.years", "1 to 5"},
		"years: 1":                                     {"years: one", `"one" مقدار درستی نیست`, "write a whole number"},
		"validity: {years: 1":                          {"validity: {years: 0", "validity", "years or days"},
		"validity: {years":                             {"validity: {days: 400, years", "validity", "years or days"},
		"{years: 1}":                                   {"{years: -1}", "validity.years", "1 to 5"},
		"validity: {years: 1}\n":                       {"validity: {days: 1827}\n", "validity.days", "1 to 1826"},
		"policy: 1.3.6":                                {"policy: 1.3.06", "policy", "2.16.364.101.1"},
		"policy: 1":                                    {"policy: 3", "policy", "2.16.364.101.1"},
		"rsa-3072, p-256":                              {"rsa-3072, p-224", "keys", "rsa-2048, rsa-3072, p-256, p-384"},
		"rsa-3072, p-256, p-384":                       {"rsa-3072, p-521", "keys", "rsa-2048, rsa-3072, p-256, p-384"},
		"level: 2":                                     {"level: 5", "level", "1 (bronze) to 4"},
		"level: 2\n":                                   {"levle: 2\n", `خانه‌ای به نام "levle"`, `unknown field "levle"`},
		"policy: 1.3":                                  {"policy: x.3", "policy", "2.16.364.101.1"},
		"allowed: true, days: 30":                      {"allowed: true, days: 0", "suspension.days", "1 to 366"},
		"acceptanceDays: 30":                           {"acceptanceDays: -1", "acceptanceDays", "1 to 366"},
		"renewalDays: 30":                              {"renewalDays: 400", "renewalDays", "1 to 366"},
		"product: person-encryption":                   {"product: person-signature", "product", "person-signature@1"},
		"renewalDays: 30\n":                            {"renewalDays: 30\n---\nname: two\n", "سند دومی", "second document"},
		"title: {fa":                                   {"title: [fa", "YAML درست نیست", "[5:66]"},
	} {
		t.Run(c.to, func(t *testing.T) {
			dir := good(t)
			text, err := os.ReadFile(file)
			must(t, err)
			spoilt := strings.Replace(string(text), from, c.to, 1)
			if spoilt == string(text) {
				t.Fatalf("%q does not stand in %s", from, file)
			}
			must(t, os.WriteFile(filepath.Join(dir, file), []byte(spoilt), 0o644))
			_, err = profiles.Load(dir)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range []string{strings.TrimSuffix(file, ".yaml"), dir, c.field, c.allowed} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("no %q in:\n%v", part, err)
				}
			}
			if err := faulttest.Remarked(err.Error(), c.field); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOtherFilesAndMissingOnesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil       func(dir string) error
		field, says string
	}{
		"a copy":       {func(d string) error { return os.WriteFile(filepath.Join(d, "person.yaml.bak"), nil, 0o644) }, "جای دیگری", "move this one elsewhere"},
		"an empty one": {func(d string) error { return os.WriteFile(filepath.Join(d, "a@1.yaml"), nil, 0o644) }, "خالی", "empty"},
		"a long one": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "a@1.yaml"), []byte(strings.Repeat("#\n", 40<<10)), 0o644)
		}, "بلندتر", "longer than"},
		"no responder": {func(d string) error { return os.Remove(filepath.Join(d, "ocsp-responder@1.yaml")) }, "holder", "ocsp-responder"},
		"nothing": {func(d string) error {
			files, _ := filepath.Glob(d + "/*.yaml")
			for _, f := range files {
				_ = os.Remove(f)
			}
			return nil
		}, "در این پوشه نمایه‌ای نیست", "holds no profile"},
		"no directory": {os.RemoveAll, "خوانده نمی‌شود", "no such file"},
	} {
		dir := good(t)
		must(t, c.spoil(dir))
		if _, err := profiles.Load(dir); err == nil || !strings.Contains(err.Error(), c.says) || faulttest.Remarked(err.Error(), c.field) != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
