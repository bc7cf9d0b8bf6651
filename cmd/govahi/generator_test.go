package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"govahi/adapters/mail"
	"govahi/adapters/sso"
	"govahi/commands"
	"govahi/domain/event"
	"govahi/domain/iran"
)

// traffic is the world that does not wait: requests arrive at moments of their
// own, whatever became of those before (an open loop), each a question or the
// next command of somebody's errand under a new Idempotency-Key. A command that
// was not answered is sent again, under the same key, until it is.
type traffic struct {
	*ledger
	instance *instance
	people   *story
	letters  *letters
	dice     *dice
	slots    chan struct{} // bounds what is under way
	sender   http.RoundTripper
	ctx      context.Context
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu      sync.Mutex
	errands []*errand // in nobody's hands
	begun   int
	sent    map[string]*sending // by key
	counts

	upto    event.Position    // how far soFar has read
	at      map[string]string // key by position
	checked map[string]bool
}

// counts are what the traffic came to, beside its commands.
type counts struct {
	arrivals, away int      // away: nobody was free to send it
	asked, unheard int      // questions; unheard: 503 or no connection
	broken         []string // answers that nobody should have: the server's own faults
}

// sending is one command and what became of it.
type sending struct {
	began, ended time.Time // first sent, last answered; the zero time is never
	tries        int
	status       int // of the last answer
	acknowledged bool
}

const (
	meanDistance = time.Second / 20 // between arrivals
	atOnce       = 256              // arrivals under way
	tryWithin    = 5 * time.Second  // one try of a request
	tryAgain     = 25 * time.Millisecond
	tryAgainMost = 400 * time.Millisecond // it doubles until then
)

// newTraffic seeds the instance and prepares the traffic; flow lets it loose.
func newTraffic(t *testing.T, i *instance, seed uint64) *traffic {
	t.Helper()
	f := &traffic{
		ledger: newLedger(), instance: i, letters: newLetters(filepath.Join(i.dir, "outbox")),
		dice:  &dice{rand: rand.New(rand.NewPCG(seed, 1))},
		slots: make(chan struct{}, atOnce), sent: map[string]*sending{}, at: map[string]string{}, checked: map[string]bool{},
		sender: &http.Transport{MaxIdleConnsPerHost: atOnce, IdleConnTimeout: 5 * time.Second},
	}
	f.ctx, f.stop = context.WithCancel(t.Context())
	f.people = i.seeded(t, http.DefaultTransport)
	f.people.client.token = lasting(t, i)
	f.people.http.Transport = f
	t.Cleanup(func() { f.stop(); f.running.Wait() })
	return f
}

// lasting signs tokens that are good for a day, also for a clock that goes wrong
// by an hour.
func lasting(t *testing.T, i *instance) func(string) (string, error) {
	t.Helper()
	d, err := i.dev().open()
	must(t, err)
	early := func() time.Time { return time.Now().Add(-3 * time.Hour) }
	issuer, err := sso.NewIssuer(d.modeOf(), d.path("dev"), sso.Config{Issuer: devIssuer(i.dev().base()), Audience: "govahi", Clock: early})
	must(t, err)
	return func(persona string) (string, error) { return issuer.Token(persona, 24*time.Hour) }
}

// flow lets requests arrive, at distances like those of a Poisson process, until
// the returned function is called.
func (f *traffic) flow() (end func()) {
	ctx, cancel := context.WithCancel(f.ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for next := time.Now(); ctx.Err() == nil; {
			next = next.Add(f.dice.distance(meanDistance))
			pauseFor(ctx, time.Until(next))
			f.arrives()
		}
	}()
	return func() { cancel(); <-over }
}

func (d *dice) distance(mean time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(d.rand.ExpFloat64() * float64(mean))
}

// arrives starts one request, if anybody is free to send it.
func (f *traffic) arrives() {
	f.count(func(c *counts) { c.arrivals++ })
	select {
	case f.slots <- struct{}{}:
	default:
		f.count(func(c *counts) { c.away++ })
		return
	}
	f.running.Go(func() {
		defer func() { <-f.slots }()
		switch n := f.dice.of(100); {
		case n < 15:
			f.asks()
		case n < 20:
			f.errs()
		case n < 30:
			f.goesOn(f.newErrand())
		default:
			f.goesOn(f.take())
		}
	})
}

// burst is many at once: what happens now meets some of them half done.
func (f *traffic) burst() {
	for range 20 {
		f.arrives()
	}
	pauseFor(f.ctx, time.Duration(f.dice.of(int(30*time.Millisecond))))
}

func (f *traffic) count(add func(*counts)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	add(&f.counts)
}

// errand is a request on its way; each arrival takes it a step further.
type errand struct {
	*visit
	steps   []func(context.Context) error // what is left
	refused int                           // how often the next step was not possible yet
	entered string                        // the last code by mail
	last    error
}

var errNotYet = errors.New("not possible yet")

// newErrand is that of the applicants at home, or of somebody new at the counter;
// few are told to their end.
func (f *traffic) newErrand() *errand {
	lengths := []int{2, 2, 2, 5, 5, 5, 5, 8, 8}
	n := f.dice.of(len(lengths) + 1)
	if n == len(lengths) {
		return f.whole()
	}
	by, counter := "officer-1", sampleOffice
	if f.dice.of(3) == 0 {
		by, counter = []string{"applicant", "applicant-2", "stranger"}[f.dice.of(3)], ""
	}
	e := f.errand(by, counter)
	e.steps = e.steps[:lengths[n]]
	return e
}

// whole is an errand from the opening to the revocation.
func (f *traffic) whole() *errand { return f.errand("applicant", "") }

// errand is about another organisation than any before: a person has one open
// request for each.
func (f *traffic) errand(by, counter string) *errand {
	f.mu.Lock()
	f.begun++
	n := f.begun
	f.mu.Unlock()
	person := ""
	if counter != "" {
		person = personOf(n)
	}
	e := &errand{visit: f.people.visit(fmt.Sprintf("errand-%d", n), by, counter, person, organization(n))}
	e.http.Timeout = 0 // it insists
	e.form.Email = fmt.Sprintf("nemune.%d@example.ir", n)
	e.token = fmt.Sprintf("sample%08d", n)
	e.steps = e.road(f.letters)
	return e
}

// personOf is the invented code of the n-th visitor, whom the registry knows.
func personOf(n int) string {
	for check := range 10 {
		code := fmt.Sprintf("999%04d%d%d%d", 3100+n%6000, n/6000%5, 4, check)
		if _, err := iran.NationalCode(code); err == nil {
			return code
		}
	}
	panic("no check digit fits") // one always does
}

// road is every step from the opening to the revocation. No step waits: what is
// not possible yet is tried by a later arrival.
func (e *errand) road(l *letters) []func(context.Context) error {
	csr, csrErr := sampleCSR()
	issuance := func(ctx context.Context) error {
		return errors.Join(csrErr, e.does(ctx, "officer-1", "issuance", map[string]string{"token": e.token, "csr": csr}))
	}
	return []func(context.Context) error{
		e.opensOnly,
		func(ctx context.Context) error { return e.does(ctx, e.by, "form", e.form) },
		func(ctx context.Context) error { return e.enters(ctx, l.code(e.code)) }, e.isLiable, e.submits,
		e.shows(originals...), e.pay, e.confirms,
		e.stocked, func(ctx context.Context) error {
			return e.does(ctx, "officer-1", "token", map[string]string{"token": e.token})
		},
		issuance, e.hasCertificate,
		func(ctx context.Context) error {
			return e.does(ctx, "officer-1", "personalisation", map[string]string{"token": e.token, "fingerprint": e.fingerprint})
		},
		e.act("officer-1", "sheet", nil),
		e.act("officer-2", "delivery", map[string]string{"identityChecked": "national-card"}),
		e.act(e.by, "acceptance", nil),
		e.defined, e.reported, e.established,
	}
}

func (e *errand) opensOnly(ctx context.Context) error {
	var opened struct{ TrackingCode string }
	body := map[string]string{"channel": "outside", "certificateType": "cpmis-signature"}
	if e.counter != "" {
		body["office"] = e.counter
	}
	err := e.post(ctx, e.by, e.key("open"), "/requests", body, &opened)
	e.code = opened.TrackingCode
	return err
}

// enters the code that came; where none comes for a while, or it is too old by
// now, as after the clock went wrong, another is asked for.
func (e *errand) enters(ctx context.Context, code string) error {
	const patience = 25 // tries
	if code != "" && code != e.entered {
		e.entered = code
		err := e.does(ctx, e.by, "email-confirmation", map[string]string{"code": code})
		if err == nil || !isRefusal(err) {
			return err
		}
	} else if e.refused%patience != patience-1 {
		return errNotYet
	}
	return errors.Join(errNotYet, e.does(ctx, e.by, "email-code", nil))
}

// sampleCSR is a request of a key that no token holds.
func sampleCSR() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.CreateCertificateRequest(cryptorand.Reader, &x509.CertificateRequest{}, key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), err
}

func isRefusal(err error) bool {
	var r refusal
	return errors.As(err, &r) && r.Status < http.StatusInternalServerError
}

func (e *errand) pay(ctx context.Context) error {
	return e.does(ctx, "officer-1", "payment", map[string]any{
		"provider": "samplebank", "terminal": "10000001", "rrn": e.code, "trace": "000123", "amountRial": 3_445_110,
	})
}

func (e *errand) confirms(ctx context.Context) error {
	var review commands.Review
	if err := e.get(ctx, "officer-2", "/requests/"+e.code+"/record", &review); err != nil {
		return err
	}
	signature, err := e.officers.sign(ctx, "officer-2", []byte(review.Statement))
	if err != nil {
		return err
	}
	return e.does(ctx, "officer-2", "confirmation", map[string]any{
		"revision": review.Record.Revision, "hash": review.Record.Hash, "signature": signature,
	})
}

func (e *errand) stocked(ctx context.Context) error {
	stock := map[string]string{"serial": e.token, "model": "sample", "office": sampleOffice}
	return e.post(ctx, "officer-1", e.key("stock"), "/tokens", stock, nil)
}

func (e *errand) hasCertificate(ctx context.Context) error {
	var r struct{ State, Serial, Fingerprint string }
	if err := e.get(ctx, "officer-1", "/requests/"+e.code, &r); err != nil {
		return err
	}
	if r.State != "issued" {
		return fmt.Errorf("%w: it is %s", errNotYet, r.State)
	}
	e.serial, e.fingerprint = r.Serial, r.Fingerprint
	return nil
}

func (e *errand) defined(ctx context.Context) error {
	return e.post(ctx, "research-officer", e.key("access"), "/accesses", map[string]string{
		"trackingCode": e.code, "userName": "nemune." + e.code, "level": "contributor", "fingerprint": e.fingerprint, "unit": sampleUnit,
	}, nil)
}

func (e *errand) reported(ctx context.Context) error {
	var opened struct{ TrackingCode string }
	err := e.post(ctx, "stranger", e.key("report"), "/certificates/"+e.serial+"/reports",
		map[string]string{"statement": "نمونه: این شخص کارمند آن سازمان نیست."}, &opened)
	e.number = opened.TrackingCode
	return err
}

func (e *errand) established(ctx context.Context) error {
	return e.post(ctx, "ca-operator", e.key("establish"), "/cases/"+e.number+"/establishment",
		map[string]string{"statement": "نمونه: سازمان معرفی‌نامه را تأیید نکرد."}, nil)
}

// take gives an errand that waits, or a new one.
func (f *traffic) take() *errand {
	f.mu.Lock()
	if n := len(f.errands); n > 0 {
		k := f.dice.of(n)
		e := f.errands[k]
		f.errands[k] = f.errands[n-1]
		f.errands = f.errands[:n-1]
		f.mu.Unlock()
		return e
	}
	f.mu.Unlock()
	return f.newErrand()
}

// goesOn takes the errand a step further and puts it back.
func (f *traffic) goesOn(e *errand) {
	if e.last = e.steps[0](f.ctx); e.last == nil {
		e.steps, e.refused = e.steps[1:], 0
	} else {
		e.refused++
	}
	if len(e.steps) > 0 {
		f.putBack(e)
	}
}

func (f *traffic) putBack(e *errand) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errands = append(f.errands, e)
}

// some is an errand to look at; others may be about to go on with it.
func (f *traffic) some() (code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.errands) == 0 {
		return ""
	}
	return f.errands[f.dice.of(len(f.errands))].code
}

// asks is a question, sent once.
func (f *traffic) asks() {
	paths := []string{"/management", "/offices/" + sampleOffice + "/requests", "/certificates"}
	if code := f.some(); code != "" {
		paths = append(paths, "/requests/"+code, "/requests/"+code, "/requests/"+code)
	}
	e := f.people.visit("question", "manager", "", "", "10999001013")
	who, path := "manager", paths[f.dice.of(len(paths))]
	if strings.HasPrefix(path, "/offices") {
		who = "officer-2"
	}
	_, _ = e.raw(f.ctx, who, path)
}

// errs sends what must be refused.
func (f *traffic) errs() {
	code := f.some()
	if code == "" {
		return
	}
	e := f.people.visit(fmt.Sprintf("mistake-%d", f.dice.of(1<<40)), "stranger", "", "", "10999001013")
	e.http.Timeout, e.code = 0, code
	switch f.dice.of(3) {
	case 0:
		_ = e.does(f.ctx, "research-officer", "documents", map[string]any{"sighted": []string{"national-card"}})
	case 1:
		e.form.PersonCode = "1234567890"
		_ = e.does(f.ctx, "stranger", "form", e.form)
	default:
		_ = e.does(f.ctx, "officer-other", "rejection", map[string]string{"reason": "documents-missing"})
	}
}

// RoundTrip sends a question once, and a command until it is answered.
func (f *traffic) RoundTrip(r *http.Request) (*http.Response, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return f.question(r)
	}
	for wait := tryAgain; ; wait = min(2*wait, tryAgainMost) {
		f.tried(key)
		answer, err := f.once(r)
		if err == nil && answer.StatusCode != http.StatusServiceUnavailable {
			f.note(key, answer)
			f.answered(r, key, answer.StatusCode)
			return answer, nil
		}
		pauseFor(r.Context(), wait)
		if r.Context().Err() != nil {
			return nil, fmt.Errorf("%w: last: %v", r.Context().Err(), err)
		}
	}
}

func (f *traffic) question(r *http.Request) (*http.Response, error) {
	answer, err := f.once(r)
	f.count(func(c *counts) {
		c.asked++
		if err != nil || answer.StatusCode == http.StatusServiceUnavailable {
			c.unheard++
		} else if answer.StatusCode >= 500 {
			c.broken = append(c.broken, fmt.Sprintf("%s: %s", r.URL.Path, answer.Status))
		}
	})
	return answer, err
}

// once is one try; the answer is read to its end.
func (f *traffic) once(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), tryWithin)
	defer cancel()
	again := r.Clone(ctx)
	if r.GetBody != nil {
		again.Body, _ = r.GetBody()
	}
	answer, err := f.sender.RoundTrip(again)
	if err != nil {
		return nil, err
	}
	got, err := answered(answer)
	answer.Body = io.NopCloser(strings.NewReader(got.Body))
	return answer, err
}

func (f *traffic) tried(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sent[key] == nil {
		f.sent[key] = &sending{began: time.Now()}
	}
	f.sent[key].tries++
}

func (f *traffic) answered(r *http.Request, key string, status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sent[key]
	s.ended, s.status, s.acknowledged = time.Now(), status, s.acknowledged || status < 300
	if status >= 500 {
		f.broken = append(f.broken, fmt.Sprintf("%s: %d", r.URL.Path, status))
	}
}

// drain lets every errand come to its end, once no more of them begin. One that
// cannot was forgotten by whoever had to do the next step.
func (f *traffic) drain(t *testing.T) {
	t.Helper()
	f.running.Wait()
	const pause = time.Minute // between two codes for an address
	end := time.Now().Add(pause + within)
	for f.left() > 0 && time.Now().Before(end) {
		f.mu.Lock()
		waiting := f.errands
		f.errands = nil
		f.mu.Unlock()
		for _, e := range waiting {
			f.slots <- struct{}{}
			f.running.Go(func() { defer func() { <-f.slots }(); f.goesOn(e) })
		}
		f.running.Wait()
		pauseFor(f.ctx, 20*time.Millisecond)
	}
	for _, e := range f.errands {
		t.Errorf("%s, request %s, does not go on, with %d steps left: %v", e.name, e.code, len(e.steps), e.last)
	}
}

func (f *traffic) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.errands)
}

// letters are the codes that came by mail.
type letters struct {
	dirs  []string // an outbox of each process that sends
	mu    sync.Mutex
	read  map[string]bool // by file
	codes []mail.Message  // as they came
}

func newLetters(dirs ...string) *letters { return &letters{dirs: dirs, read: map[string]bool{}} }

// code is the last one that was sent about a request, or nothing yet.
func (l *letters) code(request string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open()
	for _, m := range slices.Backward(l.codes) {
		if strings.Contains(m.Body, persianGroups(request)) {
			return m.Code()
		}
	}
	return ""
}

func (l *letters) files() (all []string) {
	for _, dir := range l.dirs {
		some, _ := filepath.Glob(filepath.Join(dir, "*.json"))
		all = append(all, some...)
	}
	return all
}

// open reads what came since.
func (l *letters) open() {
	for _, name := range l.files() {
		if !l.read[name] {
			data, err := os.ReadFile(name)
			var m mail.Message
			if l.read[name] = err == nil && json.Unmarshal(data, &m) == nil; m.Code() != "" {
				l.codes = append(l.codes, m)
			}
		}
	}
	slices.SortStableFunc(l.codes, func(a, b mail.Message) int { return a.At.Compare(b.At) })
}

// soFar finds in the log, at the place that its caller was told, every command
// that was acknowledged since the last time.
func (f *traffic) soFar(t *testing.T) {
	t.Helper()
	f.ledger.mu.Lock()
	told := maps.Clone(f.acknowledged)
	f.ledger.mu.Unlock()
	log, err := f.instance.dev().openLog()
	must(t, err)
	defer func() { _ = log.Close() }()
	for r, err := range log.ReadAll(t.Context(), f.upto) {
		must(t, err)
		m, err := r.DecodeMeta()
		must(t, err)
		f.at[r.Position.String()], f.upto = keyOfCommand(m.CommandID), r.Position
	}
	for key, position := range told {
		if !f.checked[key] && f.at[position] != key {
			t.Errorf("%s was acknowledged at %s, where the log now holds %q", key, position, f.at[position])
		}
		f.checked[key] = true
	}
}

// keyOfCommand is the Idempotency-Key in a command's ID: caller, key, door.
func keyOfCommand(id string) string {
	parts := strings.Split(id, "/")
	if len(parts) < 3 || strings.HasPrefix(id, "policy:") {
		return ""
	}
	return parts[1]
}

// audit checks the whole of what the traffic left: the ledger, every command by
// its key, and the views.
func (f *traffic) audit(t *testing.T) {
	t.Helper()
	records := f.ledger.audit(t, f.instance)
	f.everyCommand(t, records)
	for _, b := range f.broken {
		t.Errorf("nobody should be answered so: %s", b)
	}
	f.instance.sameViews(t)
}

// everyCommand was answered in the end; what was acknowledged is in one append,
// what was refused in none.
func (f *traffic) everyCommand(t *testing.T, records []record) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	done := map[string][]record{}
	for _, r := range records {
		// A key is claimed before anything is done under it.
		if key := keyOfCommand(r.commandID); key != "" && r.Type != "idempotency.claimed.v1" {
			done[key] = append(done[key], r)
		}
	}
	for key, s := range f.sent {
		switch {
		case s.status == 0:
			t.Errorf("%s was never answered, in %d tries", key, s.tries)
		case s.acknowledged:
			oneAppend(t, done[key])
		case len(done[key]) > 0 && done[key][0].Type != "enrollment.email-code-refused.v1": // a guess is a fact
			t.Errorf("%s was refused with %d, and stands in the log at %s %d", key, s.status, done[key][0].Stream, done[key][0].Revision)
		}
	}
}

// oneAppend has its events side by side, in one stream and at one time: a command
// that was decided again would have another.
func oneAppend(t *testing.T, events []record) {
	t.Helper()
	last := map[string]record{}
	for _, r := range events {
		before, ok := last[r.commandID]
		if ok && (before.Stream != r.Stream || before.Revision+1 != r.Revision || before.at != r.at) {
			t.Errorf("%s was done twice, at %s %d and %s %d", r.commandID, before.Stream, before.Revision, r.Stream, r.Revision)
		}
		last[r.commandID] = r
	}
}

// String is a line for the log of a test.
func (f *traffic) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	acknowledged, refused, again, slow := 0, 0, 0, []time.Duration{}
	for _, s := range f.sent {
		switch {
		case s.acknowledged:
			acknowledged++
		case s.status >= 400:
			refused++
		}
		if s.tries > 1 {
			again++
		}
		if !s.ended.IsZero() {
			slow = append(slow, s.ended.Sub(s.began))
		}
	}
	slices.Sort(slow)
	return fmt.Sprintf("%d arrivals, %d of them turned away; %d commands: %d acknowledged, %d refused, %d sent again, median %v, longest %v; %d questions, %d unheard",
		f.arrivals, f.away, len(f.sent), acknowledged, refused, again, median(slow), last(slow), f.asked, f.unheard)
}

func median(sorted []time.Duration) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2].Round(time.Millisecond)
}

func last(sorted []time.Duration) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)-1].Round(time.Millisecond)
}
