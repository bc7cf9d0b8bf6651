package payment

import (
	"time"

	"govahi/domain/event"
)

// Catalog lists every event of an attempt.
var Catalog = event.NewCatalog(
	event.Of[Requested]("payment.requested.v1"),
	event.Of[Redirected]("payment.redirected.v1"),
	event.Of[CallbackNoted]("payment.callback-noted.v1"),
	event.Of[VerificationStarted]("payment.verification-started.v1"),
	event.Of[Postponed]("payment.postponed.v1"),
	event.Of[Verified]("payment.verified.v1"),
	event.Of[BankSettled]("payment.bank-settled.v1"),
	event.Of[Done]("payment.done.v1"),
	event.Of[Failed]("payment.failed.v1"),
	event.Of[Reversed]("payment.reversed.v1"),
	event.Of[Gone]("payment.gone.v1"),
)

// Requested is the wish to pay, before any bank heard of it.
type Requested struct {
	Attempt    string        `json:"attempt"`
	Order      string        `json:"order"`
	Request    event.Stream  `json:"request"`
	Provider   string        `json:"provider"`
	Separate   bool          `json:"separate"` // this bank settles in a step of its own
	AmountRial int64         `json:"amountRial"`
	Until      time.Time     `json:"until"` // no verification begins later
	DueAt      time.Time     `json:"dueAt"` // when a worker looks at it
	By         event.Subject `json:"by"`
	At         time.Time     `json:"at"`
}

// Redirected says that the bank knows the attempt, and by which name.
type Redirected struct {
	Reference string    `json:"reference"`
	At        time.Time `json:"at"`
}

// Claim is what a callback says of itself.
type Claim string

// The claims. None of them is a proof.
const (
	ClaimsPaid   Claim = "paid"
	ClaimsFailed Claim = "failed"
	ClaimsOther  Claim = "other" // cannot be read
)

// CallbackNoted says that somebody called our address for this attempt.
type CallbackNoted struct {
	Claim Claim     `json:"claim"`
	Hint  string    `json:"hint,omitempty"`
	DueAt time.Time `json:"dueAt"`
	At    time.Time `json:"at"`
}

// VerificationStarted comes before the bank is asked to make the payment final.
type VerificationStarted struct {
	DueAt time.Time `json:"dueAt"`
	At    time.Time `json:"at"`
}

// Postponed says when a worker looks again.
type Postponed struct {
	Cause string    `json:"cause"`
	Look  int       `json:"look"`
	DueAt time.Time `json:"dueAt"`
	At    time.Time `json:"at"`
}

// Money is what a bank says of a sum that it holds.
type Money struct {
	RRN        string `json:"rrn"`
	Trace      string `json:"trace,omitempty"`
	Card       string `json:"card,omitempty"` // masked
	AmountRial int64  `json:"amountRial"`
}

// Verified says that the bank holds the money for us.
type Verified struct {
	Money Money     `json:"money"`
	Hint  string    `json:"hint,omitempty"` // the callback's, by which the bank knows the sum
	Late  bool      `json:"late"`           // it was found after the attempt was over
	DueAt time.Time `json:"dueAt"`
	At    time.Time `json:"at"`
}

// BankSettled says that the bank pays the sum out to us.
type BankSettled struct {
	DueAt time.Time `json:"dueAt"`
	At    time.Time `json:"at"`
}

// Done says that the fee order knows of the money.
type Done struct {
	At time.Time `json:"at"`
}

// Failed says that no money came.
type Failed struct {
	Cause string    `json:"cause"`
	At    time.Time `json:"at"`
}

// Reversed says that the bank gave the money back to the payer.
type Reversed struct {
	Cause string    `json:"cause"`
	At    time.Time `json:"at"`
}

// Gone says that the payer never came back; what he may have paid was never
// verified, and the bank gives it back by itself.
type Gone struct {
	At time.Time `json:"at"`
}
