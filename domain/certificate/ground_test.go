package certificate

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/fault"
)

// allowed is domain §4.4, written apart from the rules: who may give a ground,
// and as what it is published. o is the holder online, p in person, a his
// attorney, g the organisation, r the registration officer, c the CA.
var allowed = map[Ground]struct {
	by     string
	reason Reason
}{
	"key-compromised":       {"opagc", "keyCompromise"},
	"pin-known":             {"opac", "keyCompromise"},
	"token-lost":            {"opagc", "keyCompromise"},
	"token-stolen":          {"opagc", "keyCompromise"},
	"token-broken":          {"opac", "superseded"},
	"data-changed":          {"opagc", "affiliationChanged"},
	"wrong-data":            {"opagrc", "superseded"},
	"activity-ended":        {"opagc", "cessationOfOperation"},
	"post-changed":          {"opagc", "affiliationChanged"},
	"cooperation-ended":     {"opagc", "affiliationChanged"},
	"holders-wish":          {"opa", "cessationOfOperation"},
	"organisations-request": {"g", "affiliationChanged"},
	"replaced":              {"opac", "superseded"},
	"ca-key-compromised":    {"c", "superseded"},
	"unauthorised-use":      {"gc", "privilegeWithdrawn"},
	"forgery":               {"c", "privilegeWithdrawn"},
	"false-information":     {"c", "privilegeWithdrawn"},
}

var letters = map[Asker]string{Holder: "o", HolderInPerson: "p", Attorney: "a", Organisation: "g", Officer: "r", Operator: "c"}

// shown is all that could be asked for.
var shown = Formality{Identity: "national-card", Number: "۱۲/۳۴", Date: "1405/08/01", Scope: true, Seal: true}

var named = Names{Name: "وکیل نمونه", Notary: "دفترخانهٔ ۱ تهران"}

// grounds are those that people may give.
func grounds() (all []Ground) {
	for _, r := range rules {
		if !slices.Equal(r.by, theHouse) {
			all = append(all, r.ground)
		}
	}
	return all
}

// TestWhoMayGiveWhichGround tries every ground with everybody, with all that
// could be shown, and without.
func TestWhoMayGiveWhichGround(t *testing.T) {
	if got := grounds(); len(got) != len(allowed) {
		t.Errorf("the menu has %d grounds: %v", len(got), got)
	}
	for ground, want := range allowed {
		if ground.Reason() != want.reason || ground.Persian() == "" || !slices.Contains(grounds(), ground) {
			t.Errorf("%s is published as %s, called %q", ground, ground.Reason(), ground.Persian())
		}
		for _, asker := range append(slices.Clone(Askers), House) {
			ask := Ask{ground, asker, shown, named}
			revoke := Revoke{Ask: ask, By: "p-somebody", At: noon}
			if asker == House && slices.Contains([]Ground{FalseInformation, TokenLost, TokenBroken, CAKeyCompromised, Replaced, DataChanged}, ground) {
				continue // after a verdict, what happened to the token or the CA, or a renewal
			}
			if letter := letters[asker]; letter == "" || !strings.Contains(want.by, letter) {
				refusal := refusedAs(t, revoke, ErrGroundNotTheirs)
				for _, other := range Askers { // everybody who may is named, with what he shows
					f, _ := other.formality()
					if told := strings.Contains(refusal.Text.Fa, f.name.Fa) && strings.Contains(refusal.Text.Fa, f.needed.Fa) &&
						strings.Contains(refusal.Text.En, f.name.En) && strings.Contains(refusal.Text.En, f.needed.En); told != strings.Contains(want.by, letters[other]) {
						t.Errorf("%s by %s: %s is named: %v: %s", ground, asker, other, told, refusal.Text.En)
					}
				}
				continue
			}
			e := revoked(want.reason)
			e.By, e.Ground, e.Asker, e.Formality, e.Names = "p-somebody", ground, asker, &ask.Formality, event.About(sara, named)
			spec.Given(t, Kind, valid()...).When(revoke).Then(e)
		}
	}
}

func refusedAs(t *testing.T, c Revoke, want *fault.Fault) *fault.Fault {
	t.Helper()
	_, err := c.Decide(fold(valid()))
	f, _ := fault.Of(err)
	if f == nil || f.Code != want.Code || f.Kind != want.Kind || f.Text.Fa == "" || f.Text.En == "" {
		t.Fatalf("%s by %s: %v", c.Ask.Ground, c.Ask.By, err)
	}
	return f
}

// TestEachFormalityIsNeeded leaves out one thing after another.
func TestEachFormalityIsNeeded(t *testing.T) {
	leave := map[string]func(*Ask){
		"identity": func(a *Ask) { a.Formality.Identity = "" },
		"a card":   func(a *Ask) { a.Formality.Identity = "legal-person-card" },
		"number":   func(a *Ask) { a.Formality.Number = "" },
		"date":     func(a *Ask) { a.Formality.Date = "" },
		"scope":    func(a *Ask) { a.Formality.Scope = false },
		"seal":     func(a *Ask) { a.Formality.Seal = false },
		"name":     func(a *Ask) { a.Names.Name = "" },
		"notary":   func(a *Ask) { a.Names.Notary = "" },
	}
	needs := map[Asker][]string{
		Holder: nil, Officer: nil, Operator: nil,
		HolderInPerson: {"identity", "a card"},
		Attorney:       {"identity", "a card", "number", "date", "scope", "name", "notary"},
		Organisation:   {"identity", "a card", "number", "date", "seal", "name"},
	}
	for _, asker := range Askers {
		for name, without := range leave {
			ask := Ask{WrongData, asker, shown, named}
			without(&ask)
			err := ask.Check()
			f, _ := fault.Of(err)
			if needed := slices.Contains(needs[asker], name); needed != (err != nil) || needed && (f.Code != "formality-missing" || f.Field != "formality") {
				t.Errorf("%s without %s: %v", asker, name, err)
			}
		}
	}
}

func TestUnknownGroundsAndAskersAreRefused(t *testing.T) {
	if err := (Ask{Ground: "whim", By: Holder}).Check(); !errors.Is(err, ErrGround) {
		t.Error(err)
	}
	if err := (Ask{Ground: HoldersWish, By: "whoever"}).Check(); !errors.Is(err, ErrAsker) {
		t.Error(err)
	}
	for _, reason := range Reasons {
		if GroundOf(reason).Reason() != reason {
			t.Errorf("%s has the ground %s", reason, GroundOf(reason))
		}
	}
}

// formally is a revocation with everything.
func formally() Revoked {
	return Revoked{
		serial, request, CessationOfOperation, "", "p-officer", noon, "155e", until,
		HoldersWish, Attorney, &shown, event.About(sara, named),
	}
}

func TestACompromisedKeyIsBlockedOnce(t *testing.T) {
	block := Block{serial, noon}
	spec.Given(t, Blocklist).When(block).Then(Blocked(block))
	spec.Given(t, Blocklist, Blocked(block)).When(Block{"c3d4", later}).ThenNothing()
}
