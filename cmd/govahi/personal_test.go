package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"govahi/commands"
	"govahi/domain/iran"
)

// TestPersonalDataStandsNowhere tells a story to its end, erases another person,
// and then looks for what both wrote into their forms in every file that the
// instance has, however it may be encoded there.
func TestPersonalDataStandsNowhere(t *testing.T) {
	t.Parallel()
	p := &privacy{T: t, tape: &tape{}, said: &transcript{}}
	p.begin()
	p.people = p.seeded(t, p.tape)
	p.stories()
	p.beforeErasure()
	p.erase()
	p.afterErasure()
	p.rebuilt()
	p.afterErasure()
	p.comesBack()

	secrets := newSearch(append(written(p.holder.form, p.gone.form, p.other.form, p.unanswered.form), p.statement)...)
	p.searchCopies(secrets)
	p.signal(t, syscall.SIGTERM)
	secrets.only(t, "what was printed", []byte(p.said.String()), "Govahi is ready", "stopped.")
	p.searchFiles(secrets)
	p.searchOutbox()
}

// privacy is an instance with four people: one who goes through the whole
// story, two who are erased, and one who must not be touched by that.
type privacy struct {
	*testing.T
	*instance
	tape                 *tape
	said                 *transcript // what it printed
	people               *story
	holder, gone, other  *visit
	unanswered           *visit // erased while the registry is asked about him
	statement, number    string // a report of the one who is erased
	pseudonym, untouched string
}

// begin starts the instance, and keeps what it prints.
func (p *privacy) begin() {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), 30*time.Second)
	defer cancel()
	i, err := startInstance(ctx, dataDir(p.T), p.said)
	if err != nil {
		p.Fatalf("%v\n%s", err, p.said)
	}
	p.instance = i
	p.Cleanup(func() { _ = i.stop() })
}

// applicants are invented; no name has a letter that an encoder might treat
// unlike its neighbours.
var applicants = map[string]commands.FormInput{
	"holder": {
		GivenName: "زرافشان", Surname: "کوهنمون", LatinGivenName: "Zarafshan", LatinSurname: "Kuhnemun",
		Mobile: "۰۹۱۲۳۳۳۴۴۵۵", Email: "zarafshan.kuhnemun@example.ir",
		Address: "تهران، خیابان ارغوان نمونه، کوچه شقایق، پلاک ۷", PostalCode: "1619735744",
	},
	"gone": {
		GivenName: "شبدیز", Surname: "دریانمون", LatinGivenName: "Shabdiz", LatinSurname: "Daryanemun",
		Mobile: "09126667788", Email: "shabdiz.daryanemun@example.ir",
		Address: "تهران، میدان نیلوفر نمونه، کوچه بنفشه، پلاک ۹", PostalCode: "1345678901",
	},
	"other": {
		GivenName: "گلنار", Surname: "دشتنمون", LatinGivenName: "Golnar", LatinSurname: "Dashtnemun",
		Mobile: "09128889911", Email: "golnar.dashtnemun@example.ir",
		Address: "تهران، بزرگراه یاسمن نمونه، کوچه سوسن، پلاک ۳", PostalCode: "3919814311",
	},
	"unanswered": {
		GivenName: "مهرزاد", Surname: "باغنمون", LatinGivenName: "Mehrzad", LatinSurname: "Baghnemun",
		Mobile: "09127776611", Email: "mehrzad.baghnemun@example.ir",
		Address: "تهران، خیابان لادن نمونه، کوچه نسترن، پلاک ۵", PostalCode: "3919814344",
	},
}

func (p *privacy) visit(name, by, counter, personCode string) *visit {
	v := p.people.visit(name, by, counter, personCode, "10999001013")
	a, form := applicants[name], v.form
	form.GivenName, form.Surname, form.LatinGivenName, form.LatinSurname = a.GivenName, a.Surname, a.LatinGivenName, a.LatinSurname
	form.Mobile, form.Email, form.Address, form.PostalCode = a.Mobile, a.Email, a.Address, a.PostalCode
	v.form = form
	return v
}

func (p *privacy) stories() {
	p.Helper()
	ctx := p.Context()
	p.holder = p.visit("holder", "applicant", "", "")
	p.gone = p.visit("gone", "applicant-2", "", "")
	p.other = p.visit("other", "stranger", "", "")
	p.unanswered = p.visit("unanswered", "officer-1", sampleOffice, personCodeWith(p.T, 9, 7))
	h, g := p.holder, p.gone
	must(p.T, h.arrives(ctx))
	must(p.T, h.tell(ctx, append(h.untilConfirmed(), h.untilActive()...)))
	must(p.T, inOrder(ctx, g.arrives, g.shows(originals...), g.known("matched"), g.pays, g.state("controlled"),
		g.confirm, g.reserve, g.issue, g.personalise, g.act("officer-1", "sheet", nil), g.state("ready-for-delivery")))
	must(p.T, p.other.arrives(ctx))
	must(p.T, inOrder(ctx, p.unanswered.arrives, p.unanswered.shows("national-card"),
		p.unanswered.inquired(p.pool(p.T, "views"), "due", "down")))

	var opened struct{ TrackingCode string }
	p.statement = "شماره همراه من برای پیگیری ۰۹۱۲۶۶۶۷۷۸۸ نمونه است"
	must(p.T, g.post(ctx, g.by, g.key("report"), "/certificates/"+h.serial+"/reports",
		map[string]string{"statement": p.statement}, &opened))
	p.number = opened.TrackingCode
	must(p.T, g.post(ctx, "ca-operator", g.key("refute"), "/cases/"+p.number+"/refutation",
		map[string]string{"statement": "نمونه: درست نبود."}, nil))
	must(p.T, h.tell(ctx, h.untilRevoked()))
	p.atRest(p.T)
}

// answers is the status of a question, and its JSON where there is any.
func (v *visit) answers(t *testing.T, who, path string, into any) int {
	t.Helper()
	data, err := v.raw(t.Context(), who, path)
	var r refusal
	if errors.As(err, &r) {
		return r.Status
	}
	must(t, err)
	if into != nil {
		must(t, json.Unmarshal(data, into))
	}
	return http.StatusOK
}

// found searches the office's requests by personal data.
func (v *visit) found(t *testing.T, by map[string]string) []string {
	t.Helper()
	var list []struct{ TrackingCode string }
	must(t, v.post(t.Context(), "officer-1", v.key("search"), "/offices/"+sampleOffice+"/search", by, &list))
	var codes []string
	for _, r := range list {
		codes = append(codes, r.TrackingCode)
	}
	return codes
}

func (v *visit) searches() []map[string]string {
	return []map[string]string{
		{"personCode": v.form.PersonCode}, {"mobile": v.form.Mobile}, {"surname": v.form.Surname},
	}
}

func (v *visit) form200(t *testing.T, who string) {
	t.Helper()
	var form commands.FormInput
	if got := v.answers(t, who, "/requests/"+v.code+"/form", &form); got != http.StatusOK || form.Surname != v.form.Surname {
		t.Errorf("%s sees %d, %+v of %s", who, got, form, v.name)
	}
}

func (v *visit) me(t *testing.T, who string) string {
	t.Helper()
	var me struct{ Person string }
	must(t, v.get(t.Context(), who, "/me", &me))
	return me.Person
}

// beforeErasure shows that what is asked later is answered while it may be.
func (p *privacy) beforeErasure() {
	p.Helper()
	for _, v := range []*visit{p.gone, p.other, p.unanswered} {
		v.form200(p.T, "officer-1")
		for _, by := range v.searches() {
			if diff := cmp.Diff([]string{v.code}, v.found(p.T, by)); diff != "" {
				p.Errorf("searching for %s by %v:\n%s", v.name, by, diff)
			}
		}
	}
	if _, err := p.gone.raw(p.Context(), "officer-1", "/requests/"+p.gone.code+"/sheet.html"); err != nil {
		p.Error(err)
	}
	p.pseudonym, p.untouched = p.gone.me(p.T, p.gone.by), p.other.me(p.T, p.other.by)
}

// erase destroys two people's keys.
func (p *privacy) erase() {
	p.Helper()
	for _, v := range []*visit{p.gone, p.unanswered} {
		must(p.T, v.post(p.Context(), "manager", "erase-"+v.name, "/erasures",
			map[string]string{"personCode": v.form.PersonCode, "legalBasis": "subject-request"}, nil))
		await(p.T, "erasure of "+v.name, func() bool {
			return v.answers(p.T, "officer-1", "/requests/"+v.code+"/form", nil) == http.StatusGone
		})
	}
	p.atRest(p.T)
}

// afterErasure: nobody reads anything of the erased any more, by any door; the
// requests stand there without a name; others are as they were.
func (p *privacy) afterErasure() {
	p.Helper()
	g := p.gone
	for path, want := range map[string]map[string]int{
		"/requests/" + g.code + "/form":                  {"officer-1": 410, "officer-2": 410, g.by: 404, "manager": 403, "stranger": 404},
		"/requests/" + g.code + "/record":                {"officer-1": 410, "officer-2": 410, g.by: 404},
		"/requests/" + g.code + "/sheet.html":            {"officer-1": 410, g.by: 404},
		"/certificates/" + g.serial + "/certificate.pem": {"officer-1": 410, "ca-operator": 410, "auditor": 403, g.by: 404},
		"/requests/" + p.unanswered.code + "/form":       {"officer-1": 410},
		"/requests/" + p.holder.code + "/record":         {"officer-1": 200},
		"/certificates/" + p.holder.serial:               {"ca-operator": 200},
		"/offices/" + sampleOffice + "/requests":         {"officer-1": 200},
	} {
		for who, status := range want {
			if got := g.answers(p.T, who, path, nil); got != status {
				p.Errorf("%s asks for %s: %d, not %d", who, path, got, status)
			}
		}
	}
	for _, v := range []*visit{p.gone, p.unanswered} {
		p.nameless(v)
	}
	p.other.form200(p.T, "officer-1")
	p.other.form200(p.T, p.other.by)
	p.holder.form200(p.T, "officer-2")
	if diff := cmp.Diff([]string{p.other.code}, p.other.found(p.T, map[string]string{"personCode": p.other.form.PersonCode})); diff != "" {
		p.Errorf("another person is not found as before:\n%s", diff)
	}
	p.sameViews(p.T)
}

// nameless is how a request of an erased person is shown, and not found.
func (p *privacy) nameless(v *visit) {
	p.Helper()
	var r struct{ TrackingCode, State, Name string }
	if got := v.answers(p.T, "officer-1", "/requests/"+v.code, &r); got != 200 || r.Name != "" || r.TrackingCode != v.code {
		p.Errorf("the request of %s is shown as %d %+v", v.name, got, r)
	}
	for _, by := range v.searches() {
		if found := v.found(p.T, by); len(found) > 0 {
			p.Errorf("%s is found by %v", v.name, by)
		}
	}
	four := map[string]string{"trackingCode": v.code, "lastFour": iran.Digits(v.form.Mobile)[7:]}
	var refused refusal
	if err := v.post(p.Context(), "", "track", "/tracking", four, nil); !errors.As(err, &refused) || refused.Status != 404 {
		p.Errorf("%s is tracked by his mobile: %v", v.name, err)
	}
	var cases []struct{ Number, Statement, Verdict string }
	must(p.T, v.get(p.Context(), "ca-operator", "/cases", &cases))
	for _, c := range cases {
		if c.Number == p.number && (c.Statement != "" || c.Verdict == "") {
			p.Errorf("the report of %s is shown as %+v", v.name, c)
		}
	}
	if len(cases) != 2 {
		p.Errorf("%d cases are shown", len(cases))
	}
}

// rebuilt builds every view anew, as an operator does.
func (p *privacy) rebuilt() {
	p.Helper()
	_, err := p.govahi(p.T, "", "rebuild", "--all")
	must(p.T, err)
	p.atRest(p.T)
}

// comesBack: the same national code is a new person, whom the erasure's
// repetition does not touch, and whose certificate of old can be revoked.
func (p *privacy) comesBack() {
	p.Helper()
	g := p.gone
	now := g.me(p.T, g.by)
	if now == p.pseudonym {
		p.Error("the erased person has his pseudonym again")
	}
	if p.other.me(p.T, p.other.by) != p.untouched {
		p.Error("another person has a new pseudonym")
	}
	var mine []any
	must(p.T, g.get(p.Context(), g.by, "/requests", &mine))
	if len(mine) > 0 {
		p.Errorf("he sees %d requests of before", len(mine))
	}
	again := p.visit("gone", "applicant-2", "", "")
	again.name = "gone-again"
	must(p.T, again.arrives(p.Context()))
	p.erasesOnce()
	again.form200(p.T, "officer-1")
	must(p.T, g.post(p.Context(), "ca-operator", g.key("revoke"), "/certificates/"+g.serial+"/revocation",
		map[string]string{"reason": "cessationOfOperation"}, nil))
	must(p.T, g.reaches(p.Context(), "revoked"))
	p.atRest(p.T)
}

// erasesOnce sends the orders again: whoever has the code now is somebody else.
func (p *privacy) erasesOnce() {
	p.Helper()
	for _, c := range p.tape.commands() {
		if c.path != "/erasures" {
			continue
		}
		again, err := c.again(p.Context())
		must(p.T, err)
		if diff := cmp.Diff(c.answer, again); diff != "" {
			p.Errorf("the erasure under the key %s is answered differently the second time:\n%s", c.key, diff)
		}
	}
	p.atRest(p.T)
}

// written is everything personal that somebody typed, and its stored form.
func written(forms ...commands.FormInput) []string {
	var all []string
	for _, f := range forms {
		all = append(all, f.GivenName, f.Surname, f.LatinGivenName, f.LatinSurname,
			strings.ToUpper(f.LatinSurname), strings.ToLower(f.LatinSurname), f.Email, f.Address)
		for _, digits := range []string{f.PersonCode, f.Mobile, f.PostalCode} {
			all = append(all, iran.Digits(digits), iran.PersianDigits(iran.Digits(digits)))
		}
	}
	return all
}

// officeName is no secret: a search that does not find it finds nothing.
const officeName = "دفتر ثبت‌نام نمونهٔ یک"

// searchCopies looks through what can be had of a running instance: both
// databases as SQL shows them, which no compression hides, the export, and what
// the demo leaves behind. It ends with a checkpoint, for the files.
func (p *privacy) searchCopies(secrets *search) {
	p.Helper()
	export, err := p.govahi(p.T, "", "log", "export")
	must(p.T, err)
	secrets.only(p.T, "the export", []byte(export), officeName)
	secrets.only(p.T, "the views database", p.dump("views"), officeName)
	secrets.only(p.T, "the vault database", p.dump("vault"), p.untouched)
	out := filepath.Join(p.TempDir(), "demo")
	demo := exec.CommandContext(p.Context(), beside("govahi"), "demo", "--out", out) // whole stories, which take as long as they take
	if said, err := demo.CombinedOutput(); err != nil {
		p.Fatalf("%v: %s", err, said)
	}
	events, err := os.ReadFile(filepath.Join(out, "events.jsonl"))
	must(p.T, err)
	newSearch(written(applicantForm("applicant"))...).only(p.T, "the demo's events", events, officeName)
}

// dump is every row of every table of a database, as text.
func (p *privacy) dump(database string) []byte {
	p.Helper()
	pool := p.pool(p.T, database)
	r, err := pool.Query(p.Context(), `SELECT format('SELECT t::text FROM %I.%I t', schemaname, tablename)
		FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
	must(p.T, err)
	statements, err := pgx.CollectRows(r, pgx.RowTo[string])
	must(p.T, err)
	var all []byte
	for _, statement := range statements {
		r, err := pool.Query(p.Context(), statement)
		must(p.T, err)
		rows, err := pgx.CollectRows(r, pgx.RowTo[string])
		must(p.T, err)
		all = append(all, strings.Join(rows, "\n")...)
	}
	_, err = pool.Exec(p.Context(), "CHECKPOINT")
	must(p.T, err)
	return all
}

// searchFiles looks through every file of the stopped instance but the outbox,
// whose messages are meant for their readers. Each part must show what is known
// to stand in it, so that neither a wrong place nor compression hides anything:
// JetStream compresses nothing; Pebble's tables are read through Pebble as well,
// and PostgreSQL's were read by SQL.
func (p *privacy) searchFiles(secrets *search) {
	p.Helper()
	parts := map[string][]byte{"log": logValues(p.T, filepath.Join(p.dir, "log"))}
	must(p.T, filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		inside, err := filepath.Rel(p.dir, path)
		if err != nil || strings.HasPrefix(inside, "outbox/") {
			return err
		}
		data, err := os.ReadFile(path)
		part, _, _ := strings.Cut(inside, "/")
		parts[part] = append(parts[part], data...)
		return err
	}))
	known := map[string][]string{
		"log": {officeName, p.untouched}, "nats": {officeName, p.untouched}, "postgres": {officeName, p.untouched},
		"govahi.log": {"/requests/{code}/form"}, "ca": {"CERTIFICATE"},
	}
	for part, data := range parts {
		secrets.only(p.T, part, data, known[part]...)
		delete(known, part)
	}
	if len(known) > 0 {
		p.Errorf("these were not there to be searched: %v", slices.Collect(maps.Keys(known)))
	}
}

// logValues is everything in the log's store, decompressed.
func logValues(t *testing.T, dir string) []byte {
	t.Helper()
	db, err := pebble.Open(dir, &pebble.Options{ReadOnly: true, Logger: quiet{}})
	must(t, err)
	defer func() { must(t, db.Close()) }()
	it, err := db.NewIter(nil)
	must(t, err)
	var all []byte
	for it.First(); it.Valid(); it.Next() {
		all = append(append(all, it.Key()...), it.Value()...)
	}
	must(t, it.Close())
	if !bytes.Contains(all, []byte(officeName)) {
		t.Error("the log was read through Pebble, and its events were not there")
	}
	return all
}

// quiet says nothing of what Pebble does.
type quiet struct{}

func (quiet) Infof(string, ...any)           {}
func (quiet) Errorf(string, ...any)          {}
func (quiet) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

// searchOutbox shows that the needles are the right ones: where they may stand
// they do. Nobody else can read there.
func (p *privacy) searchOutbox() {
	p.Helper()
	dir := filepath.Join(p.dir, "outbox")
	info, err := os.Stat(dir)
	must(p.T, err)
	if info.Mode().Perm() != 0o700 {
		p.Errorf("the outbox is %v", info.Mode())
	}
	files, err := os.ReadDir(dir)
	must(p.T, err)
	var all []byte
	for _, f := range files {
		info, err := f.Info()
		must(p.T, err)
		if info.Mode() != 0o600 {
			p.Errorf("%s in the outbox is %v", f.Name(), info.Mode())
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		must(p.T, err)
		all = append(all, text...)
	}
	for _, v := range []*visit{p.holder, p.gone, p.other, p.unanswered} {
		hits := newSearch(v.form.GivenName, v.form.Surname, v.form.Email).in(all)
		if len(hits) != 3 {
			p.Errorf("of %s the outbox shows only %v", v.name, hits)
		}
	}
}

// search finds texts in whatever encoding: it goes once over the data, and
// looks closer where four bytes are those of a needle.
type search struct {
	begins  [1 << 16]bool // by a hash of the first four bytes
	needles map[[4]byte][]needle
}

type needle struct {
	text, encoding string
	bytes          []byte
}

func newSearch(texts ...string) *search {
	s := &search{needles: map[[4]byte][]needle{}}
	for _, text := range texts {
		for encoding, encoded := range encodings(text) {
			n := needle{text, encoding, []byte(encoded)}
			first := [4]byte(n.bytes)
			s.begins[mixed(first)] = true
			s.needles[first] = append(s.needles[first], n)
		}
	}
	return s
}

func mixed(b [4]byte) uint16 {
	return uint16((uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24) * 2654435769 >> 16)
}

// in returns which texts are in the data, and how they are encoded there.
func (s *search) in(data []byte) map[string]string {
	hits := map[string]string{}
	for i := 0; i+4 <= len(data); i++ {
		first := [4]byte(data[i:])
		if !s.begins[mixed(first)] {
			continue
		}
		for _, n := range s.needles[first] {
			if bytes.HasPrefix(data[i:], n.bytes) {
				hits[n.text] = n.encoding
			}
		}
	}
	return hits
}

// only wants no secret in a place, and that everything known is found there in
// the same way.
func (s *search) only(t *testing.T, place string, data []byte, known ...string) {
	t.Helper()
	if hits := s.in(data); len(hits) > 0 {
		t.Errorf("personal data stands in %s: %v", place, hits)
	}
	control := newSearch(append(known, "never written anywhere")...)
	if hits := control.in(data); len(hits) != len(known) {
		t.Errorf("of %q the search found in %s only %v", known, place, hits)
	}
}

// encodings are the ways in which a text may be written: as it is, with JSON's
// escapes, in hexadecimal, and in base64, where it is written in three ways,
// depending on how many bytes stand before it.
func encodings(text string) map[string]string {
	raw := []byte(text)
	all := map[string]string{"UTF-8": text, "hex": hex.EncodeToString(raw), "HEX": strings.ToUpper(hex.EncodeToString(raw))}
	var lower, upper strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&lower, `\u%04x`, unit)
		fmt.Fprintf(&upper, `\u%04X`, unit)
	}
	all[`\uxxxx`], all[`\uXXXX`] = lower.String(), upper.String()
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), raw...))
		whole := (before + len(raw)) / 3 * 4 // what follows changes the rest
		encoded = encoded[[]int{0, 2, 3}[before]:whole]
		all[fmt.Sprintf("base64+%d", before)] = encoded
		all[fmt.Sprintf("base64url+%d", before)] = strings.NewReplacer("+", "-", "/", "_").Replace(encoded)
	}
	return all
}

// TestSearchFindsEveryEncoding hides texts in noise.
func TestSearchFindsEveryEncoding(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	noise := func() []byte {
		b := make([]byte, dice.IntN(50))
		for i := range b {
			b[i] = byte(dice.IntN(256))
		}
		return b
	}
	ways := map[string]func([]byte) string{
		"raw":       func(b []byte) string { return string(b) },
		"hex":       hex.EncodeToString,
		"HEX":       func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) },
		"base64":    base64.StdEncoding.EncodeToString,
		"base64url": base64.RawURLEncoding.EncodeToString,
		"JSON":      func(b []byte) string { return strconv.QuoteToASCII(strings.ToValidUTF8(string(b), "")) },
	}
	for _, text := range []string{"زرافشان", "Zarafshan", "9992009098", "۱۶۱۹۷۳۵۷۴۴", "a@example.ir"} {
		s := newSearch(text, "other text")
		for way, encode := range ways {
			for range 50 {
				hidden := string(noise()) + encode(slices.Concat(noise(), []byte(text), noise())) + string(noise())
				if hits := s.in([]byte(hidden)); hits[text] == "" || len(hits) != 1 {
					t.Fatalf("%s, encoded as %s, is not found: %v", text, way, hits)
				}
				other := []byte(text)
				other[len(other)/2]++
				without := encode(slices.Concat(noise(), other, noise()))
				if hits := s.in([]byte(without)); len(hits) > 0 {
					t.Fatalf("found without being there: %v", hits)
				}
			}
		}
	}
}
