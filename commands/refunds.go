package commands

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"govahi/domain/appointment"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/fee"
	"govahi/domain/iran"
)

// CloseFee ends the fee of a request that was rejected or withdrawn: what was
// paid opens a refund case (domain §2.4, FeeGate); a policy asks.
func (a *App) CloseFee(ctx context.Context, c Caller, request event.Stream, cause fee.Cause) error {
	as := a.do(c, "CloseFee", asPolicy, request.ID())
	end := fee.Close{Cause: cause, At: as.at}
	_, err := transact(ctx, a, fee.Kind, fee.Kind.Stream(request.ID()), as, just[fee.Fee](end))
	return err
}

// RecordRefund is the transfer by which money went back.
type RecordRefund struct {
	Number    int    `json:"number" minimum:"1" maximum:"1000" doc:"Number of the refund case"`
	Reference string `json:"reference" maxLength:"40" doc:"شمارهٔ حواله"`
}

var errTransfer = fault.New(fault.Invalid, "transfer-missing",
	"شمارهٔ حواله را بنویسید.", "Write the number of the transfer.").At("reference")

// RecordRefund closes a refund case: by the office that has the request, or by a
// manager, and nobody for himself. A transfer closes one.
func (a *App) RecordRefund(ctx context.Context, c Caller, code string, in RecordRefund) (Receipt, error) {
	reference := strings.TrimSpace(in.Reference)
	if reference == "" {
		return Receipt{}, errTransfer
	}
	h, err := load(ctx, a, enrollment.Kind, enrollment.Kind.Stream(code))
	if err != nil {
		return Receipt{}, err
	}
	authority, err := a.mayRefund(ctx, c, h.state)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "RecordRefund", authority, code)
	back := fee.RecordRefund{Number: in.Number, Reference: reference, By: c.Person, At: as.at}
	return transactClaiming(ctx, a, fee.Kind, fee.Kind.Stream(code), as, just[fee.Fee](back), func() (take func() error, err error) {
		closes := fmt.Sprintf("%s/%d", code, in.Number)
		return claimable(ctx, a, fee.Settlement, transferStream(reference), as, closes, fee.ClaimTransfer{Order: closes, At: as.at})
	})
}

// transferStream is that of a transfer's reference, by one spelling.
func transferStream(reference string) event.Stream {
	spelled := strings.ToUpper(iran.Digits(strings.Join(strings.Fields(reference), "")))
	return fee.Settlement.Stream(fee.Transfers, hex.EncodeToString([]byte(spelled)))
}

func (a *App) mayRefund(ctx context.Context, c Caller, e enrollment.Enrollment) (string, error) {
	s, err := a.standing(ctx, c)
	if err != nil {
		return "", err
	}
	place := cmp.Or(e.Office, e.Counter)
	officer, atDesk := s.by(appointment.RegistrationOfficer, place)
	manager, leads := s.by(appointment.Manager, "")
	switch {
	case !s.sees(e):
		return "", enrollment.ErrNotFound
	case !leads && (!atDesk || place == ""):
		return "", NotAppointed(appointment.RegistrationOfficer, appointment.Manager)
	case own(e, c.Person):
		return "", enrollment.ErrOwnRequest
	case leads:
		return manager, nil
	}
	return officer, nil
}
