package commands

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"regexp"
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
	Reference string `json:"reference" maxLength:"40" pattern:"^ *[0-9A-Za-z۰-۹٠-٩ء-غف-يپچژکگی][0-9A-Za-z۰-۹٠-٩ء-غف-يپچژکگی ./-]*$" patternDescription:"letters, digits, spaces, and - / ." example:"H-9001" doc:"شمارهٔ حواله"`
}

// writtenNumber is one of a paper outside this system. It is printed, and compared
// with what somebody else wrote: it has no character that cannot be seen.
var writtenNumber = regexp.MustCompile(`^ *[0-9A-Za-z۰-۹٠-٩ء-غف-يپچژکگی][0-9A-Za-z۰-۹٠-٩ء-غف-يپچژکگی ./-]{0,39}$`)

// asWritten is a written number as it is kept.
func asWritten(typed string) (kept string, ok bool) {
	return strings.TrimSpace(iran.Canonical(typed)), writtenNumber.MatchString(typed)
}

var errTransfer = fault.New(fault.Invalid, "transfer-invalid",
	"شمارهٔ حواله ۱ تا ۴۰ حرف فارسی یا لاتین، رقم، فاصله و نشانه‌های - / . است؛ آن را همان‌گونه که روی حواله است بنویسید.",
	"The number of a transfer is 1 to 40 Persian or Latin letters, digits, spaces, and - / .; write it as the transfer has it.").At("reference")

// RecordRefund closes a refund case: by the office that has the request, or by a
// manager, and nobody for himself. A transfer closes one.
func (a *App) RecordRefund(ctx context.Context, c Caller, code string, in RecordRefund) (Receipt, error) {
	reference, ok := asWritten(in.Reference)
	if !ok {
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
