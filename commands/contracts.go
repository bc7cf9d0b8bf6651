package commands

import (
	"context"
	"fmt"
	"time"

	"govahi/domain/appointment"
	"govahi/domain/contract"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/fee"
	"govahi/domain/iran"
)

// ConcludeContract is a company's contract for the fees of its people.
type ConcludeContract struct {
	Company string    `json:"company" maxLength:"30" doc:"شناسه ملی شرکت"`
	Number  string    `json:"number" maxLength:"40" pattern:"^ *[0-9A-Za-z۰-۹٠-٩ء-غف-يپچژکگی][0-9A-Za-z۰-۹٠-٩ء-غف-يپچژکگی ./-]*$" patternDescription:"letters, digits, spaces, and - / ." example:"Q-1" doc:"شمارهٔ قرارداد"`
	Until   time.Time `json:"until"`
}

// ConcludeContract records a contract, or its prolongation.
func (a *App) ConcludeContract(ctx context.Context, c Caller, in ConcludeContract) (Receipt, error) {
	number, ok := asWritten(in.Number)
	if !ok {
		return Receipt{}, contract.ErrNumber
	}
	return a.asContractor(ctx, c, "ConcludeContract", in.Company, func(as act) event.Command[contract.Contract] {
		return contract.Conclude{Number: number, Until: in.Until, By: c.Person, At: as.at}
	})
}

// EndContract ends a company's contract before its time.
func (a *App) EndContract(ctx context.Context, c Caller, company string) (Receipt, error) {
	return a.asContractor(ctx, c, "EndContract", company, func(as act) event.Command[contract.Contract] {
		return contract.End{By: c.Person, At: as.at}
	})
}

func (a *App) asContractor(ctx context.Context, c Caller, name, company string, command func(act) event.Command[contract.Contract]) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.Manager, "")
	if err != nil {
		return Receipt{}, err
	}
	id, _, err := iran.CompanyID(company)
	if err != nil {
		return Receipt{}, iran.ErrCompanyID.At("company")
	}
	as := a.do(c, name, authority, id)
	return transact(ctx, a, contract.Kind, contract.Kind.Stream(id), as, just(command(as)))
}

var errNoContractChannel = fault.New(fault.Conflict, "contract-not-for-channel",
	"درخواست بیرون از صنعت نفت با قرارداد تسویه نمی‌شود؛ رسید پایانه را ثبت کنید.",
	"A request from outside the industry is not settled by a contract; record the slip of the terminal.")

// SettleByContract settles a request's fee by its company's contract, at the
// office that has it (domain §1, A2). The amount must be the one raised.
func (a *App) SettleByContract(ctx context.Context, c Caller, code string, amountRial int64) (Receipt, error) {
	request, authority, err := a.ours(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "SettleByContract", authority, code)
	stream := fee.Kind.Stream(code)
	return transact(ctx, a, fee.Kind, stream, as, func(order history[fee.Fee]) ([]event.Event, error) {
		return a.byContract(ctx, as, request.state, order.state, amountRial)
	})
}

// SettleFeeByContract settles a raised fee by the contract of the request's
// company; a policy asks. A fee that is settled stays as it is.
func (a *App) SettleFeeByContract(ctx context.Context, c Caller, request event.Stream) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil {
		return err
	}
	as := a.do(c, "SettleFeeByContract", asPolicy, request.ID())
	_, err = transact(ctx, a, fee.Kind, fee.Kind.Stream(request.ID()), as, func(order history[fee.Fee]) ([]event.Event, error) {
		if order.state.Settled != nil || order.state.Closed != nil {
			return nil, nil
		}
		return a.byContract(ctx, as, h.state, order.state, order.state.Raised.AmountRial)
	})
	return err
}

// byContract cites the contract in force of the company that the form names.
func (a *App) byContract(ctx context.Context, as act, e enrollment.Enrollment, order fee.Fee, amountRial int64) ([]event.Event, error) {
	if e.Channel != enrollment.Inside {
		return nil, errNoContractChannel
	}
	stream := contract.Kind.Stream(e.Form.Organization)
	h, err := load(ctx, a, contract.Kind, stream)
	if err != nil {
		return nil, err
	}
	settle := fee.Settle{By: as.Person, Office: e.Office, At: as.at, Payment: fee.Payment{
		Mode: fee.Contract, Contract: fmt.Sprintf("%s@%d", stream, len(h.records)-1), AmountRial: amountRial,
	}}
	if order.Settled == nil && !h.state.InForce(as.at) {
		return nil, h.state.Refuse()
	}
	return settle.Decide(order)
}
