package http

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"govahi/adapters/registry"
	"govahi/commands"
	"govahi/commands/policies"
	"govahi/domain/inquiry"
	"govahi/domain/iran"
	"govahi/queries"
)

// hands of a clock that a test turns.
type hands struct {
	mu sync.Mutex
	at time.Time
}

func (h *hands) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hands) turn(to time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = to
}

// closedDays are Fridays, and Nowruz from the last day of Esfand to the
// thirteenth of Farvardin.
func closedDays(day time.Time) bool {
	d := iran.FromTime(day)
	return day.Weekday() == time.Friday || d.Month == 1 && d.Day <= 13 || d.Month == 12 && d.Day >= 29
}

// officeHours is a house whose registry answers from eight to two, with the
// worker that asks it, by a clock of the test's own.
func officeHours(t *testing.T) (*told, *hands) {
	l, clock := &told{life: alive(t)}, &hands{at: now()}
	simulator := registry.NewSimulator()
	simulator.Hours, simulator.Clock = &registry.Hours{From: 8, To: 14, Closed: closedDays}, clock.now
	l.done("admin", "/appointments", map[string]any{
		"personCode": personOf("officer-1"), "role": "registration-officer", "place": "office-1", "until": now().AddDate(2, 0, 0),
	})
	l.app.Registry, l.app.Clock = simulator, clock.now
	ask := policies.Worker{Name: "inquire", Due: l.queries.DueInquiries, Do: l.app.AskRegistry, Clock: clock.now, Report: slog.New(slog.DiscardHandler)}
	ctx, stop := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() { _ = ask.Run(ctx) })
	t.Cleanup(func() { stop(); working.Wait() })
	return l, clock
}

// inquires brings a visitor's request to the moment at which the registry is
// asked.
func (l *told) inquires(clock *hands, personCode string, at time.Time) (code string) {
	l.t.Helper()
	in := form()
	in.PersonCode = personCode
	l.submits("officer-1", map[string]string{"channel": "outside", "certificateType": "cpmis-signature", "office": "office-1"}, in)
	clock.turn(at)
	l.does("officer-1", "documents", "under-control", map[string]any{
		"sighted": []string{"birth-certificate", "national-card", "legal-person-card", "introduction-letter"},
		"letter":  map[string]string{"number": "۱۲/۳۴۵", "date": "1405/01/01"},
	})
	return l.code
}

// row is the request as the officer's screen has it now.
func (l *told) row(code string) (r queries.Request) {
	l.t.Helper()
	l.settle()
	l.get("officer-1", "/requests/"+code+"?after="+l.position()).json(l.t, &r)
	return r
}

// sees is what the officer is told of the inquiry, the same wherever he looks;
// nobody answers meanwhile.
func (l *told) sees(code string) (identity string, waits *inquiry.Deferral) {
	l.t.Helper()
	one := l.row(code)
	var queue []queries.Request
	l.get("officer-1", "/offices/office-1/requests").json(l.t, &queue)
	i := slices.IndexFunc(queue, func(r queries.Request) bool { return r.TrackingCode == code })
	var review commands.Review
	l.get("officer-1", "/requests/"+code+"/record").json(l.t, &review)
	for _, other := range []*inquiry.Deferral{queue[i].Waits, review.Waits} {
		if diff := cmp.Diff(one.Waits, other); diff != "" {
			l.t.Errorf("he is told two things: %s", diff)
		}
	}
	if review.Answer != *one.Identity {
		l.t.Errorf("the record says %s, the row %s", review.Answer, *one.Identity)
	}
	return *one.Identity, one.Waits
}

// waitsUntil expects a deferral that says when the registry opens.
func (l *told) waitsUntil(code string, cause inquiry.Cause, opens time.Time) {
	l.t.Helper()
	identity, w := l.sees(code)
	date := iran.FromTime(opens).Long() + "، ساعت ۰۸:۰۰"
	if identity != "waiting" || w == nil || w.Cause != cause || !w.Until.Equal(opens) || !strings.Contains(w.Fa, date) || !strings.Contains(w.Fa, "مغایرت نیست") {
		l.t.Errorf("the officer sees %s, %+v; it opens %s", identity, w, date)
	}
}

// answered waits until the worker has asked.
func (l *told) answered(code string) {
	l.t.Helper()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r := l.row(code)
		switch {
		case *r.Identity == "matched" && r.Waits == nil:
			return
		case *r.Identity == "mismatch" || time.Now().After(until):
			l.t.Fatalf("the officer sees %s, %+v", *r.Identity, r.Waits)
		}
	}
}

// TestAClosedRegistryIsAskedWhenItOpens: within the last second of its hours it
// answers; after them, on a Friday and over Nowruz the inquiry waits for the next
// hours, and the officer sees until when. Nothing of it is a mismatch.
func TestAClosedRegistryIsAskedWhenItOpens(t *testing.T) {
	l, clock := officeHours(t)
	day := now().In(iran.Tehran()).AddDate(0, 0, 1)
	for day.Weekday() != time.Thursday || closedDays(day) || closedDays(day.AddDate(0, 0, 2)) || closedDays(day.AddDate(0, 0, 3)) {
		day = day.AddDate(0, 0, 1)
	}
	at := func(days, hour, minute, second int) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day()+days, hour, minute, second, 0, day.Location())
	}
	last := l.inquires(clock, "9991000038", at(0, 13, 59, 59))
	l.answered(last)
	late := l.inquires(clock, "9991000046", at(0, 14, 0, 0))
	l.waitsUntil(late, inquiry.OutOfHours, at(2, 8, 0, 0))
	friday := l.inquires(clock, "9991000021", at(1, 10, 0, 0))
	l.waitsUntil(friday, inquiry.Holiday, at(2, 8, 0, 0))
	l.waitsUntil(late, inquiry.OutOfHours, at(2, 8, 0, 0))
	clock.turn(at(2, 7, 59, 59))
	l.waitsUntil(friday, inquiry.Holiday, at(2, 8, 0, 0))
	clock.turn(at(2, 8, 0, 0))
	l.answered(late)
	l.answered(friday)
	early := l.inquires(clock, "9991000070", at(3, 0, 0, 0))
	l.waitsUntil(early, inquiry.OutOfHours, at(3, 8, 0, 0))
	clock.turn(at(3, 8, 0, 0))
	l.answered(early)
	l.overNowruz(clock)
}

// overNowruz asks after the year's last hours.
func (l *told) overNowruz(clock *hands) {
	l.t.Helper()
	eve := iran.Date{Year: iran.FromTime(clock.now().AddDate(0, 0, 30)).Year, Month: 12, Day: 28}.Time().Add(14 * time.Hour)
	opens := iran.Date{Year: iran.FromTime(eve).Year + 1, Month: 1, Day: 14}.Time().Add(8 * time.Hour)
	for closedDays(opens.In(iran.Tehran())) {
		opens = opens.AddDate(0, 0, 1)
	}
	cause := inquiry.OutOfHours
	if closedDays(eve.In(iran.Tehran())) {
		cause = inquiry.Holiday
	}
	code := l.inquires(clock, "9992009098", eve)
	l.waitsUntil(code, cause, opens)
	if opens.Sub(eve) < 14*24*time.Hour {
		l.t.Fatalf("Nowruz lasts %v", opens.Sub(eve))
	}
	clock.turn(opens.Add(-time.Minute))
	l.waitsUntil(code, cause, opens)
	clock.turn(opens)
	l.answered(code)
}
