package fee

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{"fee.raised.v1": raised, "fee.settled.v1": settled})
	spec.Golden(t, Settlement.Catalog, "testdata", map[string]event.Event{"settlement.claimed.v1": Claimed{order, noon}})
}

func TestTheFeeIsRaisedOnce(t *testing.T) {
	spec.Given(t, Kind).When(Raise{raised}).Then(raised)
	newer := raised
	newer.TariffVersion, newer.AmountRial = 2, 9_000_000
	spec.Given(t, Kind, raised).When(Raise{newer}).ThenNothing()
	spec.Given(t, Kind, raised, settled).When(Raise{newer}).ThenNothing()
}

func TestTheFeeIsSettledOnce(t *testing.T) { // invariant 20
	spec.Given(t, Kind, raised).When(settling(slip)).Then(settled)
	spec.Given(t, Kind, raised, settled).When(settling(slip)).ThenNothing()
	for _, change := range []func(*Payment){
		func(p *Payment) { p.RRN = "105087654321" },
		func(p *Payment) { p.Terminal = "87654321" },
		func(p *Payment) { p.Trace = "000043" },
	} {
		other := slip
		change(&other)
		spec.Given(t, Kind, raised, settled).When(settling(other)).ThenFault(ErrSettled)
	}
}

func TestTheAmountPaidIsTheAmountDue(t *testing.T) {
	for _, amount := range []int64{0, -3_500_000, 3_499_999, 3_500_001, 350_000} { // the last: tomans
		wrong := slip
		wrong.AmountRial = amount
		spec.Given(t, Kind, raised).When(settling(wrong)).ThenFault(ErrAmount.At("amountRial"))
	}
}

func TestNoFeeNoPayment(t *testing.T) {
	spec.Given(t, Kind).When(settling(slip)).ThenFault(ErrNotRaised)
}

func TestAReferenceSettlesOneOrder(t *testing.T) { // invariant 20
	claim := Claim{order, noon}
	spec.Given(t, Settlement).When(claim).Then(Claimed(claim))
	spec.Given(t, Settlement, Claimed(claim)).When(Claim{order, later}).ThenNothing()
	spec.Given(t, Settlement, Claimed(claim)).When(Claim{"140598765432", later}).ThenFault(ErrReferenceUsed.At("rrn"))
}
