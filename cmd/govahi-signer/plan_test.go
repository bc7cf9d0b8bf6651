package main_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"govahi/adapters/pki"
	"govahi/adapters/signer/signertest"
	"govahi/adapters/token"
	"govahi/domain/fault/faulttest"
)

const developmentFile = `mode: development
token: {software: true}
root:
  algorithm: p-384
  name: {organization: Sample, commonName: Sample Root}
  years: 20
issuer:
  algorithm: ALGORITHM
  name: {organization: Sample, unit: نمونه, commonName: Sample CA}
  years: 10
responder: {algorithm: ALGORITHM}
wrapping: {algorithm: aes-256}
witnesses:
  - {fa: مدیر مرکز, en: Director}
`

const intermediateFile = `mode: intermediate
token: {software: true}
issuer:
  algorithm: p-256
  name: {organization: Sample, commonName: Sample CA}
responder: {algorithm: p-256}
wrapping: {algorithm: aes-256}
witnesses:
  - {fa: مدیر مرکز, en: Director}
  - {fa: بازرس, en: Auditor}
`

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(file, []byte(text), 0o644))
	return file
}

// TestCAOfEachKindOfKey is made, sound, and signs.
func TestCAOfEachKindOfKey(t *testing.T) {
	for _, algorithm := range []string{"rsa-2048", "rsa-3072", "p-256", "p-384"} {
		t.Run(algorithm, func(t *testing.T) {
			file := write(t, "ca.yaml", strings.ReplaceAll(developmentFile, "ALGORITHM", algorithm))
			c := newCABy(t, file)
			if table := run(t, "check", "--dir", c.dir); strings.Contains(table, "WRONG") {
				t.Errorf("check says:\n%s", table)
			}
			if text := theTranscript(t, c.dir); !strings.Contains(text, "مدیر مرکز") || !strings.Contains(text, algorithm) {
				t.Errorf("the transcript does not say who signs it, or what was made:\n%s", text)
			}
			p := c.certify(t).start(t, nil)
			stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
			der, _, err := p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER)
			must(t, err)
			_, err = c.CheckIssued(der, tbs)
			must(t, err)
			list, at, listTBS := signertest.IntendCRL(t, c.log, c, 1)
			_, _, err = p.SignCRL(t.Context(), list, at, listTBS)
			must(t, err)
			p.stop(t)
		})
	}
}

// TestAWrongCeremonyFileChangesNothing spoils one thing at a time: the message
// names the field and what may stand there, and nothing is made.
func TestAWrongCeremonyFileChangesNothing(t *testing.T) {
	development := strings.ReplaceAll(developmentFile, "ALGORITHM", "p-256")
	for name, c := range map[string]struct {
		text, from, to string
		says           []string
	}{
		"empty":                {"", "", "", []string{"خالی", "empty"}},
		"a comment alone":      {"# a plan", "", "", []string{"خالی", "empty"}},
		"an alias bomb":        {"a: &a [x, x]\nb: &b [*a, *a]\n" + development, "", "", []string{"نام مستعار", "aliases"}},
		"brackets":             {strings.Repeat("[", 30_000), "", "", []string{"در هم رفته", "nested"}},
		"a byte order mark":    {"\ufeff" + development, "", "", []string{"نشان ترتیب بایت (BOM)", "byte order mark"}},
		"Windows-1256":         {development, "نمونه", "\xe4\xe3", []string{"کدگذاری UTF-8", "encoding"}},
		"a control character":  {development, "نمونه", "\x1b[2J", []string{"کنترلی", "control characters"}},
		"a private key":        {development + "# -----BEGIN PRIVATE KEY-----\n", "", "", []string{"کلید خصوصی", "private key"}},
		"100 kB":               {development + strings.Repeat("#\n", 50_000), "", "", []string{"بلندتر", "longer than"}},
		"years below zero":     {development, "years: 20", "years: -20", []string{"root.years", "1 to 30"}},
		"years without end":    {development, "years: 20", "years: 99999999999999999999", []string{"بیش از اندازه بزرگ", "[6:"}},
		"no YAML":              {development, "mode:", "{mode:", []string{"YAML درست نیست", "cannot be held"}},
		"another mode":         {development, "mode: development", "mode: production", []string{"mode", "development nor intermediate"}},
		"an unknown field":     {development, "years: 20", "yaers: 20", []string{`خانه‌ای به نام "yaers"`, "unknown field"}},
		"a field twice":        {development, "  years: 20\n", "  years: 20\n  years: 20\n", []string{`خانهٔ "years" دو بار`, "already defined"}},
		"two documents":        {development, "witnesses:", "---\nwitnesses:", []string{"سند دومی", "second document"}},
		"years of words":       {development, "years: 20", "years: twenty", []string{`"twenty" مقدار درستی نیست`, "years"}},
		"no years":             {development, "years: 20", "years: 0", []string{"root.years", "1 to 30"}},
		"issuer outlives root": {development, "years: 10", "years: 21", []string{"issuer.years", "root's 20"}},
		"a weak key":           {development, "algorithm: p-384", "algorithm: rsa-1024", []string{"root.algorithm", "rsa-3072"}},
		"another weak key":     {development, "issuer:\n  algorithm: p-256", "issuer:\n  algorithm: p-521", []string{"issuer.algorithm", "p-384"}},
		"a weak responder":     {development, "responder: {algorithm: p-256}", "responder: {algorithm: dsa}", []string{"responder.algorithm"}},
		"a weak wrapping":      {development, "aes-256", "aes-128", []string{"wrapping.algorithm", "aes-256"}},
		"no name":              {development, "commonName: Sample CA", "commonName: ''", []string{"issuer.name.commonName", "missing"}},
		"a long name":          {development, "commonName: Sample CA", "commonName: " + strings.Repeat("x", 65), []string{"issuer.name.commonName", "64"}},
		"no organisation":      {development, "organization: Sample, unit", "unit", []string{"issuer.name.organization"}},
		"a hidden unit":        {development, "unit: نمونه", `unit: "a\u202eb"`, []string{"issuer.name.unit"}},
		"one name for both":    {development, "name: {organization: Sample, unit: نمونه, commonName: Sample CA}", "name: {organization: Sample, commonName: Sample Root}", []string{"issuer.name", "root's"}},
		"a mute witness":       {development, "{fa: مدیر مرکز, en: Director}", "{fa: مدیر مرکز}", []string{"witnesses[0].en"}},
		"software with serial": {development, "software: true", "software: true, serial: '12'", []string{"token.serial"}},
		"software with PIN":    {development, "software: true", "software: true, pinFile: pin", []string{"token.pinFile"}},
		"no token":             {development, "software: true", "software: false", []string{"token.serial", "token.pinFile"}},
		"a PIN that is away":   {development, "software: true", "software: false, serial: '12', pinFile: away", []string{"token.pinFile", "away"}},
		"no root":              {development, "root:\n  algorithm: p-384\n  name: {organization: Sample, commonName: Sample Root}\n  years: 20\n", "", []string{"root", "development makes a root"}},
		"a root too many":      {intermediateFile, "issuer:", "root: {algorithm: p-384, years: 20, name: {organization: S, commonName: R}}\nissuer:", []string{"root", "leave it out"}},
		"years of another's":   {intermediateFile, "  name:", "  years: 10\n  name:", []string{"issuer.years", "leave it out"}},
		"nobody sees it":       {intermediateFile, "witnesses:\n  - {fa: مدیر مرکز, en: Director}\n  - {fa: بازرس, en: Auditor}\n", "witnesses: []\n", []string{"witnesses"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(c.text, c.from, c.to, 1)
			if c.from != "" && text == c.text {
				t.Fatalf("%q does not stand in the file", c.from)
			}
			file := write(t, "ca.yaml", text)
			dir := filepath.Join(t.TempDir(), "ca")
			out, code := try(t, "ceremony", file, "--dir", dir)
			if code == 0 {
				t.Fatalf("held: %s", out)
			}
			for _, word := range append(c.says, file, "چیزی ساخته نشد", "nothing was made") {
				if !strings.Contains(out, word) {
					t.Errorf("no %q in:\n%s", word, out)
				}
			}
			if err := faulttest.Remarked(out, c.says[0]); err != nil {
				t.Error(err)
			}
			if left, _ := filepath.Glob(dir + "*"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "ca")
	if out, code := try(t, "ceremony", write(t, "ca.yaml", development), "--dir", dir, "--csr-out", dir+".csr"); code == 0 || faulttest.Remarked(out, "--csr-out") != nil {
		t.Errorf("a request of one's own root: %s", out)
	}
}

// TestWhatIsNoCeremonyFileIsRefused whatever lies there, and soon; so it is with
// the file of a further issuer, beside which the CA stays as it was.
func TestWhatIsNoCeremonyFileIsRefused(t *testing.T) {
	first := filepath.Join(t.TempDir(), "ca")
	run(t, "ceremony", "--dir", first)
	before := listing(t, first)
	for name, lay := range map[string]func(string) error{
		"nothing there":       func(string) error { return nil },
		"a directory":         func(file string) error { return os.Mkdir(file, 0o755) },
		"a pipe":              func(file string) error { return syscall.Mkfifo(file, 0o644) },
		"a link to itself":    func(file string) error { return os.Symlink(file, file) },
		"one that none reads": func(file string) error { return os.Symlink("/proc/self/mem", file) },
		"100 MB": func(file string) error {
			return errors.Join(os.WriteFile(file, nil, 0o644), os.Truncate(file, 100<<20))
		},
		"UTF-16":        func(file string) error { return os.WriteFile(file, []byte("\xff\xfem\x00o\x00"), 0o644) },
		"an alias bomb": func(file string) error { return os.WriteFile(file, []byte("mode: &a [*a, *a]\n"), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			file := laid(t, lay)
			dir := filepath.Join(t.TempDir(), "ca")
			for _, args := range [][]string{{"ceremony", file, "--dir", dir}, {"ceremony", "succeed", file, "--dir", first}} {
				out, code := try(t, args...)
				if code == 0 || !strings.Contains(out, file) || !strings.Contains(out, "چیزی ساخته نشد") || !strings.Contains(out, "nothing was made") {
					t.Errorf("%v: %d %s", args, code, out)
				}
			}
			if left, _ := filepath.Glob(dir + "*"); len(left) > 0 || listing(t, first) != before {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestCheckTellsDamagedFiles of the CA's own directory, row by row.
func TestCheckTellsDamagedFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	run(t, "ceremony", "--dir", dir)
	right, bad := read(t, filepath.Join(dir, "issuer.pem")), t.TempDir()
	must(t, os.WriteFile(filepath.Join(bad, "person@1.yaml"), []byte("a: &a [*a]\n"), 0o644))
	for name, c := range map[string]struct {
		text string
		says string
	}{
		"empty":      {"", "empty"},
		"nonsense":   {"hello", "x509"},
		"cut off":    {right[:len(right)/2], "x509"},
		"very long":  {right + strings.Repeat("\n", 100_000), "longer than"},
		"the root's": {read(t, filepath.Join(dir, "root.pem")), "another key"},
	} {
		must(t, os.WriteFile(filepath.Join(dir, "issuer.pem"), []byte(c.text), 0o644))
		out, code := try(t, "check", "--dir", dir)
		if code != 2 || !strings.Contains(out, "WRONG") || !strings.Contains(out, c.says) || bilingual(out) != nil {
			t.Errorf("%s: %d %v\n%s", name, code, bilingual(out), out)
		}
	}
	must(t, os.WriteFile(filepath.Join(dir, "issuer.pem"), []byte(right), 0o644))
	out, code := try(t, "check", "--dir", dir, "--profiles", bad)
	if code != 2 || !strings.Contains(out, "نام مستعار") || !strings.Contains(out, filepath.Join(bad, "person@1.yaml")) {
		t.Errorf("profiles of aliases: %d\n%s", code, out)
	}
	if out, code := try(t, "check", "--dir", dir); code != 0 || bilingual(out) != nil {
		t.Errorf("mended: %d\n%s", code, out)
	}
}

// TestAHardwareTokenIsFoundBySerial: one that was initialised elsewhere; SoftHSM
// stands for it, by a configuration that is not the ceremony's.
func TestAHardwareTokenIsFoundBySerial(t *testing.T) {
	base := t.TempDir()
	must(t, token.WriteSoftHSM(base, base))
	t.Setenv("SOFTHSM2_CONF", filepath.Join(base, "softhsm2.conf"))
	for _, label := range []string{"another", "the-hsm"} {
		if out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", "87654321").CombinedOutput(); err != nil {
			t.Fatalf("%s", out)
		}
	}
	infos, err := token.List(token.SoftHSMModule)
	must(t, err)
	serial := ""
	for _, i := range infos {
		if i.Label == "the-hsm" {
			serial = i.Serial
		}
	}
	must(t, os.WriteFile(filepath.Join(base, "pin"), []byte("87654321\n"), 0o600))
	text := strings.Replace(strings.ReplaceAll(developmentFile, "ALGORITHM", "p-256"), "software: true", "software: false, serial: '"+serial+"', pinFile: pin", 1)
	file := filepath.Join(base, "ca.yaml")
	must(t, os.WriteFile(file, []byte(text), 0o644))
	dir := filepath.Join(base, "ca")
	run(t, "ceremony", file, "--dir", dir)
	if table := run(t, "check", "--dir", dir); strings.Contains(table, "WRONG") {
		t.Errorf("check says:\n%s", table)
	}
	if text := theTranscript(t, dir); !strings.Contains(text, serial) {
		t.Error("the transcript names another token")
	}
	if out, code := try(t, "ceremony", file, "--dir", dir+"2"); code == 0 || faulttest.Translated(out, "keys are never replaced") != nil {
		t.Errorf("keys made twice on one token: %s", out)
	}
	must(t, os.WriteFile(file, []byte(strings.Replace(text, serial, "0000", 1)), 0o644))
	if out, code := try(t, "ceremony", file, "--dir", dir+"2"); code == 0 || !strings.Contains(out, `sees no token "0000"`) || faulttest.Remarked(out, "token.serial") != nil {
		t.Errorf("another token: %s", out)
	}
}

// TestCheckIsReadByPrograms: JSON, and a code for each end.
func TestCheckIsReadByPrograms(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	run(t, "ceremony", "--dir", dir)
	var report struct {
		Sound    bool
		Findings []struct {
			What, Detail string
			Sound        bool
		}
	}
	must(t, json.Unmarshal([]byte(run(t, "check", "--dir", dir, "--json")), &report))
	if !report.Sound || len(report.Findings) != 13 {
		t.Errorf("%+v", report)
	}
	files, err := filepath.Glob(dir + "/transcripts/*.html")
	must(t, err)
	must(t, os.WriteFile(files[0], []byte("another story"), 0o644))
	out, err := exec.Command(binary, "check", "--dir", dir, "--json").Output()
	must(t, json.Unmarshal(out, &report))
	last := report.Findings[len(report.Findings)-1]
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 2 || report.Sound || last.Sound || !strings.Contains(last.Detail, "was changed") {
		t.Errorf("%v: %+v", err, last)
	}
	wrong := write(t, "x@1.yaml", "name: x")
	if out, code := try(t, "check", "--dir", dir, "--profiles", filepath.Dir(wrong)); code != 2 || !strings.Contains(out, "x@1.yaml") {
		t.Errorf("%d %s", code, out)
	}
	must(t, os.Rename(dir+"/tokens", dir+"/away"))
	if out, code := try(t, "check", "--dir", dir); code != 3 {
		t.Errorf("%d %s", code, out)
	}
}

// TestAKeyFromElsewhereIsNoCAsKey: imported keys are not sound, whatever else is.
func TestAKeyFromElsewhereIsNoCAsKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	run(t, "ceremony", "--dir", dir)
	pin, err := os.ReadFile(dir + "/pin")
	must(t, err)
	t.Setenv("SOFTHSM2_CONF", dir+"/softhsm2.conf")
	key := filepath.Join(t.TempDir(), "key.pem")
	for _, args := range [][]string{
		{"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key},
		{"pkcs11-tool", "--module", token.SoftHSMModule, "--token-label", "govahi", "--login", "--pin", strings.TrimSpace(string(pin)), "--delete-object", "--type", "privkey", "--label", "responder"},
		{"pkcs11-tool", "--module", token.SoftHSMModule, "--token-label", "govahi", "--login", "--pin", strings.TrimSpace(string(pin)), "--delete-object", "--type", "pubkey", "--label", "responder"},
		{"softhsm2-util", "--import", key, "--token", "govahi", "--label", "responder", "--id", "99", "--pin", strings.TrimSpace(string(pin))},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", args, out)
		}
	}
	out, code := try(t, "check", "--dir", dir)
	if code != 2 || !strings.Contains(out, "responder key           WRONG") || !strings.Contains(out, "Local:false") {
		t.Errorf("%d:\n%s", code, out)
	}
}

// newCABy is newCA of a ceremony file.
func newCABy(t *testing.T, file string) *ca {
	t.Helper()
	base, err := os.MkdirTemp("", "ca")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	c := &ca{dir: filepath.Join(base, "signer"), socket: filepath.Join(base, "s"), node: filepath.Join(base, "n")}
	run(t, "ceremony", file, "--dir", c.dir)
	c.openAuthority(t)
	c.openLog(t, filepath.Join(base, "log"))
	return c
}

func (c *ca) openAuthority(t testing.TB) {
	t.Helper()
	issuer, err := os.ReadFile(filepath.Join(c.dir, "issuer.pem"))
	must(t, err)
	root, err := os.ReadFile(filepath.Join(c.dir, "root.pem"))
	must(t, err)
	c.Authority, err = pki.Open(issuer, root, pki.Under("http://ca.example.ir"))
	must(t, err)
}
