package commands_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/consignment"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
	"govahi/domain/iran"
	"govahi/domain/office"
)

// sends puts dossiers into a bag from the unit to the authority.
func (h *house) sends(c commands.Caller, dossiers ...string) (string, error) {
	r, err := h.DispatchConsignment(h.t.Context(), c, commands.DispatchConsignment{From: "unit-b", To: "authority", Dossiers: dossiers, Seal: "S-1"})
	return r.Stream.ID(), err
}

// packedIn wants the refusal to name the consignment that has the dossier.
func (h *house) packedIn(number string, err error) {
	h.t.Helper()
	f, ok := fault.Of(err)
	if !ok || !errors.Is(err, consignment.ErrPacked("")) || f.Field != "dossiers" || f.Kind != fault.Conflict {
		h.t.Fatalf("got %v", err)
	}
	if !strings.Contains(f.Text.Fa, number) || !strings.Contains(f.Text.En, number) || number == "" {
		h.t.Errorf("%q is not told of: %s, %s", number, f.Text.Fa, f.Text.En)
	}
}

func (h *house) sent(want int) {
	h.t.Helper()
	if n := len(h.all("consignment.dispatched.v1")); n != want {
		h.t.Errorf("%d consignments, and not %d", n, want)
	}
}

func TestOfManyConsignmentsAtOnceOneHasTheDossier(t *testing.T) {
	h := inside(t)
	a, b := h.draftInside(applicant).approved(), h.draftInside(neighbour).approved()
	numbers, errs := make([]string, 6), make([]error, 6)
	var all sync.WaitGroup
	for i := range numbers {
		c, bag := h.by(unitOfficer), []string{a.code, b.code}
		if i%2 == 1 { // two bags that share their dossiers never each have one
			bag = []string{b.code, a.code}
		}
		all.Go(func() { numbers[i], errs[i] = h.sends(c, bag...) })
	}
	all.Wait()
	h.sent(1)
	number := ""
	for i, err := range errs {
		if err == nil {
			number = numbers[i]
		}
	}
	for _, err := range errs {
		if err != nil {
			h.packedIn(number, err)
		}
	}
}

func TestADossierIsInOneConsignmentBeforeItsRequestKnows(t *testing.T) {
	h := inside(t)
	a, b := h.draftInside(applicant).approved(), h.draftInside(neighbour).approved()
	first := h.by(unitOfficer)
	number, err := h.sends(first, a.code)
	if err != nil {
		t.Fatal(err)
	}
	again := func(dossiers ...string) error { _, err := h.sends(h.by(unitOfficer), dossiers...); return err }
	before := h.head()
	h.packedIn(number, again(a.code))
	h.packedIn(number, again(b.code, a.code))
	if left := h.after(before); len(left) > 0 {
		t.Errorf("a refused consignment left %d events", len(left))
	}
	h.clock.pass(time.Hour) // the policy may be late
	h.packedIn(number, again(a.code))
	if same, err := h.sends(first, a.code); same != number || err != nil {
		t.Errorf("sent again with its key: %q, %v", same, err)
	}
	h.settle()
	h.packedIn(number, again(a.code)) // in the request's own words
	if err := again(b.code); err != nil {
		t.Error(err)
	}
	h.sent(2)
}

// TestADispatchThatWaitedFindsTheDossierGone: between its look at the dossier and
// its claim another consignment took the dossier, and the request let go of it.
func TestADispatchThatWaitedFindsTheDossierGone(t *testing.T) {
	h := inside(t)
	r := h.draftInside(applicant).approved()
	var number string
	var late error
	h.log.during(h.interposed("idempotency", func() {
		number, _ = h.sends(h.by(unitOfficer), r.code)
		h.settle()
	}), func() { _, late = h.sends(h.by(unitOfficer), r.code) })
	h.packedIn(number, late)
	h.sent(1)
}

func TestACutOffConsignmentPassesWhenItIsSentAgain(t *testing.T) {
	h := inside(t)
	a, b := h.draftInside(applicant).approved(), h.draftInside(neighbour).approved()
	h.cutOff(keyed(unitOfficer, "one"), a.code, b.code)
	if got := len(h.all("packing.taken.v1")); got != 2 {
		t.Fatalf("%d dossiers were packed first", got)
	}
	h.clock.pass(time.Hour)
	number, err := h.sends(keyed(unitOfficer, "one"), a.code, b.code)
	if err != nil {
		t.Fatalf("sent again: %v", err)
	}
	if got := len(h.all("packing.taken.v1")); got != 2 {
		t.Errorf("packed %d times", got)
	}
	h.settle()
	if got := a.now().Dossier.Consignment; got != number {
		t.Errorf("the dossier is in %q, and not in %q", got, number)
	}
}

// cutOff is a consignment whose command dies after its dossiers were claimed.
func (h *house) cutOff(c commands.Caller, dossiers ...string) {
	h.t.Helper()
	h.log.cutAt("consignment", func() {
		if _, err := h.sends(c, dossiers...); !errors.Is(err, commands.ErrLogUnavailable) {
			h.t.Fatalf("got %v", err)
		}
	})
}

func TestACutOffConsignmentIsCalledOffByTheNext(t *testing.T) {
	h := inside(t)
	a, b := h.draftInside(applicant).approved(), h.draftInside(neighbour).approved()
	h.cutOff(keyed(unitOfficer, "one"), a.code, b.code)
	held := state(h, consignment.Packing, consignment.Packing.Stream(a.code)).Consignment
	_, err := h.sends(keyed(unitOfficer, "two"), a.code)
	h.packedIn(held, err) // it may be on its way into the log
	h.clock.pass(commands.CutOff)
	h.cutOff(keyed(unitOfficer, "two"), a.code) // before it calls off the other
	number, err := h.sends(keyed(unitOfficer, "two"), a.code)
	if err != nil {
		t.Fatal(err)
	}
	h.refused(consignment.ErrCalledOff, func() error { _, err := h.sends(keyed(unitOfficer, "one"), a.code, b.code); return err })
	h.settle()
	if _, err := h.sends(keyed(unitOfficer, "three"), b.code); err != nil { // at once: its consignment was called off
		t.Error(err)
	}
	if got := a.now().Dossier.Consignment; got != number {
		t.Errorf("the dossier is in %q, and not in %q", got, number)
	}
	h.sent(2)
}

// TestAConsignmentThatWasGivenUpIsNotSentLater: it only stood still, after its
// claim, for longer than anybody waits.
func TestAConsignmentThatWasGivenUpIsNotSentLater(t *testing.T) {
	h := inside(t)
	r := h.draftInside(applicant).approved()
	var late error
	h.log.during(h.interposed("packing", func() {
		h.clock.pass(commands.CutOff)
		if _, err := h.sends(h.by(unitOfficer), r.code); err != nil {
			t.Error(err)
		}
	}), func() { _, late = h.sends(h.by(unitOfficer), r.code) })
	if !errors.Is(late, consignment.ErrCalledOff) {
		t.Errorf("got %v", late)
	}
	h.sent(1)
}

func TestALostDossierIsSentAgainInOneConsignment(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	r := h.draftInside(applicant).approved()
	for range 2 {
		bag, err := h.sends(h.by(unitOfficer), r.code)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.sends(h.by(unitOfficer), r.code)
		h.packedIn(bag, err)
		h.did(h.ReceiveConsignment(ctx, h.by(carrier), bag, commands.ReceiveConsignment{SealIntact: true}))
		_, err = h.sends(h.by(unitOfficer), r.code)
		h.packedIn(bag, err)
		h.did(h.ResolveDiscrepancy(ctx, h.by(carrier), bag, commands.ResolveDiscrepancy{Lost: []string{r.code}, Cause: consignment.LostOnTheWay}))
		_, err = h.sends(h.by(unitOfficer), r.code) // the request does not know yet
		h.packedIn(bag, err)
		h.settle()
	}
	h.shipped("unit-b", "authority", unitOfficer, carrier, r.code)
	h.shipped("authority", "office-1", carrier, officer, r.code)
	if s := r.now().Status; s != enrollment.StatusAtOffice && s != enrollment.StatusUnderControl {
		t.Errorf("the request is %s", s)
	}
	h.sent(4)
}

// TestADossierInAnothersBagIsOfItsOwn: the bag that it was found in does not move
// it, nor say where it comes from; its own does, when it is received.
func TestADossierInAnothersBagIsOfItsOwn(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	h.did(h.OpenOffice(ctx, h.by(admin), commands.OpenOffice{Sort: office.Authority, Code: "authority-2", Name: "نمونه", Province: "تهران", City: "تهران"}))
	h.did(h.LicenseOffice(ctx, h.by(operator), "authority-2", commands.LicenseOffice{Number: "C-2", From: noon.AddDate(-1, 0, 0), Until: noon.AddDate(1, 0, 0)}))
	h.appoint(carrier, appointment.AuthorityOfficer, "authority-2", noon.AddDate(1, 0, 0))
	a, x := h.draftInside(applicant).approved(), h.draftInside(neighbour).approved()
	h.shipped("unit-b", "authority", unitOfficer, carrier, a.code)
	h.shipped("unit-b", "authority-2", unitOfficer, carrier, x.code)
	send := func(from, code string) string {
		return h.did(h.DispatchConsignment(ctx, h.by(carrier), commands.DispatchConsignment{From: from, To: "office-1", Dossiers: []string{code}, Seal: "S-1"})).Stream.ID()
	}
	count := func(bag string, found ...string) consignment.Consignment {
		h.did(h.ReceiveConsignment(ctx, h.by(officer), bag, commands.ReceiveConsignment{Dossiers: found, SealIntact: true}))
		h.settle()
		return state(h, consignment.Kind, consignment.Kind.Stream(bag))
	}
	first, second := send("authority", a.code), send("authority-2", x.code)
	h.settle()
	if bag := count(first, a.code, x.code); bag.Status != consignment.Discrepant || !slices.Equal(bag.Received.Surplus, []string{x.code}) {
		t.Errorf("the bag is %s, with %v too many", bag.Status, bag.Received.Surplus)
	}
	if now := x.now(); now.Status != enrollment.StatusInTransit || now.Origin != "" {
		t.Errorf("another's bag brought it: %s from %q", now.Status, now.Origin)
	}
	if bag := count(second); bag.Status != consignment.Discrepant {
		t.Errorf("the bag is %s", bag.Status)
	}
	h.did(h.ResolveDiscrepancy(ctx, h.by(officer), first, commands.ResolveDiscrepancy{Cause: consignment.Miscounted}))
	h.did(h.ResolveDiscrepancy(ctx, h.by(officer), second, commands.ResolveDiscrepancy{Found: []string{x.code}, Cause: consignment.Miscounted}))
	h.settle()
	if a, x := a.now(), x.now(); a.Origin != "authority" || x.Origin != "authority-2" || x.Office != "office-1" {
		t.Errorf("the origins are %q and %q; the other is at %q", a.Origin, x.Origin, x.Office)
	}
}

// TestWhatIsNoTrackingCodeIsNamed, and is not counted as a dossier.
func TestWhatIsNoTrackingCodeIsNamed(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	r := h.draftInside(applicant).approved()
	bag, err := h.sends(h.by(unitOfficer), r.code)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	wrong := []string{r.code, "xyz", "05000000001"}
	for list, do := range map[string]func() error{
		"dispatch dossiers": func() error { _, err := h.sends(h.by(unitOfficer), wrong...); return err },
		"count dossiers": func() error {
			_, err := h.ReceiveConsignment(ctx, h.by(carrier), bag, commands.ReceiveConsignment{Dossiers: wrong, SealIntact: true})
			return err
		},
		"resolution found": func() error {
			_, err := h.ResolveDiscrepancy(ctx, h.by(carrier), bag, commands.ResolveDiscrepancy{Found: wrong, Cause: consignment.Miscounted})
			return err
		},
		"resolution lost": func() error {
			_, err := h.ResolveDiscrepancy(ctx, h.by(carrier), bag, commands.ResolveDiscrepancy{Lost: wrong, Cause: consignment.Miscounted})
			return err
		},
	} {
		_, field, _ := strings.Cut(list, " ")
		h.refused(iran.ErrTrackingCode, do)
		all := fault.All(do())
		if len(all) != 2 || all[0].Field != field+".1" || all[1].Field != field+".2" || !strings.Contains(all[0].Text.Fa, "۲") || !strings.Contains(all[1].Text.En, "3") {
			t.Errorf("%s: %v", list, all)
		}
	}
	persian := iran.PersianDigits(r.code)
	h.did(h.ReceiveConsignment(ctx, h.by(carrier), bag, commands.ReceiveConsignment{Dossiers: []string{persian}, SealIntact: true}))
}

// TestAConsignmentOfOldIsFollowed: it was sent before dossiers were claimed.
func TestAConsignmentOfOldIsFollowed(t *testing.T) {
	h := inside(t)
	r := h.draftInside(applicant).approved()
	old := consignment.Dispatched{Number: "050000000018", From: "unit-b", To: "authority", Dossiers: []string{r.code}, Seal: "S-1", By: subject(unitOfficer), At: noon}
	put(h, consignment.Kind, consignment.Kind.Stream(old.Number), old)
	h.settle()
	_, err := h.sends(h.by(unitOfficer), r.code)
	h.packedIn(old.Number, err)
	h.did(h.ReceiveConsignment(t.Context(), h.by(carrier), old.Number, commands.ReceiveConsignment{Dossiers: []string{r.code}, SealIntact: true}))
	h.settle()
	h.shipped("authority", "office-1", carrier, officer, r.code)
}

// TestWhatNobodyFollowedIsFreeWhenItsConsignmentIsOver: an operator left the
// departure out of the policy, and the request never learned of it.
func TestWhatNobodyFollowedIsFreeWhenItsConsignmentIsOver(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	a, b := h.draftInside(applicant).approved(), h.draftInside(neighbour).approved()
	h.settle()
	bag, err := h.sends(h.by(unitOfficer), a.code, b.code)
	if err != nil {
		t.Fatal(err)
	}
	h.read = h.head()
	h.did(h.ReceiveConsignment(ctx, h.by(carrier), bag, commands.ReceiveConsignment{Dossiers: []string{a.code}, SealIntact: true}))
	h.settle()
	_, err = h.sends(h.by(unitOfficer), b.code)
	h.packedIn(bag, err)
	if _, err := h.sends(h.by(unitOfficer), a.code); err != nil {
		t.Error(err)
	}
	h.did(h.ResolveDiscrepancy(ctx, h.by(carrier), bag, commands.ResolveDiscrepancy{Lost: []string{b.code}, Cause: consignment.LostOnTheWay}))
	h.settle()
	if _, err := h.sends(h.by(unitOfficer), b.code); err != nil {
		t.Error(err)
	}
}
