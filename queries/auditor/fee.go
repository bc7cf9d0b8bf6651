package auditor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"govahi/domain/event"
)

// The kinds of differences about the fee (invariant 20).
const (
	Fee       = "fee"           // not raised for this request, or not settled before the intent
	FeeTwice  = "fee-twice"     // settled more than once
	Amount    = "fee-amount"    // another amount than the tariff in force when it was submitted
	Reference = "fee-reference" // the payment's reference is another order's
	Contract  = "fee-contract"  // by a contract that was not in force
)

// fee checks the settled order that the intent cites.
func (a *application) fee(ctx context.Context) error {
	cited := event.Stream(a.intent.data.inner("fee").text("stream"))
	s, err := a.read(ctx, cited)
	if err != nil {
		return err
	}
	raised, _ := s.last("raised")
	settled := s.all("settled")
	switch {
	case cited.Category() != "fee" || raised.data.text("request") != string(a.stream) || raised.data.text("order") != cited.ID():
		a.differs(Fee, "an order raised for "+string(a.stream), or(string(cited)))
		return nil
	case a.paper.paid != "" && a.paper.paid != cited.ID():
		a.differs(Fee, "the order of the record "+a.paper.paid, cited.ID())
	case len(settled) > 1:
		a.differs(FeeTwice, "settled once", fmt.Sprintf("%d times", len(settled)))
		return nil
	case len(settled) == 0 || settled[0].Position > a.intent.Position:
		a.differs(Fee, "settled before the intent", "not settled")
		return nil
	}
	payment := settled[0].data.inner("payment")
	if payment.number("amountRial") != raised.data.number("amountRial") {
		a.differs(Amount, fmt.Sprintf("%d rial as raised", raised.data.number("amountRial")), fmt.Sprint(payment.number("amountRial")))
	}
	if err := a.priced(ctx, raised); err != nil {
		return err
	}
	if payment.text("mode") == "contract" {
		return a.contract(ctx, payment, settled[0])
	}
	return a.reference(ctx, payment, cited.ID())
}

// priced finds the version in force when the request was submitted, of those that
// were published before the fee was raised.
func (a *application) priced(ctx context.Context, raised fact) error {
	versions, err := a.readOften(ctx, event.NewStream("tariff", raised.data.text("product")))
	if err != nil {
		return err
	}
	submitted, _ := a.all.before(raised.Position).last("submitted", "submitted-to-unit")
	version := raised.data.number("tariffVersion")
	due, ok := inForce(versions.before(raised.Position), version, submitted.data.time("at"))
	switch {
	case raised.data.text("product") != folded(a.all.before(raised.Position)).sort:
		a.differs(Amount, "the tariff of the certificate's type", or(raised.data.text("product")))
	case !ok || due.number("version") != version:
		a.differs(Amount, fmt.Sprintf("the tariff in force at %s: version %d", submitted.data.text("at"), due.number("version")), fmt.Sprintf("version %d", version))
	case a.due(due) != raised.data.number("amountRial"):
		a.differs(Amount, fmt.Sprintf("%d rial", a.due(due)), fmt.Sprint(raised.data.number("amountRial")))
	}
	return nil
}

// due is without the token where the applicant has his, unless the token is all
// that costs.
func (a *application) due(t told) int64 {
	if a.follows.basis == onOwnToken && t.number("issuanceRial") > 0 {
		return t.number("issuanceRial")
	}
	return t.number("tokenRial") + t.number("issuanceRial")
}

// inForce is the latest of the versions of the same level and kind of issuer that
// had begun. The first shape of a version had neither.
func inForce(versions facts, version int64, at time.Time) (told, bool) {
	if version < 1 || version > int64(len(versions)) {
		return told{}, false
	}
	class := classOf(versions[version-1].data)
	for i := len(versions) - 1; i >= 0; i-- {
		if v := versions[i].data; classOf(v) == class && !v.time("validFrom").After(at) {
			return v, true
		}
	}
	return told{}, false
}

func classOf(v told) string {
	if v.text("issuerKind") == "" {
		return "2 governmental"
	}
	return fmt.Sprint(v.number("level"), " ", v.text("issuerKind"))
}

// contract cites a company's, as it stood then: stream@revision.
func (a *application) contract(ctx context.Context, payment told, settled fact) error {
	stream, _, _ := strings.Cut(payment.text("contract"), "@")
	s, err := a.readOften(ctx, event.Stream(stream))
	if err != nil {
		return err
	}
	company := folded(a.all.before(settled.Position)).company
	concluded, _ := s.before(settled.Position).last("concluded", "ended")
	switch {
	case stream != "contract-"+company:
		a.differs(Contract, "the contract of the request's own company", or(stream))
	case concluded.name != "concluded" || !settled.data.time("at").Before(concluded.data.time("until")):
		a.differs(Contract, "in force at "+settled.data.text("at"), or(payment.text("contract")))
	}
	return nil
}

// reference finds the claim by which a bank's reference settles one order.
func (a *application) reference(ctx context.Context, payment told, order string) error {
	if payment.text("provider") == "" {
		return a.referenceAnywhere(ctx, payment.text("rrn"), order)
	}
	s, err := a.read(ctx, event.NewStream("settlement", payment.text("provider"), payment.text("rrn")))
	if err != nil {
		return err
	}
	claimed, _ := s.last("claimed")
	if claimed.data.text("order") != order { // an earlier claim was of one that was settled without it
		a.differs(Reference, "claimed by "+order, or(claimed.data.text("order")))
	}
	return nil
}

// referenceAnywhere looks at every bank, for the first shape of a settlement did
// not name it: the same reference at two banks is two sums of money, and each
// order has a claim of its own.
func (a *application) referenceAnywhere(ctx context.Context, rrn, order string) error {
	banks, err := a.banks(ctx)
	if err != nil {
		return err
	}
	var claims []string
	for _, bank := range banks {
		s, err := a.read(ctx, event.NewStream("settlement", bank, rrn))
		if err != nil {
			return err
		}
		if claimed, ok := s.last("claimed"); ok && len(s) == 1 {
			claims = append(claims, claimed.data.text("order"))
		}
	}
	if !slices.Contains(claims, order) {
		a.differs(Reference, "claimed by "+order+" at some bank", or(strings.Join(claims, " ")))
	}
	return nil
}

// banks are all that ever settled anything; they are looked for once, if at all.
func (r *run) banks(ctx context.Context) ([]string, error) {
	r.settlers.Lock()
	defer r.settlers.Unlock()
	if r.settlers.known {
		return r.settlers.names, nil
	}
	r.settlers.names = nil
	for recorded, err := range r.Log.ReadAll(ctx, 0, "settlement.") {
		if err != nil {
			return nil, err
		}
		if bank, _, found := strings.Cut(recorded.Stream.ID(), "-"); found && !slices.Contains(r.settlers.names, bank) {
			r.settlers.names = append(r.settlers.names, bank)
		}
	}
	r.settlers.known = true
	return r.settlers.names, nil
}
