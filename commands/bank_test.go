package commands_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"govahi/commands"
	"govahi/domain/payment"
)

// bank says of every payment what a test wants.
type bank struct {
	mu       sync.Mutex
	down     bool
	standing commands.PaymentStanding
	opened   int
	verified int
}

var errBankDown = errors.New("the bank is down")

func (b *bank) now() (commands.PaymentStanding, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return "", errBankDown
	}
	return b.standing, nil
}

func (b *bank) Separate() bool { return false }

// Open gives each asking another name, as banks do.
func (b *bank) Open(context.Context, commands.GatewayPayment, string) (string, error) {
	_, err := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opened++
	return fmt.Sprint("R", b.opened), err
}

func (b *bank) Page(reference string) commands.GatewayPage {
	return commands.GatewayPage{Method: "GET", URL: "http://bank.example.ir/" + reference}
}

func (b *bank) Read(map[string]string) (payment.Claim, string) { return payment.ClaimsPaid, "" }

func (b *bank) Verify(_ context.Context, p commands.GatewayPayment) (commands.Verdict, error) {
	standing, err := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.verified++
	rrn := "7" + strings.TrimLeft(p.Reference, "R")
	return commands.Verdict{Standing: standing, Money: payment.Money{RRN: rrn, AmountRial: p.AmountRial}}, err
}

func (b *bank) Settle(context.Context, commands.GatewayPayment) (commands.PaymentStanding, error) {
	return b.now()
}

func (b *bank) Inquire(context.Context, commands.GatewayPayment) (commands.PaymentStanding, error) {
	return b.now()
}

func (b *bank) Reverse(context.Context, commands.GatewayPayment) error { return nil }

// babbling is a bank whose references are none.
type babbling struct{ *bank }

func (b babbling) Verify(ctx context.Context, p commands.GatewayPayment) (commands.Verdict, error) {
	v, err := b.bank.Verify(ctx, p)
	v.Money.RRN, v.Money.Card = "-1/../x", "9999991234561234"
	return v, err
}

func hexOf(b []byte) string { return fmt.Sprintf("%x", b) }
