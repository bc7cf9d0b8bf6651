package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"govahi/domain/event"
	"govahi/domain/fee"
	"govahi/domain/payment"
)

// inFlight is how long after an attempt's end a verification that was begun
// before it may still be under way: more than a call to a bank may take.
const inFlight = time.Minute

// ReconcilePayment goes on with an attempt whose time has come.
func (a *App) ReconcilePayment(ctx context.Context, c Caller, id string) error {
	h, err := load(ctx, a, payment.Kind, payment.Kind.Stream(id))
	if err != nil || !h.state.IsDue(a.Clock()) {
		return err
	}
	return a.AdvancePayment(ctx, c, id)
}

// AdvancePayment finds out how far an attempt is, and takes it as far as it
// goes, each step recorded before the next. It may be asked by several at once
// and again after a crash between any two lines: our own state decides what is
// done, and a bank's second word changes nothing.
func (a *App) AdvancePayment(ctx context.Context, c Caller, id string) error {
	stream := payment.Kind.Stream(id)
	for {
		h, err := load(ctx, a, payment.Kind, stream)
		if err != nil {
			return err
		}
		c.Key = fmt.Sprintf("%s@%d", id, len(h.records)) // one act for each state
		next, err := a.nextOf(ctx, c, h.state)
		if next == nil {
			return err
		}
		as := a.do(c, "AdvancePayment", asPolicy, h.state.Requested.Order)
		if _, err := transact(ctx, a, payment.Kind, stream, as, just(next)); err != nil {
			return err
		}
		a.Step("payment:" + string(h.state.Status) + "-on")
		if _, waits := next.(payment.Postpone); waits {
			return nil
		}
	}
}

// nextOf is what has to be recorded next; nothing, if nothing is to be done now.
// A bank that is out of reach is asked again later.
func (a *App) nextOf(ctx context.Context, c Caller, s payment.Payment) (event.Command[payment.Payment], error) {
	gateway := a.Gateways.Named[s.Requested.Provider]
	switch {
	case s.Status == payment.None || s.Status.Over():
		return nil, nil
	case gateway == nil: // an operator took it out too early
		return payment.Postpone{Cause: "gateway-missing", At: a.Clock()}, nil
	}
	p := paying{a, gateway, s}
	next, err := p.next(ctx, c)
	if errors.Is(err, errBank) {
		return payment.Postpone{Cause: "unreachable", At: a.Clock()}, nil
	}
	return next, err
}

// errBank marks what went wrong with the bank, not with us.
var errBank = errors.New("the bank's answer is not known")

// paying is one attempt with its bank at hand.
type paying struct {
	*App
	Gateway
	payment.Payment
}

func (p paying) next(ctx context.Context, c Caller) (event.Command[payment.Payment], error) {
	now := p.Clock()
	switch p.Status {
	case payment.StatusOpen:
		if !p.IsDue(now) {
			return nil, nil // the door is at it
		}
		return payment.Fail{Cause: "not-opened", At: now}, nil
	case payment.StatusAway:
		return p.fromAway(ctx, now)
	case payment.StatusCheck:
		return p.fromCheck(ctx, now)
	case payment.StatusVerified:
		if p.Requested.Separate {
			return p.settle(ctx)
		}
	}
	if err := p.credit(ctx, c); err != nil {
		return nil, err
	}
	p.Step("payment:credited")
	return payment.Finish{At: now}, nil
}

// fromAway begins to verify what somebody calls paid. Once it is too late for
// that, the bank gives back by itself what it may hold.
func (p paying) fromAway(ctx context.Context, now time.Time) (event.Command[payment.Payment], error) {
	if !now.Before(p.Requested.Until) {
		return payment.Lapse{At: now}, nil
	}
	if p.Callbacks > 0 {
		return payment.StartVerification{At: now}, nil
	}
	switch standing, err := p.standing(ctx); {
	case err != nil:
		return nil, err
	case standing == Paid || standing == Held:
		return payment.StartVerification{At: now}, nil
	case standing == Awaited:
		return payment.Postpone{Cause: "awaited", At: now}, nil
	default:
		return lost(standing, now), nil
	}
}

// fromCheck verifies until the end, and then only finds out what became of the
// verification that was begun before.
func (p paying) fromCheck(ctx context.Context, now time.Time) (event.Command[payment.Payment], error) {
	switch {
	case now.Before(p.Requested.Until):
		return p.verify(ctx)
	case now.Before(p.Requested.Until.Add(inFlight)):
		return payment.Postpone{Cause: "ending", At: now}, nil
	}
	switch standing, err := p.standing(ctx); {
	case err != nil:
		return nil, err
	case standing == Held: // what we asked for before: the answer got lost, and now only tells the rest
		return p.details(ctx)
	case standing == Paid:
		if err := p.reverse(ctx); err != nil {
			return nil, err
		}
		return payment.NoteReversed{Cause: "not-verified", At: p.Clock()}, nil
	default:
		return lost(standing, p.Clock()), nil
	}
}

// lost is the end of what the bank does not hold.
func lost(standing PaymentStanding, at time.Time) event.Command[payment.Payment] {
	switch standing {
	case Returned:
		return payment.NoteReversed{Cause: "returned-by-bank", At: at}
	case Declined:
		return payment.Fail{Cause: "declined", At: at}
	}
	return payment.Fail{Cause: "not-paid", At: at}
}

// verify asks the bank to make the payment final. A yes that comes when the bank
// may have given the money back already is not believed by itself.
func (p paying) verify(ctx context.Context) (event.Command[payment.Payment], error) {
	verdict, hint, err := p.verdict(ctx)
	if err != nil {
		return nil, err
	}
	p.Step("payment:bank-verified")
	now := p.Clock()
	switch verdict.Standing {
	case Held:
		if !now.Before(p.Requested.Until) {
			return p.confirmed(ctx, verdict, hint)
		}
		return payment.NoteVerified{Money: verdict.Money, Hint: hint, At: now}, nil
	case Differs:
		if err := p.reverse(ctx); err != nil {
			return nil, err
		}
		return payment.Fail{Cause: "amount-differs", At: now}, nil
	case Declined, Returned:
		return lost(verdict.Standing, now), nil
	}
	switch standing, err := p.standing(ctx); {
	case err != nil:
		return nil, err
	case standing == Declined || standing == Returned:
		return lost(standing, now), nil
	}
	return payment.Postpone{Cause: "awaited", At: now}, nil
}

// confirmed holds a late yes against the bank's own books.
func (p paying) confirmed(ctx context.Context, verdict Verdict, hint string) (event.Command[payment.Payment], error) {
	switch standing, err := p.standing(ctx); {
	case err != nil:
		return nil, err
	case standing == Held:
		return payment.NoteVerified{Money: verdict.Money, Hint: hint, At: p.Clock()}, nil
	case standing == Returned || standing == Declined:
		return lost(standing, p.Clock()), nil
	}
	return payment.Postpone{Cause: "ending", At: p.Clock()}, nil
}

// details asks once more about money that the bank holds by its own books.
func (p paying) details(ctx context.Context) (event.Command[payment.Payment], error) {
	verdict, hint, err := p.verdict(ctx)
	switch {
	case err != nil:
		return nil, err
	case verdict.Standing != Held:
		return payment.Postpone{Cause: "unclear", At: p.Clock()}, nil
	}
	return payment.NoteVerified{Money: verdict.Money, Hint: hint, At: p.Clock()}, nil
}

// settle has a verified sum paid out.
func (p paying) settle(ctx context.Context) (event.Command[payment.Payment], error) {
	standing, err := p.Settle(ctx, p.named(p.Verified.Hint))
	now := p.Clock()
	switch {
	case err != nil:
		return nil, errors.Join(errBank, err)
	case standing == Held:
		p.Step("payment:bank-settled")
		return payment.NoteBankSettled{At: now}, nil
	case standing == Returned:
		return payment.NoteReversed{Cause: "returned-by-bank", At: now}, nil
	}
	return payment.Postpone{Cause: "unclear", At: now}, nil
}

// named is how the bank knows the payment.
func (p paying) named(hint string) GatewayPayment {
	r := p.Requested
	return GatewayPayment{Attempt: r.Attempt, Order: r.Order, Reference: p.Reference, Hint: hint, AmountRial: r.AmountRial}
}

// hints are what the bank may be asked with: a forged one shall not hide the
// right one.
func (p paying) hints() []string {
	if len(p.Hints) == 0 {
		return []string{""}
	}
	return p.Hints
}

// verdict verifies by each hint until one is held.
func (p paying) verdict(ctx context.Context) (best Verdict, hint string, err error) {
	for i, h := range p.hints() {
		v, err := p.Verify(ctx, p.named(h))
		if err != nil {
			return Verdict{}, "", errors.Join(errBank, err)
		}
		if i == 0 || rank(v.Standing) > rank(best.Standing) {
			best, hint = v, h
		}
		if v.Standing == Held {
			break
		}
	}
	if best.Standing == Held {
		best.Money, err = sound(best.Money)
	}
	return best, hint, err
}

// standing inquires by each hint.
func (p paying) standing(ctx context.Context) (best PaymentStanding, err error) {
	for i, h := range p.hints() {
		s, err := p.Inquire(ctx, p.named(h))
		if err != nil {
			return "", errors.Join(errBank, err)
		}
		if i == 0 || rank(s) > rank(best) {
			best = s
		}
	}
	return best, nil
}

// rank tells which of several answers about one payment counts: the one that
// knows most of money.
func rank(s PaymentStanding) int {
	return map[PaymentStanding]int{Declined: 1, Awaited: 2, Returned: 3, Paid: 4, Differs: 5, Held: 6}[s]
}

func (p paying) reverse(ctx context.Context) error {
	for _, h := range p.hints() {
		if err := p.Reverse(ctx, p.named(h)); err != nil {
			return errors.Join(errBank, err)
		}
	}
	return nil
}

// sound is a bank's word in our spelling. A reference that is none would be no
// stream of its own, and what is no masked card is not kept.
func sound(m payment.Money) (payment.Money, error) {
	m.RRN = unpadded(m.RRN)
	if !slipNumber.MatchString(m.RRN) {
		return m, fmt.Errorf("%w: a reference that is no number", errBank)
	}
	if !slipNumber.MatchString(m.Trace) {
		m.Trace = ""
	}
	if !maskedCard.MatchString(m.Card) {
		m.Card = ""
	}
	return m, nil
}

// credit takes the money to the fee: its reference is claimed first, by a
// stream's name, so that it settles one order once (invariant 20). What may not
// settle this order opens a refund case.
func (p paying) credit(ctx context.Context, c Caller) error {
	r, m := p.Requested, p.Verified.Money
	as := p.do(c, "CreditFee", asPolicy, r.Order)
	credit := fee.Credit{At: as.at, Payment: fee.Payment{
		Mode: fee.Gateway, Provider: r.Provider, RRN: m.RRN, Trace: m.Trace, Card: m.Card, Attempt: r.Attempt, AmountRial: m.AmountRial,
	}}
	if p.Verified.Late {
		credit.Aside = fee.FoundLate
	}
	claims := fee.Claim{Order: r.Order, At: as.at}
	err := claim(ctx, p.App, fee.Settlement, fee.Settlement.Stream(r.Provider, m.RRN), as, r.Order, claims)
	if errors.Is(err, fee.ErrReferenceUsed) {
		credit.Aside, err = cmp.Or(credit.Aside, fee.ReferenceUsed), nil
	}
	if err != nil {
		return err
	}
	p.Step("payment:claimed")
	_, err = transact(ctx, p.App, fee.Kind, fee.Kind.Stream(r.Order), as, just[fee.Fee](credit))
	return err
}
