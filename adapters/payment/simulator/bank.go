// Package simulator is a bank for development and tests, with a face for each
// shape of gateway. Behind a face stands the same small book of sales, which can
// be made to misbehave in every way that banks were seen to (domain §5.5).
package simulator

import (
	"fmt"
	"sync"
	"time"
)

// state is where a sale stands in the bank's book.
type state string

const (
	begun     state = "begun"
	paid      state = "paid" // and not verified
	verified  state = "verified"
	settled   state = "settled"
	cancelled state = "cancelled"
	reversed  state = "reversed"
)

// ReversesAfter is when a bank gives back by itself what nobody verified.
const ReversesAfter = 15 * time.Minute

// Trouble is how the next call of an operation goes wrong.
type Trouble string

// The troubles.
const (
	Broken  Trouble = "broken"  // status 500, and nothing is done
	Garbage Trouble = "garbage" // an answer that nobody understands, and nothing is done
	Lost    Trouble = "lost"    // it is done, and the answer never comes
	Slow    Trouble = "slow"    // Delay comes first
	Lies    Trouble = "lies"    // Delay comes first, and a verification says yes, also to what was reversed then
	Again   Trouble = "again"   // a verification says yes as for the first time
	Alike   Trouble = "alike"   // a payment gets the reference of the one before
	Less    Trouble = "less"    // the payer changes the amount
)

// Sale is what the bank knows of a payment.
type Sale struct {
	Reference string // of the request
	Number    string // the merchant's
	Callback  string
	RRN       string // the sale's, once it was paid
	Amount    int64  // of the request
	Paid      int64  // by the payer

	state  state
	paidAt time.Time
}

// Held tells whether the merchant has the money: it was verified and not given
// back.
func (s Sale) Held() bool { return s.state == verified || s.state == settled }

// Bank is the book. The zero value needs a Clock.
type Bank struct {
	Clock func() time.Time
	Delay func() // what happens while a call is Slow

	mu       sync.Mutex
	sales    []*Sale
	troubles map[string][]Trouble // by operation, the next one first
	payments int
	lastRRN  string
}

// New is an empty book.
func New(clock func() time.Time) *Bank {
	return &Bank{Clock: clock, Delay: func() {}, troubles: map[string][]Trouble{}}
}

// Misbehave lets the next calls of an operation go wrong: request, pay, verify,
// settle, inquiry, reverse.
func (b *Bank) Misbehave(operation string, troubles ...Trouble) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubles[operation] = append(b.troubles[operation], troubles...)
}

// Behave forgets all trouble that is still to come.
func (b *Bank) Behave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.troubles)
}

func (b *Bank) trouble(operation string) (t Trouble) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if list := b.troubles[operation]; len(list) > 0 {
		t, b.troubles[operation] = list[0], list[1:]
	}
	return t
}

// Sales lists the book as it is now.
func (b *Bank) Sales() (all []Sale) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sales {
		b.overdue(s)
		all = append(all, *s)
	}
	return all
}

// Pay is the payer's card. It answers whether the sale was still to be paid.
func (b *Bank) Pay(reference string) (Sale, bool) {
	t := b.trouble("pay")
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.find(func(s *Sale) bool { return s.Reference == reference })
	if s == nil || s.state != begun {
		return Sale{}, false
	}
	s.state, s.paidAt, s.Paid = paid, b.Clock(), s.Amount
	b.payments++
	s.RRN = fmt.Sprintf("7%011d", b.payments)
	switch {
	case t == Alike && b.lastRRN != "":
		s.RRN = b.lastRRN
	case t == Less:
		s.Paid = s.Amount / 10
	}
	b.lastRRN = s.RRN
	return *s, true
}

// Cancel is the payer's change of mind.
func (b *Bank) Cancel(reference string) (Sale, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.find(func(s *Sale) bool { return s.Reference == reference })
	if s == nil || s.state != begun {
		return Sale{}, false
	}
	s.state = cancelled
	return *s, true
}

// TakeBack gives a sale back although it was verified, as long as it was not
// settled: a bank's own correction.
func (b *Bank) TakeBack(reference string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.find(func(s *Sale) bool { return s.Reference == reference }); s != nil && s.state != settled {
		s.state = reversed
	}
}

// Find looks a sale up by its reference.
func (b *Bank) Find(reference string) (Sale, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.find(func(s *Sale) bool { return s.Reference == reference })
	if s == nil {
		return Sale{}, false
	}
	return *s, true
}

// open books a request. Two of one number are the merchant's mistake.
func (b *Bank) open(number, callback string, amount int64, unique bool) (*Sale, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if unique && b.find(func(s *Sale) bool { return s.Number == number }) != nil {
		return nil, false
	}
	s := &Sale{Reference: fmt.Sprintf("A%035d", len(b.sales)+1), Number: number, Callback: callback, Amount: amount, state: begun}
	b.sales = append(b.sales, s)
	return s, true
}

func (b *Bank) find(is func(*Sale) bool) *Sale {
	for _, s := range b.sales {
		if is(s) {
			b.overdue(s)
			return s
		}
	}
	return nil
}

// overdue gives back what nobody verified in time.
func (b *Bank) overdue(s *Sale) {
	if s.state == paid && !b.Clock().Before(s.paidAt.Add(ReversesAfter)) {
		s.state = reversed
	}
}

// with changes a sale that is found.
func (b *Bank) with(is func(*Sale) bool, do func(*Sale)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.find(is)
	if s != nil {
		do(s)
	}
	return s != nil
}
