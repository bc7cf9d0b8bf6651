package commands_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/commands/officertest"
	"govahi/commands/policies"
	"govahi/domain/appointment"
	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/limit"
	"govahi/domain/office"
)

// The people of the stories, by invented national codes with right check digits.
const (
	admin     = "9992001011"
	manager   = "9992002026"
	auditor   = "9992003030"
	operator  = "9992004045"
	officer   = "9992005051" // of office-1
	second    = "9992006064" // of office-1
	elsewhere = "9992007079" // of office-2
	research  = "9992008083" // of unit-rt
	applicant = "9992009098"
	neighbour = "9992010101" // another applicant
	stranger  = "9992011114"
	dismissed = "9992012129" // was an officer of office-1
	expired   = "9992013133" // was one until yesterday
)

// everybody lists them in a steady order.
var everybody = []string{
	admin, manager, auditor, operator, officer, second, elsewhere, research, applicant, stranger, dismissed, expired,
}

// noon is in Ābān 1405.
var noon = time.Date(2026, time.November, 1, 8, 30, 0, 0, time.UTC)

// house is an instance on the log in memory, with people, offices and a price.
type house struct {
	*commands.App
	t        *testing.T
	log      *hooked
	keeper   *spec.Keeper
	secrets  *secrets
	registry *registry
	signer   *signer
	bank     *bank
	clock    *clock
	steps    func(point string) // called between the steps of issuance
	keys     int
	read     event.Position // what the policies have seen
}

// empty is a house that nobody has founded.
func empty(t *testing.T) *house {
	h := &house{
		t: t, log: &hooked{Log: memlog.New()}, keeper: spec.NewKeeper(), secrets: &secrets{}, registry: &registry{},
		clock: &clock{now: noon}, steps: func(string) {},
	}
	ca := theCA(t)
	h.signer = &signer{ca: ca, log: h.log}
	h.bank = &bank{standing: commands.Held}
	h.App = &commands.App{
		Log: h.log, Standing: commands.NewStanding(h.log), Keeper: h.keeper, People: people{}, Secrets: h.secrets, Authority: ca, Signer: h.signer, Signatures: officertest.Signatures{},
		Registry: h.registry, Gateways: commands.Gateways{
			Named: map[string]commands.Gateway{"bank1": h.bank}, Base: "http://door.example.ir", Look: commands.DefaultLook, End: commands.DefaultEnd,
		}, CodeLimit: limit.Rule{Name: "codes", Max: 10, Within: 24 * time.Hour}, Terms: commands.DefaultTerms(), Clock: h.clock.Now, Handler: "handler-1", Step: func(p string) { h.steps(p) },
	}
	return h
}

// open is a house in which everybody has his post.
func open(t *testing.T) *house {
	h := empty(t)
	if _, err := h.Bootstrap(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	for code, sort := range map[string]office.Sort{"office-1": office.Registration, "office-2": office.Registration, "unit-rt": office.Research} {
		h.did(h.OpenOffice(t.Context(), h.by(admin), commands.OpenOffice{Sort: sort, Code: code, Name: "دفتر نمونه", Province: "تهران", City: "تهران"}))
	}
	year := noon.AddDate(1, 0, 0)
	h.appoint(manager, appointment.Manager, "", year)
	h.appoint(auditor, appointment.Auditor, "", year)
	h.appoint(operator, appointment.CAOperator, "", year)
	for _, p := range []string{officer, second, dismissed} {
		h.appoint(p, appointment.RegistrationOfficer, "office-1", year)
	}
	h.appoint(elsewhere, appointment.RegistrationOfficer, "office-2", year)
	h.appoint(research, appointment.ResearchOfficer, "unit-rt", year)
	h.did(h.Dismiss(t.Context(), h.by(admin), commands.Dismiss{PersonCode: dismissed, Role: appointment.RegistrationOfficer, Place: "office-1"}))
	h.clock.now = noon.Add(-48 * time.Hour)
	h.appoint(expired, appointment.RegistrationOfficer, "office-1", noon.Add(-24*time.Hour))
	h.clock.now = noon
	for _, code := range []string{"office-1", "office-2"} {
		h.did(h.LicenseOffice(t.Context(), h.by(operator), code, commands.LicenseOffice{Number: "P-1", From: noon.AddDate(-1, 0, 0), Until: year}))
	}
	for _, p := range []string{officer, second, elsewhere, dismissed, expired} {
		if err := officertest.Certify(t.Context(), h.log.Log, h.keeper, subject(p), noon); err != nil {
			t.Fatal(err)
		}
	}
	h.did(h.PublishTariff(t.Context(), h.by(manager), commands.PublishTariff{
		Product: "cpmis-signature", TokenRial: 1_000_000, IssuanceRial: 500_000, ValidFrom: noon.AddDate(-1, 0, 0),
	}))
	return h
}

func (h *house) appoint(code string, role appointment.Role, place string, until time.Time) {
	h.t.Helper()
	h.did(h.Appoint(h.t.Context(), h.by(admin), commands.Appoint{PersonCode: code, Role: role, Place: place, Until: until}))
}

// subject is a person's pseudonym.
func subject(code string) event.Subject { return event.Subject("person-" + code[6:]) }

// by is a person with a key that was never used.
func (h *house) by(code string) commands.Caller {
	h.keys++
	return keyed(code, fmt.Sprintf("key-%d", h.keys))
}

func keyed(code, key string) commands.Caller { return commands.Caller{Person: subject(code), Key: key} }

// did expects that a command was accepted.
func (h *house) did(r commands.Receipt, err error) commands.Receipt {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("refused: %v", err)
	}
	return r
}

// refused expects a refusal, and that the log holds nothing of it.
func (h *house) refused(want error, do func() error) {
	h.t.Helper()
	before := h.head()
	if err := do(); !errors.Is(err, want) {
		h.t.Errorf("got %v, want %v", err, want)
	}
	if h.head() != before {
		h.t.Errorf("%v was refused and still left events", want)
	}
}

func (h *house) head() event.Position {
	h.t.Helper()
	p, err := h.log.Head(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) stream(s event.Stream) []event.Recorded {
	h.t.Helper()
	var all []event.Recorded
	for r, err := range h.log.Log.Read(context.Background(), s, 0) {
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// names lists the stored names of a stream's events without category and version.
func (h *house) names(s event.Stream) string {
	h.t.Helper()
	var all []string
	for _, r := range h.stream(s) {
		parts := strings.Split(r.Type, ".")
		all = append(all, parts[1])
	}
	return strings.Join(all, " ")
}

// all lists the log's events of a stored name.
func (h *house) all(name string) []event.Recorded {
	h.t.Helper()
	var found []event.Recorded
	for r, err := range h.log.Log.ReadAll(context.Background(), 0, name) {
		if err != nil {
			h.t.Fatal(err)
		}
		found = append(found, r)
	}
	return found
}

// state folds a stream.
func state[S any](h *house, kind event.Kind[S], s event.Stream) (state S) {
	h.t.Helper()
	for _, r := range h.stream(s) {
		e, err := kind.Catalog.Open(r)
		if err != nil {
			h.t.Fatal(err)
		}
		state = kind.Evolve(state, e)
	}
	return state
}

// settle lets the policies of the record react, and asks the registry, until
// nothing more follows.
func (h *house) settle() {
	h.t.Helper()
	for before := event.Position(1 << 62); before != h.head(); {
		before = h.head()
		for _, r := range h.after(h.read) {
			h.react(r)
			h.read = r.Position
		}
	}
}

func (h *house) after(p event.Position) []event.Recorded {
	h.t.Helper()
	all, err := event.ReadBatch(context.Background(), h.log.Log, p, 10_000)
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

func (h *house) react(r event.Recorded) {
	h.t.Helper()
	for _, p := range policies.OfRecord() {
		if err := p.Handle(h.t.Context(), h.App, r); err != nil {
			h.t.Fatalf("%s on %s: %v", p.Name, r.Type, err)
		}
	}
	if r.Type == "inquiry.requested.v1" {
		if err := h.AskRegistry(h.t.Context(), commands.Caller{Policy: "inquire"}, r.Stream.ID()); err != nil {
			h.t.Fatal(err)
		}
	}
}

// people gives everybody a pseudonym that a reader of a test can tell.
type people struct{}

func (people) Person(_ context.Context, code string) (event.Subject, error) {
	return subject(code), nil
}

// Lookup knows everybody.
func (people) Lookup(_ context.Context, code string) (event.Subject, bool, error) {
	return subject(code), true, nil
}

// secrets derive from no secret at all. Colliding makes the first candidates of
// all callers one and the same.
type secrets struct{ colliding int }

func (s *secrets) Derive(purpose string, parts ...string) []byte {
	if purpose == "tracking-code" && int(parts[len(parts)-1][0]-'0') < s.colliding {
		parts = []string{parts[0], parts[len(parts)-1]}
	}
	sum := sha256.Sum256([]byte(purpose + "\x00" + strings.Join(parts, "\x00")))
	return sum[:]
}

// clock stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// registry matches everybody unless told otherwise.
type registry struct {
	answer *commands.RegistryAnswer
	err    error
	asked  []commands.RegistryQuestion
}

func (r *registry) Inquire(_ context.Context, id string, q commands.RegistryQuestion) (commands.RegistryAnswer, error) {
	r.asked = append(r.asked, q)
	switch {
	case r.err != nil:
		return commands.RegistryAnswer{}, r.err
	case r.answer != nil:
		return *r.answer, nil
	}
	return commands.RegistryAnswer{Matched: true, TrackingCode: "REG-" + id}, nil
}

// hooked is a log whose reads and appends a test can disturb.
type hooked struct {
	event.Log
	mu     sync.Mutex
	append func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error)
}

// Append is the test's, if there is one.
func (l *hooked) Append(ctx context.Context, s event.Stream, e event.Expected, events ...event.Proposed) (event.Receipt, error) {
	l.mu.Lock()
	hook := l.append
	l.mu.Unlock()
	if hook != nil {
		return hook(ctx, s, e, events)
	}
	return l.Log.Append(ctx, s, e, events...)
}

// during runs a test's part with its own way to append.
func (l *hooked) during(hook func(context.Context, event.Stream, event.Expected, []event.Proposed) (event.Receipt, error), do func()) {
	l.set(hook)
	defer l.set(nil)
	do()
}

func (l *hooked) set(hook func(context.Context, event.Stream, event.Expected, []event.Proposed) (event.Receipt, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.append = hook
}

var errCut = errors.New("the wire was cut")

// cutAt stops the world before the first append to a stream of a category.
func (l *hooked) cutAt(category string, do func()) {
	l.cutFrom(category)
	defer l.set(nil)
	do()
}

// cutFrom does so from now on.
func (l *hooked) cutFrom(category string) {
	l.set(func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
		if s.Category() == category {
			return event.Receipt{}, errCut
		}
		return l.Log.Append(ctx, s, e, events...)
	})
}

// put appends events as if another had decided them.
func put[S any](h *house, kind event.Kind[S], s event.Stream, events ...event.Event) {
	h.t.Helper()
	at := len(h.stream(s))
	h.keys++
	meta := event.Meta{CommandID: fmt.Sprintf("put-%d", h.keys), Actor: "test", At: h.clock.Now()}
	proposed, err := kind.Encode(context.Background(), h.keeper, s, meta, events)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.log.Log.Append(context.Background(), s, event.Expected(at)-1, proposed...); err != nil {
		h.t.Fatal(err)
	}
}
