package spec_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/fault"
)

// A lamp that its owner may switch: the smallest stream with every feature.

type lamp struct{ on, owned bool }

type owner struct{ Name string }

type (
	given struct {
		Owner *event.Personal[owner]
		Price int64
	}
	switchedOn  struct{ At time.Time }
	switchedOff struct{ At time.Time }
	unlisted    struct{}
	unsealed    struct{ Owner *event.Personal[owner] }
	forgetful   struct{ secret string }
)

func (g given) Personal() []event.Sealable { return []event.Sealable{g.Owner} }

// MarshalJSON writes what UnmarshalJSON does not read.
func (f forgetful) MarshalJSON() ([]byte, error) { return json.Marshal(f.secret) }

func (f *forgetful) UnmarshalJSON([]byte) error { return nil }

var kind = event.Kind[lamp]{
	Category: "lamp",
	Catalog: event.NewCatalog(
		event.Of[given]("lamp.given.v1"),
		event.Of[switchedOn]("lamp.switched-on.v1"),
		event.Of[switchedOff]("lamp.switched-off.v1"),
		event.Of[unsealed]("lamp.unsealed.v1"),
		event.Of[forgetful]("lamp.forgetful.v1"),
	),
	Evolve: func(l lamp, e event.Event) lamp {
		switch e.(type) {
		case given:
			l.owned = true
		case switchedOn:
			l.on = true
		case switchedOff:
			l.on = false
		}
		return l
	},
}

var (
	errNoOwner = fault.New(fault.Conflict, "lamp-without-owner", "چراغ صاحب ندارد.", "The lamp has no owner.")
	errBroken  = fault.New(fault.Internal, "lamp-broken", "چراغ شکسته است.", "The lamp is broken.")
	noon       = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

type switchOn struct{ At time.Time }

func (s switchOn) Decide(l lamp) ([]event.Event, error) {
	switch {
	case !l.owned:
		return nil, fmt.Errorf("switch on: %w", errNoOwner.At("owner"))
	case l.on:
		return nil, nil
	}
	return []event.Event{switchedOn(s)}, nil
}

// say is a command that says what it is told to.
type say struct {
	events []event.Event
	err    error
}

func (s say) Decide(lamp) ([]event.Event, error) { return s.events, s.err }

func toSara() given { return given{Owner: event.About("s1", owner{"Sara"}), Price: 9007199254740993} }

func TestStories(t *testing.T) {
	spec.Given(t, kind, toSara()).When(switchOn{noon}).Then(switchedOn{noon})
	spec.Given(t, kind, toSara(), switchedOn{noon}).When(switchOn{noon}).ThenNothing()
	spec.Given(t, kind, toSara(), switchedOn{noon}, switchedOff{noon}).When(switchOn{noon}).Then(switchedOn{noon})
	spec.Given(t, kind).When(switchOn{noon}).ThenFault(errNoOwner)
	spec.Given(t, kind).When(switchOn{noon}).ThenFault(errNoOwner.At("owner"))
	spec.Given(t, kind).When(say{events: []event.Event{toSara(), switchedOn{noon}}}).Then(toSara(), switchedOn{noon})
}

func TestWrongExpectationsFail(t *testing.T) {
	owned := func(t testing.TB) spec.Story[lamp] { return spec.Given(t, kind, toSara()) }
	for name, c := range map[string]struct {
		test func(testing.TB)
		says string
	}{
		"other value":     {func(t testing.TB) { owned(t).When(switchOn{noon}).Then(switchedOn{noon.Add(1)}) }, `+   "At": "2026-11-22T12:00:00Z"`},
		"other type":      {func(t testing.TB) { owned(t).When(switchOn{noon}).Then(switchedOff{noon}) }, `+ lamp.switched-on.v1`},
		"one too many":    {func(t testing.TB) { owned(t).When(switchOn{noon}).Then(switchedOn{noon}, switchedOn{noon}) }, `- lamp.switched-on.v1`},
		"none expected":   {func(t testing.TB) { owned(t).When(switchOn{noon}).ThenNothing() }, `- (no events)`},
		"none produced":   {func(t testing.TB) { owned(t).When(say{}).Then(switchedOn{noon}) }, `+ (no events)`},
		"no refusal":      {func(t testing.TB) { owned(t).When(switchOn{noon}).ThenFault(errNoOwner) }, `expected the refusal`},
		"done is not no":  {func(t testing.TB) { owned(t).When(say{}).ThenFault(errNoOwner) }, `expected the refusal`},
		"refusal":         {func(t testing.TB) { spec.Given(t, kind).When(switchOn{noon}).Then(switchedOn{noon}) }, `refused: `},
		"refusal, silent": {func(t testing.TB) { spec.Given(t, kind).When(switchOn{noon}).ThenNothing() }, `refused: `},
		"other refusal":   {func(t testing.TB) { spec.Given(t, kind).When(switchOn{noon}).ThenFault(errBroken) }, `"lamp-broken", but got`},
		"other field":     {func(t testing.TB) { spec.Given(t, kind).When(switchOn{noon}).ThenFault(errNoOwner.At("lamp")) }, `"lamp-without-owner at lamp"`},
		"no fault":        {func(t testing.TB) { owned(t).When(say{err: errors.New("the rule broke")}).ThenFault(errNoOwner) }, `which is no fault`},
		"both": {func(t testing.TB) {
			owned(t).When(say{events: []event.Event{switchedOn{noon}}, err: errBroken}).ThenFault(errBroken)
		}, `still produced 1 events`},
		"other person": {func(t testing.TB) {
			owned(t).When(say{events: []event.Event{toSara()}}).
				Then(given{Owner: event.About("s2", owner{"Sara"}), Price: 9007199254740993})
		}, `+     "subject": "s1"`},
		"neighbouring amount": {func(t testing.TB) {
			owned(t).When(say{events: []event.Event{toSara()}}).
				Then(given{Owner: event.About("s1", owner{"Sara"}), Price: 9007199254740992})
		}, `-   "Price": 9007199254740992`},
	} {
		t.Run(name, func(t *testing.T) { mentions(t, fails(t, c.test), c.says) })
	}
}

func TestEventsThatCannotBeStoredFail(t *testing.T) {
	for name, c := range map[string]struct {
		event event.Event
		says  string
	}{
		"unlisted":     {unlisted{}, "not in the catalog"},
		"nothing":      {nil, "not in the catalog"},
		"unsealed":     {unsealed{event.About("s1", owner{"Sara"})}, "not sealed"},
		"forgetful":    {forgetful{"x"}, "does not survive JSON"},
		"out of place": {sealedElsewhere(t), "out of place"},
	} {
		t.Run(name, func(t *testing.T) {
			said := fails(t, func(t testing.TB) { spec.Given(t, kind, c.event) })
			mentions(t, said, "given event 1", c.says)
			said = fails(t, func(t testing.TB) { spec.Given(t, kind).When(say{events: []event.Event{c.event}}).Then() })
			mentions(t, said, "produced event 1", c.says)
		})
	}
}

// sealedElsewhere is an event with personal data copied from another stream.
func sealedElsewhere(t *testing.T) given {
	t.Helper()
	e := toSara()
	if err := e.Owner.Seal(t.Context(), spec.NewKeeper(), "elsewhere"); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(e)
	if err == nil {
		e = given{}
		err = json.Unmarshal(data, &e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDifferencesAreReadable(t *testing.T) {
	said := fails(t, func(t testing.TB) {
		spec.Given(t, kind).When(say{events: []event.Event{switchedOff{noon}, toSara()}}).
			Then(switchedOff{noon}, given{Owner: event.About("s1", owner{"<Zahra>"}), Price: 9007199254740993})
	})
	mentions(t, said,
		"  lamp.switched-off.v1 {\n", "  lamp.given.v1 {\n",
		`-       "Name": "<Zahra>"`+"\n"+`+       "Name": "Sara"`,
		`    "Price": 9007199254740993`)
	if n := strings.Count(said, "\n- ") + strings.Count(said, "\n+ "); n != 2 {
		t.Errorf("%d lines are marked, not 2:\n%s", n, said)
	}
	said = fails(t, func(t testing.TB) { spec.Given(t, kind).When(switchOn{noon}).Then() })
	mentions(t, said, "lamp-without-owner at owner", "The lamp has no owner.")
}
