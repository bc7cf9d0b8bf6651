package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"govahi/adapters/postgres"
	"govahi/adapters/postgres/pgtest"
	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/domain/event"
	"govahi/domain/iran"
	"govahi/projections"
)

// TestViews tells many stories on one instance and compares all views, row for
// row, with a fold of the log that knows nothing of them; then again after the
// views and after JetStream's files were lost; then under a feed that lies.
func TestViews(t *testing.T) {
	t.Parallel()
	v := newVillage(t)
	v.abandoned()
	v.others()
	v.await()
	before := v.keep()
	v.sameViews(t)
	before.effective(t, v)
	before.sameAnswers(t, v)

	t.Run("without the views database", func(t *testing.T) {
		v.signal(t, syscall.SIGTERM)
		v.dropViews(t)
		v.again(t, "GOVAHI_LIMITS=off")
		v.await()
		v.listed(t)
		before.nothingElse(t, v)
	})
	t.Run("without JetStream", func(t *testing.T) {
		v.signal(t, syscall.SIGTERM)
		must(t, os.RemoveAll(filepath.Join(v.dir, "nats")))
		v.again(t, "GOVAHI_LIMITS=off")
		v.await()
		before.nothingElse(t, v)
	})
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("hostile feed %d", seed), func(t *testing.T) { hostileFeed(t, before.facts, seed) })
	}
}

// village is an instance with people who tell several stories at once.
type village struct {
	*instance
	*testing.T
	tape   *tape
	people *story // never told: what the visits begin from
	mark   string // is there once the forced crash happened
}

func newVillage(t *testing.T) *village {
	t.Helper()
	dir := dataDir(t)
	v := &village{T: t, tape: &tape{}, mark: filepath.Join(filepath.Dir(dir), "crashed")}
	v.instance = begin(t, dir, "GOVAHI_LIMITS=off", "GOVAHI_CRASH=issuance:signed,"+v.mark)
	v.people = v.seeded(t, v.tape)
	return v
}

// seeded is the first story on an instance, with its seed heard by a listener.
func (i *instance) seeded(t *testing.T, heard http.RoundTripper) *story {
	t.Helper()
	d, err := i.dev().open()
	must(t, err)
	sowing, done, err := i.dev().sowing(t.Context(), d)
	must(t, err)
	defer done()
	sowing.client.http.Transport = heard
	must(t, sowing.run(t.Context()))
	s := telling(t, i, "people")
	s.client, s.out = sowing.client, io.Discard
	return s
}

// visit is one request and the people who bring it about.
type visit struct {
	*story
	by      string // applicant, or the officer at whose counter he stands
	counter string // that officer's office
	form    commands.FormInput
	said    int
	mails   int // codes that came to the address
}

// visit begins a story of its own: another client, for several go on at once.
func (s *story) visit(name, by, counter, personCode, organization string) *visit {
	own := *s
	own.name, own.client = name, newClient(s.base, s.client.token)
	own.officers = s.officers
	own.http.Transport = s.http.Transport
	form := applicantForm(by)
	form.Organization = organization
	if personCode != "" {
		form.PersonCode = personCode
	}
	return &visit{story: &own, by: by, counter: counter, form: form}
}

func (v *visit) key(act string) string {
	v.said++
	return fmt.Sprintf("%s-%d-%s", v.name, v.said, act)
}

// does posts a command about the request.
func (v *visit) does(ctx context.Context, who, act string, body any) error {
	if err := v.post(ctx, who, v.key(act), "/requests/"+v.code+"/"+act, body, nil); err != nil {
		return fmt.Errorf("%s: %s, %s: %w", v.name, who, act, err)
	}
	return nil
}

// isRefused posts a command that must be refused with a code.
func (v *visit) isRefused(ctx context.Context, code, who, act string, body any) error {
	err := v.does(ctx, who, act, body)
	var r refusal
	if !errors.As(err, &r) || r.Code != code {
		return fmt.Errorf("%s: %s, %s: %w, not refused with %s", v.name, who, act, err, code)
	}
	return nil
}

func (v *visit) reaches(ctx context.Context, state string) error {
	_, err := v.await(ctx, state)
	if err != nil {
		return fmt.Errorf("%s: %w", v.name, err)
	}
	return nil
}

// inOrder does one thing after the other.
func inOrder(ctx context.Context, things ...func(context.Context) error) error {
	for _, do := range things {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// act is a command for inOrder.
func (v *visit) act(who, act string, body any) func(context.Context) error {
	return func(ctx context.Context) error { return v.does(ctx, who, act, body) }
}

func (v *visit) state(want string) func(context.Context) error {
	return func(ctx context.Context) error { return v.reaches(ctx, want) }
}

func (v *visit) refusal(code, who, act string, body any) func(context.Context) error {
	return func(ctx context.Context) error { return v.isRefused(ctx, code, who, act, body) }
}

// opens the request and fills in the form.
func (v *visit) opens(ctx context.Context) error {
	var opened struct{ TrackingCode string }
	body := map[string]string{"channel": "outside", "certificateType": "cpmis-signature"}
	if v.counter != "" {
		body["office"] = v.counter
	}
	if err := v.post(ctx, v.by, v.key("open"), "/requests", body, &opened); err != nil {
		return fmt.Errorf("%s: open: %w", v.name, err)
	}
	v.code = opened.TrackingCode
	return v.does(ctx, v.by, "form", v.form)
}

// emailCode waits for the next code that comes to the form's address.
func (v *visit) emailCode(ctx context.Context) (string, error) {
	var codes []string
	err := v.until(ctx, func(context.Context) (bool, error) {
		all, err := v.outbox.Messages()
		codes = nil
		for _, m := range all {
			if code := m.Code(); code != "" && strings.Contains(m.Body, persianGroups(v.code)) {
				codes = append(codes, code)
			}
		}
		return len(codes) > v.mails, err
	})
	if err != nil {
		return "", fmt.Errorf("%s: no code came: %w", v.name, err)
	}
	v.mails++
	return codes[v.mails-1], nil
}

func (v *visit) proves(ctx context.Context) error {
	code, err := v.emailCode(ctx)
	if err != nil {
		return err
	}
	return v.does(ctx, v.by, "email-confirmation", map[string]string{"code": code})
}

// mistakes enters wrong codes; none of them may pass, nor when sent again.
func (v *visit) mistakes(ctx context.Context) error {
	code, err := v.emailCode(ctx)
	if err != nil {
		return err
	}
	v.mails-- // it is used later
	wrong := "00000"
	if iran.Digits(code) == wrong {
		wrong = "00001"
	}
	body := map[string]string{"code": wrong}
	return inOrder(ctx, v.refusal("email-code-wrong", v.by, "email-confirmation", body),
		v.refusal("email-code-wrong", v.by, "email-confirmation", body))
}

func (v *visit) isLiable(ctx context.Context) error {
	var notice struct{ Version, TextHash string }
	if err := v.get(ctx, "", "/liability-notice", &notice); err != nil {
		return err
	}
	return v.does(ctx, v.by, "liability", map[string]string{"version": notice.Version, "textHash": notice.TextHash})
}

func (v *visit) submits(ctx context.Context) error {
	return v.does(ctx, v.by, "submission", map[string]string{"office": sampleOffice})
}

// arrives is everything up to the office.
func (v *visit) arrives(ctx context.Context) error {
	return inOrder(ctx, v.opens, v.proves, v.isLiable, v.state("ready"), v.submits, v.state("at-office"))
}

// shows lets the first officer see originals.
func (v *visit) shows(documents ...string) func(context.Context) error {
	body := map[string]any{"sighted": documents}
	if slices.Contains(documents, "introduction-letter") {
		body["letter"] = map[string]string{"number": "۱۲/۳۴۵", "date": "1405/08/01"}
	}
	return v.act("officer-1", "documents", body)
}

var originals = []string{"birth-certificate", "national-card", "legal-person-card", "introduction-letter"}

// known waits for what the registry says of the applicant.
func (v *visit) known(as string) func(context.Context) error {
	return func(ctx context.Context) error {
		var r struct{ Identity string }
		err := v.until(ctx, func(ctx context.Context) (bool, error) {
			err := v.get(ctx, "officer-1", "/requests/"+v.code, &r)
			return r.Identity == as, err
		})
		if err != nil {
			return fmt.Errorf("%s: identity %q, not %q: %w", v.name, r.Identity, as, err)
		}
		return nil
	}
}

// inquired waits for the inquiry about the first form to come to a status, for
// a cause; no door shows inquiries, so the view itself is asked.
func (v *visit) inquired(views *pgxpool.Pool, status, cause string) func(context.Context) error {
	return func(ctx context.Context) error {
		err := v.until(ctx, func(ctx context.Context) (bool, error) {
			var n int
			err := views.QueryRow(ctx, `SELECT count(*) FROM inquiries.inquiries
				WHERE request = $1 AND status = $2 AND cause = $3`, v.code, status, cause).Scan(&n)
			return n == 1, err
		})
		if err != nil {
			return fmt.Errorf("%s: the inquiry is not %s, %s: %w", v.name, status, cause, err)
		}
		return nil
	}
}

// pays once the fee is raised, which a policy does soon after the submission.
func (v *visit) pays(ctx context.Context) error {
	return v.until(ctx, func(ctx context.Context) (bool, error) {
		err := v.pay(ctx)
		var r refusal
		if errors.As(err, &r) && r.Code == "fee-not-raised" {
			return false, nil
		}
		return err == nil, err
	})
}

// abandoned is a request whose first certificate is signed in the moment in
// which govahi is killed: the serial is revoked, another one issued.
func (v *village) abandoned() {
	v.Helper()
	s := v.people.visit("abandoned", "officer-1", sampleOffice, personCodeWith(v.T, 0, 1), "10999001013")
	must(v.T, inOrder(v.Context(), s.arrives, s.shows(originals...), s.known("matched"), s.pays, s.state("controlled"),
		s.confirm, s.reserve))
	csr, err := s.workstation(v.Context(), "key", "--token", s.token)
	must(v.T, err)
	body, key := map[string]string{"token": s.token, "csr": csr}, s.key("issuance")
	ask := func() error { return s.post(v.Context(), "officer-1", key, "/requests/"+s.code+"/issuance", body, nil) }
	var refused refusal
	if err := ask(); errors.As(err, &refused) {
		v.Fatal(err)
	}
	_ = v.over(v.T)
	if _, err := os.Stat(v.mark); err != nil {
		v.Fatalf("it ended, but not by the forced crash: %v", err)
	}
	v.again(v.T, "GOVAHI_LIMITS=off")
	must(v.T, inOrder(v.Context(), func(context.Context) error { return ask() }, s.issued, s.personalise,
		s.act("officer-1", "sheet", nil), s.state("ready-for-delivery")))
}

// others are told all at once.
func (v *village) others() {
	v.Helper()
	views := v.pool(v.T, "views")
	p := v.people
	var all errgroup.Group
	for _, story := range []func(context.Context) error{
		v.happy, v.corrected,
		func(ctx context.Context) error { return rejected(ctx, p) },
		func(ctx context.Context) error { return withdrawn(ctx, p) },
		func(ctx context.Context) error { return foreigner(ctx, p, personCodeWith(v.T, 0, 2)[:9]+"099") },
		func(ctx context.Context) error {
			s := p.visit("mismatch", "officer-1", sampleOffice, personCodeWith(v.T, 5, 1), "10999001013")
			return inOrder(ctx, s.arrives, s.shows(originals...), s.known("mismatch"),
				s.act("officer-1", "rejection", map[string]string{"reason": "identity-mismatch"}), s.state("rejected"))
		},
		func(ctx context.Context) error {
			s := p.visit("inconclusive", "officer-1", sampleOffice, personCodeWith(v.T, 6, 1), "10999001013")
			return inOrder(ctx, s.arrives, s.shows("national-card"), s.inquired(views, "inconclusive", "result.rec.review"),
				s.act("officer-1", "inquiry", nil), s.state("under-control"))
		},
		func(ctx context.Context) error {
			s := p.visit("deferred", "officer-1", sampleOffice, personCodeWith(v.T, 7, 1), "10999001013")
			return inOrder(ctx, s.arrives, s.pays, s.state("under-control"), s.shows(originals...),
				s.inquired(views, "due", "out-of-hours"))
		},
		func(ctx context.Context) error {
			s := p.visit("down", "officer-1", sampleOffice, personCodeWith(v.T, 9, 1), "10999001013")
			return inOrder(ctx, s.arrives, s.shows(originals...), s.inquired(views, "due", "down"), s.known("waiting"))
		},
	} {
		all.Go(func() error { return story(v.Context()) })
	}
	must(v.T, all.Wait())
}

// happy is the whole story, with a report that is refuted before the one that
// is established; and afterwards the holder finds that his key is in other hands.
func (v *village) happy(ctx context.Context) error {
	s := v.people.visit("happy", "applicant", "", "", "10999001013")
	for _, part := range [][]step{s.untilSubmitted(), s.untilConfirmed(), s.untilActive()} {
		if err := s.tell(ctx, part); err != nil {
			return err
		}
	}
	var opened struct{ TrackingCode string }
	report := map[string]string{"statement": "نمونه: گمان می‌کنم این شخص سمت دیگری دارد."}
	verdict := map[string]string{"statement": "نمونه: سازمان سمت را تأیید کرد."}
	err := s.post(ctx, "stranger", s.key("report"), "/certificates/"+s.serial+"/reports", report, &opened)
	if err != nil {
		return err
	}
	err = s.post(ctx, "ca-operator", s.key("refute"), "/cases/"+opened.TrackingCode+"/refutation", verdict, nil)
	if err != nil {
		return err
	}
	if err := s.tell(ctx, s.untilRevoked()); err != nil {
		return err
	}
	return s.post(ctx, s.by, s.key("revoke"), "/certificates/"+s.serial+"/revocation", map[string]string{"reason": "keyCompromise"}, nil)
}

// corrected comes to the desk with a wrong address, is sent back, proves the
// new one after two mistakes, and is confirmed. Meanwhile the same applicant
// may not submit a second request for the same organisation.
func (v *village) corrected(ctx context.Context) error {
	s := v.people.visit("corrected", "applicant-2", "", "", "10999002029")
	err := inOrder(ctx, s.arrives, s.shows(originals...), s.known("matched"), s.pays, s.state("controlled"),
		s.act("officer-2", "correction", map[string]any{"fields": []string{"email", "post"}}), s.state("needs-correction"))
	if err != nil {
		return err
	}
	s.form.Email, s.form.Post = "nemune.degar@example.ir", "کارشناس ارشد پژوهش"
	err = inOrder(ctx, s.act(s.by, "form", s.form), s.state("under-control"), s.mistakes, s.proves, s.isLiable,
		s.shows(originals[1:]...), s.known("matched"), s.shows(originals...), s.state("controlled"), s.confirm, s.state("confirmed"))
	if err != nil {
		return err
	}
	second := v.people.visit("second", "applicant-2", "", "", "10999002029")
	return inOrder(ctx, second.opens, second.proves, second.isLiable, second.state("ready"),
		second.refusal("open-request-exists", second.by, "submission", map[string]string{"office": sampleOffice}),
		second.state("ready"))
}

func rejected(ctx context.Context, p *story) error {
	s := p.visit("rejected", "applicant-2", "", "", "14009993037")
	return inOrder(ctx, s.arrives, s.shows("birth-certificate"), s.state("under-control"),
		s.act("officer-1", "rejection", map[string]string{"reason": "documents-missing"}), s.state("rejected"))
}

func withdrawn(ctx context.Context, p *story) error {
	s := p.visit("withdrawn", "stranger", "", "", "14009994042")
	if err := inOrder(ctx, s.opens, s.proves); err != nil {
		return err
	}
	s.form.Email = "nemune.degar@example.ir" // and is not proved
	return inOrder(ctx, s.act(s.by, "form", s.form), s.state("completed"), s.act(s.by, "withdrawal", nil), s.state("withdrawn"))
}

// foreigner shows a passport instead of two documents.
func foreigner(ctx context.Context, p *story, code string) error {
	s := p.visit("foreigner", "officer-1", sampleOffice, code, "14009993037")
	s.form.Passport = "X1234567"
	return inOrder(ctx, s.arrives, s.shows("passport", "legal-person-card", "introduction-letter"), s.known("matched"),
		s.pays, s.state("controlled"), s.act("officer-2", "controls", map[string]string{"control": "address"}), s.state("under-control"),
		s.act("officer-1", "control-results", map[string]any{"control": "address", "passed": true}), s.state("controlled"))
}

// personCodeWith is an invented national code whose eighth digit tells the
// simulated registry what to answer (domain §3.1).
func personCodeWith(t *testing.T, eighth, n int) string {
	t.Helper()
	for check := range 10 {
		code := fmt.Sprintf("999%04d%d%d%d", 3100+n, eighth, 4, check)
		if _, err := iran.NationalCode(code); err == nil {
			return code
		}
	}
	t.Fatal("no check digit fits")
	return ""
}

// pool reaches a database of the instance.
func (i *instance) pool(t *testing.T, database string) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Pool(t.Context(), dsn(data{dir: i.dir}, database))
	must(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// viewsPool reaches the read views, wherever they are.
func (i *instance) viewsPool(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool, err := i.dev().views(t.Context())
	must(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// await waits until every projection and policy has come to the log's end and
// nothing is due any more.
func (v *village) await() { v.Helper(); v.atRest(v.T) }

func (i *instance) atRest(t *testing.T) {
	t.Helper()
	pool, err := i.dev().views(t.Context())
	must(t, err)
	defer pool.Close()
	await(t, "projections and policies at the log's end", func() bool { return i.rests(t, pool) })
}

func (i *instance) rests(t *testing.T, views *pgxpool.Pool) bool {
	t.Helper()
	log, err := i.dev().openLog()
	must(t, err)
	defer func() { _ = log.Close() }()
	before, err := log.Head(t.Context())
	must(t, err)
	var at, due int
	row := views.QueryRow(t.Context(), `SELECT
		(SELECT count(*) FROM govahi.checkpoints WHERE position = $1 AND version > 0 AND projection !~ '_(next|prev)$'),
		(SELECT count(*) FROM notifications.notifications WHERE status = 'due')
		+ (SELECT count(*) FROM inquiries.inquiries WHERE status = 'due' AND due_at <= now())`, int64(before))
	if err := row.Scan(&at, &due); err != nil {
		return false // a table is being built
	}
	after, err := log.Head(t.Context())
	must(t, err)
	return at == len(projections.All())+runners && due == 0 && before == after
}

// runners is how many runners of policies there are.
const runners = 4

// kept is what must not change.
type kept struct {
	facts  []fact
	views  tables
	outbox map[string]string
}

func (v *village) keep() kept {
	v.Helper()
	facts := v.facts(v.T)
	return kept{facts, folded(facts).plain(), v.outboxFiles(v.T)}
}

// facts is the log as `govahi log export` prints it.
func (i *instance) facts(t *testing.T) []fact {
	t.Helper()
	out, err := i.govahi(t, "", "log", "export")
	must(t, err)
	facts, err := readExport(strings.NewReader(out))
	must(t, err)
	return facts
}

func (i *instance) outboxFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	must(t, filepath.WalkDir(filepath.Join(i.dir, "outbox"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[d.Name()] = string(data)
		return err
	}))
	return files
}

// sameViews compares each row of each table with the fold of the log, in a moment
// in which nothing is on its way from one to the other.
func (i *instance) sameViews(t *testing.T) {
	t.Helper()
	views := i.viewsPool(t)
	for {
		facts := i.facts(t)
		i.atRest(t)
		got := shown(t, views)
		if len(i.facts(t)) > len(facts) {
			continue // the registry was asked again meanwhile
		}
		differ(t, folded(facts).plain(), got)
		return
	}
}

func differ(t *testing.T, want, got tables) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the views show something else than the log (-log +views):\n%s", diff)
	}
}

// shown reads every table that the projections made, whatever its name.
func shown(t *testing.T, views *pgxpool.Pool) tables {
	t.Helper()
	var names []string
	for _, p := range projections.All() {
		r, err := views.Query(t.Context(), `SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = $1`, p.Name)
		must(t, err)
		tables, err := pgx.CollectRows(r, pgx.RowTo[string])
		must(t, err)
		names = append(names, tables...)
	}
	all := tables{}
	for _, name := range names {
		all[name] = rowsOf(t, views, name)
	}
	return all.plain()
}

func rowsOf(t *testing.T, views *pgxpool.Pool, table string) map[string]row {
	t.Helper()
	r, err := views.Query(t.Context(), `SELECT to_jsonb(t) FROM `+table+` t`)
	must(t, err)
	list, err := pgx.CollectRows(r, pgx.RowTo[row])
	must(t, err)
	byKey := map[string]row{}
	for _, r := range list {
		for column, value := range r {
			if strings.HasSuffix(column, "_term") && value != nil {
				r[column] = present
			}
		}
		byKey[keyOf(table, r)] = r
	}
	return byKey
}

func keyOf(table string, r row) string {
	switch table {
	case "offices.tariffs":
		return fmt.Sprintf("%v/%v", r["product"], r["version"])
	case "requests.steps":
		return fmt.Sprintf("%v/%v", r["code"], r["revision"])
	case "payments.refunds":
		return fmt.Sprintf("%v/%v", r["code"], r["number"])
	case "payments.attempts":
		return r["id"].(string)
	case "payments.contracts":
		return r["company"].(string)
	case "crls.crls":
		return fmt.Sprintf("%v/%v", r["issuer"], r["number"])
	case "appointments.appointments":
		return fmt.Sprintf("%v/%v/%v", r["person"], r["role"], r["place"])
	}
	for _, key := range []string{"code", "serial", "user_name", "number", "id", "day"} {
		if k, ok := r[key].(string); ok && (key != "serial" || r["user_name"] == nil && r["number"] == nil) {
			return k
		}
	}
	return fmt.Sprint(r)
}

// effective compares the states that queries compute with the fold's.
func (k kept) effective(t *testing.T, v *village) {
	t.Helper()
	seen := map[string]bool{}
	for code := range k.views["requests.requests"] {
		var r struct{ State string }
		must(t, v.people.get(t.Context(), "manager", "/requests/"+code, &r))
		if want := k.views.effective(code); r.State != want {
			t.Errorf("request %s is shown as %s, not %s", code, r.State, want)
		}
		seen[r.State] = true
	}
	for _, state := range []string{"revoked", "ready-for-delivery", "confirmed", "controlled", "under-control", "ready", "rejected", "withdrawn"} {
		if !seen[state] {
			t.Errorf("no story ends %s", state)
		}
	}
}

// nothingElse compares everything that must have survived a loss.
func (k kept) nothingElse(t *testing.T, v *village) {
	t.Helper()
	k.sameLog(t, v)
	if diff := cmp.Diff(k.outbox, v.outboxFiles(t)); diff != "" {
		t.Errorf("the outbox changed (-before +after):\n%s", diff)
	}
	k.sameAnswers(t, v)
	v.await()
	k.sameLog(t, v)
	v.sameViews(t)
	if diff := cmp.Diff(k.outbox, v.outboxFiles(t)); diff != "" {
		t.Errorf("the repeated commands changed the outbox (-before +after):\n%s", diff)
	}
}

// sameLog allows nothing behind what there was but the registry's being asked
// again, by the worker, when the time for that had come: the person of the story
// "down" is never found; and one revocation list, for the latest lay in the
// database that was lost.
func (k kept) sameLog(t *testing.T, v *village) {
	t.Helper()
	now := v.facts(t)
	if diff := cmp.Diff(k.facts, now[:min(len(k.facts), len(now))]); diff != "" {
		t.Fatalf("what was in the log changed:\n%s", diff)
	}
	retry, lists := map[string]string{}, map[string]int{}
	for n, f := range now {
		again := f.Type == "inquiry.deferred.v1" && f.Meta.text("actor") == "policy:inquire" &&
			retry[f.Stream] != "" && f.Data.text("cause") == "down" && instant(t, retry[f.Stream]).Before(instant(t, f.Data.text("at")))
		actor, _, _ := strings.Cut(f.Meta.text("actor"), ":")
		next := strings.HasPrefix(f.Type, "crl.") && (actor == "signer" || f.Meta.text("actor") == "policy:daily-crl")
		if n >= len(k.facts) && next {
			lists[f.Type]++
			next = lists[f.Type] == 1
		}
		if n >= len(k.facts) && !again && !next {
			t.Errorf("the loss led to %s on %s by %s", f.Type, f.Stream, f.Meta.text("actor"))
		}
		if f.Type == "inquiry.deferred.v1" {
			retry[f.Stream] = f.Data.text("retryAt")
		}
	}
}

// listed waits for the list that takes the place of the lost one: a house that
// ends before the new one is laid out begins another, for its number was used.
func (v *village) listed(t *testing.T) {
	t.Helper()
	for late := time.Now().Add(2 * time.Minute); ; pauseFor(t.Context(), 100*time.Millisecond) { // it is looked for every minute
		ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+v.listen+"/pki/issuer.crl", nil)
		must(t, err)
		answer, err := http.DefaultClient.Do(ask)
		must(t, err)
		must(t, answer.Body.Close())
		if answer.StatusCode == http.StatusOK {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("no list is handed out: %s", answer.Status)
		}
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	must(t, err)
	return at
}

// sameAnswers sends every command of the stories again, under its own key.
func (k kept) sameAnswers(t *testing.T, v *village) {
	t.Helper()
	commands := v.tape.commands()
	if len(commands) < 100 {
		t.Errorf("only %d commands were heard", len(commands))
	}
	for _, c := range commands {
		again, err := c.again(t.Context())
		must(t, err)
		if diff := cmp.Diff(c.answer, again); diff != "" {
			t.Errorf("%s under the key %s is answered differently the second time:\n%s", c.path, c.key, diff)
		}
	}
}

// tape hears every command and its answer.
type tape struct {
	mu  sync.Mutex
	all []heard
}

// heard is one command under its key.
type heard struct {
	key, url, path string
	header         http.Header
	body           []byte
	answer         answer
}

// answer is what a repeated command must be told again.
type answer struct {
	Status         int
	Position, Body string
}

// RoundTrip is the default transport's.
func (p *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return http.DefaultTransport.RoundTrip(r)
	}
	h := heard{key: key, url: r.URL.String(), path: r.URL.Path, header: r.Header.Clone()}
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		if h.body, err = io.ReadAll(body); err != nil {
			return nil, err
		}
	}
	got, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if h.answer, err = answered(got); err != nil {
		return nil, err
	}
	got.Body = io.NopCloser(strings.NewReader(h.answer.Body))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, h)
	return got, nil
}

func answered(r *http.Response) (answer, error) {
	body, err := io.ReadAll(r.Body)
	return answer{r.StatusCode, r.Header.Get("Govahi-Position"), string(body)}, errors.Join(err, r.Body.Close())
}

// commands are those that were heard, but for what was refused and later, under
// the same key, was not: a refusal says how things stand, and they move on.
func (p *tape) commands() []heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := map[string]bool{}
	for _, h := range p.all {
		done[h.key] = done[h.key] || h.answer.Status < 300
	}
	return slices.DeleteFunc(slices.Clone(p.all), func(h heard) bool { return h.answer.Status >= 300 && done[h.key] })
}

// again sends the command once more.
func (h heard) again(ctx context.Context) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", h.url, bytes.NewReader(h.body))
	if err != nil {
		return answer{}, err
	}
	r.Header = h.header.Clone()
	got, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return answer{}, err
	}
	return answered(got)
}

// dropViews loses the views database, as an operator might, while the instance
// is stopped: only its PostgreSQL runs.
func (v *village) dropViews(t *testing.T) {
	t.Helper()
	d := data{dir: v.dir}
	server, err := postgres.Start(t.Context(), postgres.Cluster{Dir: d.path("postgres"), SocketDir: d.postgresSocket()})
	must(t, err)
	defer func() { must(t, server.Stop(t.Context())) }()
	conn, err := pgx.Connect(t.Context(), server.DSN("postgres"))
	must(t, err)
	_, err = conn.Exec(t.Context(), "DROP DATABASE views")
	must(t, errors.Join(err, conn.Close(t.Context())))
}

// hostileFeed runs the real projections on a real database, over the stories'
// log as it grows, while their feed repeats, reorders, loses, cuts and fails, and
// while the process that runs them ends now and then.
func hostileFeed(t *testing.T, facts []fact, seed uint64) {
	t.Parallel()
	facts = append(slices.Clone(facts), erasure(t, facts)...)
	h := hostility{t, pgtest.Pool(t), memlog.New(), &dice{rand: rand.New(rand.NewPCG(seed, 5))}, &sync.Map{}}
	for told := 0; told < len(facts); {
		told = h.life(facts, told, told+len(facts)/3)
	}
	var parked int
	must(t, h.views.QueryRow(t.Context(), `SELECT count(*) FROM govahi.parked`).Scan(&parked))
	if parked > 0 {
		t.Errorf("%d events were parked", parked)
	}
}

// hostility is a house of projections and nothing else.
type hostility struct {
	*testing.T
	views  *pgxpool.Pool
	log    *memlog.Log
	dice   *dice
	erased *sync.Map // by subject
}

// life is one process: the log grows while it runs. Now and then, and at the end
// of the story, it may come to the log's end and is compared; it ends in the
// middle.
func (h hostility) life(facts []fact, told, upto int) int {
	h.Helper()
	ctx, end := context.WithCancel(h.Context())
	runner := projections.NewRunner(projections.Parts{
		Pool: h.views, Log: h.log, Keeper: h, Terms: h, Report: slog.New(slog.DiscardHandler),
		Feed: func(string) event.Feed { return liar{h.log, h.dice} },
	}, projections.All()...)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = runner.Run(ctx) }()
	defer func() { end(); <-ended }()
	for told < min(upto, len(facts)) {
		next := min(told+1+h.dice.of(12), len(facts))
		h.append(facts[told:next])
		told = next
		pauseFor(ctx, time.Millisecond)
		if h.dice.of(6) == 0 || told == len(facts) {
			await(h.T, "projections at the log's end", func() bool { return h.upToDate(runner) })
			differ(h.T, folded(facts[:told]).plain(), shown(h.T, h.views))
		}
	}
	return told
}

func (h hostility) append(facts []fact) {
	h.Helper()
	for _, f := range facts {
		data, err := json.Marshal(f.Data)
		must(h.T, err)
		meta, err := json.Marshal(f.Meta)
		must(h.T, err)
		_, err = h.log.Append(h.Context(), event.Stream(f.Stream), event.Expected(f.Revision)-1,
			event.Proposed{ID: event.DeriveID(f.ID), Type: f.Type, Data: data, Meta: meta})
		must(h.T, err)
		if f.Type == "person.erased.v1" {
			h.erased.Store(event.Subject(f.Data.text("subject")), true)
		}
	}
}

func (h hostility) upToDate(r *projections.Runner) bool {
	all, err := r.Status(h.Context())
	must(h.T, err)
	return !slices.ContainsFunc(all, func(s projections.Status) bool { return s.Lag() > 0 })
}

// Seal is asked by nobody.
func (h hostility) Seal(context.Context, event.Subject, string, []byte) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

// Open knows nothing but that forms can be opened until their person is erased.
func (h hostility) Open(_ context.Context, s event.Subject, _ string, _ []byte) ([]byte, error) {
	if _, gone := h.erased.Load(s); gone {
		return nil, event.ErrErased
	}
	return json.Marshal(told{"personCode": "0", "mobile": "09120000000", "surname": "ن"})
}

// Term is a term of no meaning.
func (h hostility) Term(kind, _ string) []byte { return []byte(kind) }

// erasure of the first holder of a certificate, as the log would tell it.
func erasure(t *testing.T, facts []fact) []fact {
	t.Helper()
	n := slices.IndexFunc(facts, func(f fact) bool {
		return f.Type == "certificate.issued.v2" && f.Data.text("subject") != ""
	})
	if n < 0 {
		t.Fatal("nobody holds a certificate")
	}
	subject, meta := facts[n].Data.text("subject"), told{"commandId": "erasure", "at": "2030-01-01T00:00:00Z"}
	data := told{"subject": subject, "legalBasis": "نمونه", "by": "manager", "at": "2030-01-01T00:00:00Z"}
	stream := "person-" + subject
	return []fact{
		{Stream: stream, Revision: 0, ID: "erasure-0", Type: "person.erasure-ordered.v1", Data: data, Meta: meta},
		{Stream: stream, Revision: 1, ID: "erasure-1", Type: "person.erased.v1", Data: data, Meta: meta},
	}
}

// dice are thrown by all feeds.
type dice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func (d *dice) of(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}

// liar is a feed that never tells the story as it was.
type liar struct {
	log  event.Log
	dice *dice
}

var errLiar = errors.New("the feed fails")

// Fetch brings each event of the log never, once or more often, some of them
// without their data, in any order, and sometimes an error with them.
func (l liar) Fetch(ctx context.Context, max int) ([]event.Message, error) {
	pauseFor(ctx, 2*time.Millisecond)
	var messages []event.Message
	var previous event.Position
	for r, err := range l.log.ReadAll(ctx, 0) {
		if err != nil {
			return nil, err
		}
		m := event.Message{Recorded: r, Previous: previous, Ack: func() {}}
		if l.dice.of(20) == 0 {
			m.Data = nil
		}
		for range l.dice.of(3) {
			messages = append(messages, m)
		}
		previous = r.Position
	}
	for i := range messages {
		j := l.dice.of(i + 1)
		messages[i], messages[j] = messages[j], messages[i]
	}
	messages = messages[:min(max, len(messages), l.dice.of(200))]
	if l.dice.of(10) == 0 {
		return messages, errLiar
	}
	return messages, nil
}

// pauseFor spares the processors of a loop that has nothing to wait for.
func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
