package projections_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"govahi/adapters/postgres/pgtest"
	"govahi/commands/memlog"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/iran"
	"govahi/projections"
	"govahi/queries"
)

var noon = time.Date(2026, time.November, 1, 8, 30, 0, 0, time.UTC)

// views is every view of the house over a log in memory: given events, when the
// runner has shown them, then queries answer.
type views struct {
	*testing.T
	*queries.Queries
	log    event.Log
	keeper *spec.Keeper
	waiter *projections.Waiter
	now    time.Time // of what is told next

	// Each story has its own codes, serials, offices and people, so that many can
	// be told to one house.
	story                      int
	office, other, unit, issue string
	sara, nima                 event.Subject
}

// tells runs a story of its own on the same house.
func (v *views) tells(name string, story func(*views)) {
	v.Helper()
	v.story++
	own := *v
	own.office, own.other = fmt.Sprint("office-", v.story, "-1"), fmt.Sprint("office-", v.story, "-2")
	own.unit, own.issue = fmt.Sprint("unit-", v.story), fmt.Sprintf("67%02x", v.story)
	own.sara, own.nima = event.Subject(fmt.Sprint("sara-", v.story)), event.Subject(fmt.Sprint("nima-", v.story))
	v.Run(name, func(t *testing.T) { own.T = t; story(&own) })
}

// code is the story's n-th tracking code.
func (v *views) code(n int) string { return iran.TrackingCode(1405, uint32(1000*v.story+n)) }

// serial is one of the story's.
func (v *views) serial(end string) string { return v.issue + end }

func newViews(t *testing.T) *views {
	t.Helper()
	t.Parallel()
	pool, log, keeper := pgtest.Pool(t), memlog.New(), spec.NewKeeper()
	v := &views{
		T: t, Queries: &queries.Queries{Pool: pool, Keeper: keeper, Terms: keyedTerms{}}, log: log, keeper: keeper,
		waiter: projections.NewWaiter(pool), now: noon,
	}
	runner := projections.NewRunner(projections.Parts{
		Pool: pool, Log: log, Feed: func(string) event.Feed { return &prompt{log: log} }, Keeper: keeper, Terms: keyedTerms{},
		Report: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}, projections.All()...)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { _ = runner.Run(ctx) })
	all.Go(func() { _ = v.waiter.Run(ctx) })
	t.Cleanup(func() { cancel(); all.Wait() })
	return v
}

// keyedTerms are as the vault's, under a key that is no secret.
type keyedTerms struct{}

func (keyedTerms) Term(kind, text string) []byte {
	mac := hmac.New(sha256.New, []byte("key"))
	fmt.Fprintf(mac, "%s\x00%s", kind, text)
	return mac.Sum(nil)
}

// prompt is a feed that brings what the log has, as soon as it has something.
type prompt struct {
	log event.Log
	at  event.Position
}

func (p *prompt) Fetch(ctx context.Context, n int) ([]event.Message, error) {
	var messages []event.Message
	for d, err := range p.log.Subscribe(ctx, p.at) {
		if err != nil {
			return messages, err
		}
		if d.Event != nil {
			messages = append(messages, event.Message{Recorded: *d.Event, Previous: p.at, Ack: func() {}})
			p.at = d.Checkpoint
		}
		if len(messages) == n || len(messages) > 0 && d.Event == nil {
			break
		}
	}
	return messages, nil
}

// tell appends events to a stream, each decided by itself.
func tell[S any](v *views, kind event.Kind[S], id string, events ...event.Event) {
	v.Helper()
	var s S
	at := -1
	for r, err := range v.log.Read(v.Context(), kind.Stream(id), 0) {
		if err != nil {
			v.Fatal(err)
		}
		e, err := kind.Catalog.Open(r)
		if err != nil {
			v.Fatal(err)
		}
		s, at = kind.Evolve(s, e), at+1
	}
	for _, e := range events {
		s = kind.Evolve(s, e)
		meta := event.Meta{CommandID: fmt.Sprint(id, at), Actor: "test", At: v.now}
		if kind.Status != nil {
			meta.Status = kind.Status(s)
		}
		proposed, err := kind.Encode(v.Context(), v.keeper, kind.Stream(id), meta, []event.Event{e})
		if err != nil {
			v.Fatal(err)
		}
		if _, err := v.log.Append(v.Context(), kind.Stream(id), event.Expected(at), proposed...); err != nil {
			v.Fatal(err)
		}
		at++
	}
}

// shown waits until every view shows all that was told.
func (v *views) shown() {
	v.Helper()
	ctx, cancel := context.WithTimeout(v.Context(), 10*time.Second)
	defer cancel()
	head, err := v.log.Head(ctx)
	if err != nil {
		v.Fatal(err)
	}
	for _, p := range projections.All() {
		if err := v.waiter.Wait(ctx, p.Name, head); err != nil {
			v.Fatalf("%s never showed %d: %v", p.Name, head, err)
		}
	}
	var parked string
	err = v.Pool.QueryRow(ctx, `SELECT coalesce(string_agg(projection || ' ' || type || ' ' || reason, '; '), '') FROM govahi.parked`).Scan(&parked)
	if err != nil || parked != "" {
		v.Fatalf("parked: %s %v", parked, err)
	}
}

// ok is an answer without an error.
func ok[T any](answer T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

const officer = event.Subject("officer")

func formOf(person event.Subject) enrollment.Form {
	f := enrollment.Form{
		GivenName: "سارا", Surname: "کریمی‌نژاد", PersonCode: "9992009098", Mobile: "09121234567", Email: "sara@example.ir",
		Province: "تهران", OrganizationName: "شرکت نمونه", Organization: "10999001013",
	}
	if strings.HasPrefix(string(person), "nima") {
		f.GivenName, f.Surname, f.PersonCode, f.Mobile = "نیما", "رضایی", "9992010101", "09351230000"
	}
	return f
}

func completed(person event.Subject) enrollment.FormCompleted {
	f := formOf(person)
	return enrollment.FormCompleted{
		Version: 1, Person: person, Organization: f.Organization, Province: f.Province, EnteredBy: person,
		Entry: enrollment.ByApplicant, Form: event.About(person, f), At: noon,
	}
}

// opened tells a request's beginning: opened, completed, proved.
func (v *views) opened(code string, person event.Subject) {
	v.Helper()
	tell(v, enrollment.Kind, code,
		enrollment.Opened{TrackingCode: code, Channel: enrollment.Outside, CertificateType: "cpmis-signature", OpenedBy: person, At: v.now},
		completed(person), enrollment.EmailConfirmed{FormVersion: 1}, enrollment.LiabilityAccepted{FormVersion: 1})
}

// atOffice goes on until it is at an office.
func (v *views) atOffice(code string, person event.Subject, office string) {
	v.Helper()
	v.opened(code, person)
	tell(v, enrollment.Kind, code, enrollment.Submitted{Office: office, FormVersion: 1, At: v.now})
}

// accepted goes on until the applicant has his certificate.
func (v *views) accepted(code string, person event.Subject, serial string) {
	v.Helper()
	v.handed(code, person, serial, nil)
}

// handed has the token in the hands of the applicant, or of his attorney, and the
// certificate accepted.
func (v *views) handed(code string, person event.Subject, serial string, attorney *event.Personal[enrollment.Attorney]) {
	v.Helper()
	v.atOffice(code, person, v.office)
	v.issued(code, person, serial)
	tell(v, enrollment.Kind, code,
		enrollment.InformationConfirmed{Certificate: "67", Signature: "c2ln", By: officer, Office: v.office},
		enrollment.IssuanceRequested{Token: "T" + code, KeyHash: serial, Request: event.About(person, enrollment.SigningInfo{}), By: officer},
		enrollment.IssuanceAttempted{Serial: serial}, enrollment.Issued{Serial: serial, Fingerprint: "f" + serial, At: v.now},
		enrollment.TokenPersonalised{Token: "T" + code}, enrollment.SheetPrinted{Copy: 1},
		enrollment.Delivered{IdentityChecked: enrollment.NationalCard, Attorney: attorney, By: officer, At: v.now}, enrollment.Accepted{By: person, At: v.now})
}

func codes(list []queries.Request) []string {
	var all []string
	for _, r := range list {
		all = append(all, r.TrackingCode)
	}
	return all
}

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
