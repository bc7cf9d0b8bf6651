package http

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"govahi/adapters/limits"
	"govahi/adapters/web"
	"govahi/commands"
	"govahi/domain/contract"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/fee"
	"govahi/domain/iran"
	"govahi/domain/tariff"
	"govahi/queries"
)

// The views from which payments are told.
const paymentViews = requestViews + " payments"

const paymentTag = "Fees"

// payments is what is due, how it is paid, and what goes back (domain §5.5).
func (h House) payments(s *Server) {
	Command(s, Operation{ID: "start-payment", Method: "POST", Path: "/requests/{code}/payments", Tag: paymentTag, Status: 201, Summary: "Pay the fee online: where the payer's browser goes now", Text: "The same key finds the same attempt. Who comes back without having paid begins another with a new key."},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body commands.StartPayment
		},
		) (commands.Receipt, commands.PaymentStarted, error) {
			return h.App.StartPayment(ctx, c, in.plain(), in.Body)
		})
	Command(s, Operation{ID: "settle-by-contract", Method: "POST", Path: "/requests/{code}/contract-payment", Tag: paymentTag, Summary: "Settle the fee by the contract of the request's company (inside channel)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				AmountRial int64 `json:"amountRial" minimum:"1" maximum:"1000000000000" doc:"مبلغ، ریال"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.SettleByContract(ctx, c, in.plain(), in.Body.AmountRial))
		})
	Command(s, Operation{ID: "record-refund", Method: "POST", Path: "/requests/{code}/refunds", Tag: paymentTag, Summary: "Record the transfer by which money went back"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body commands.RecordRefund
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.RecordRefund(ctx, c, in.plain(), in.Body))
		})
	Command(s, Operation{ID: "conclude-contract", Method: "POST", Path: "/contracts", Tag: paymentTag, Status: 201, Summary: "Record a company's contract for the fees of its people, or its prolongation"},
		func(ctx context.Context, c commands.Caller, in *struct{ Body commands.ConcludeContract }) (commands.Receipt, Nothing, error) {
			return done(h.App.ConcludeContract(ctx, c, in.Body))
		})
	Command(s, Operation{ID: "end-contract", Method: "POST", Path: "/contract-endings", Tag: paymentTag, Status: 201, Summary: "End a company's contract before its time"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Body struct {
				Company string `json:"company" maxLength:"30" doc:"شناسه ملی شرکت"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.EndContract(ctx, c, in.Body.Company))
		})
	h.paymentQueries(s)
	h.callbacks(s)
}

type ofOffice struct {
	Office string `path:"office" maxLength:"40"`
}

type refundsAt struct {
	Office string `path:"office" maxLength:"40"`
	State  string `query:"state" enum:"open,refunded" doc:"open if left out"`
}

type refundsOf struct {
	State string `query:"state" enum:"open,refunded" doc:"open if left out"`
}

func (h House) paymentQueries(s *Server) {
	Query(s, Operation{ID: "get-fee", Method: "GET", Path: "/requests/{code}/fee", Tag: paymentTag, Summary: "The fee of a request, its payment, attempts and refunds", View: paymentViews},
		func(ctx context.Context, id Identity, in *Coded) (queries.Payment, error) {
			r, err := h.Queries.Request(ctx, in.plain())
			if err := h.sees(ctx, id, r, err); err != nil {
				return queries.Payment{}, err
			}
			return h.Queries.Payment(ctx, r.TrackingCode)
		})
	Query(s, Operation{ID: "list-office-payments", Method: "GET", Path: "/offices/{office}/payments", Tag: paymentTag, Summary: "The fees of an office's requests, the latest first", View: paymentViews},
		func(ctx context.Context, id Identity, in *ofOffice) ([]queries.Payment, error) {
			if err := h.may(ctx, id, officersOf(in.Office)...); err != nil {
				return nil, err
			}
			return h.Queries.PaymentsOf(ctx, in.Office)
		})
	Query(s, Operation{ID: "list-office-refunds", Method: "GET", Path: "/offices/{office}/refunds", Tag: paymentTag, Summary: "The refund cases of an office's requests, the oldest first", View: paymentViews},
		func(ctx context.Context, id Identity, in *refundsAt) ([]queries.Refund, error) {
			if err := h.may(ctx, id, officersOf(in.Office)...); err != nil {
				return nil, err
			}
			return h.Queries.Refunds(ctx, in.Office, in.State != "refunded")
		})
	Query(s, Operation{ID: "list-payments", Method: "GET", Path: "/payments", Tag: paymentTag, Summary: "The fees of all requests, the latest first", View: paymentViews},
		func(ctx context.Context, id Identity, _ *struct{}) ([]queries.Payment, error) {
			if err := h.may(ctx, id, overseers...); err != nil {
				return nil, err
			}
			return h.Queries.PaymentsOf(ctx, "")
		})
	Query(s, Operation{ID: "list-refunds", Method: "GET", Path: "/refunds", Tag: paymentTag, Summary: "All refund cases, the oldest first", View: paymentViews},
		func(ctx context.Context, id Identity, in *refundsOf) ([]queries.Refund, error) {
			if err := h.may(ctx, id, overseers...); err != nil {
				return nil, err
			}
			return h.Queries.Refunds(ctx, "", in.State != "refunded")
		})
	Query(s, Operation{ID: "list-contracts", Method: "GET", Path: "/contracts", Tag: paymentTag, Summary: "Each company's latest contract", View: "payments"},
		func(ctx context.Context, id Identity, _ *struct{}) ([]queries.Contract, error) {
			if err := h.may(ctx, id, overseers...); err != nil {
				return nil, err
			}
			return h.Queries.Contracts(ctx)
		})
	h.publicFees(s)
	QueryRaw(s, Operation{ID: "get-receipt", Method: "GET", Path: "/requests/{code}/receipt.html", Tag: "Pages", Summary: "The printable receipt of a payment", View: paymentViews, Type: pageType},
		func(ctx context.Context, id Identity, in *Coded) (Raw, error) {
			r, err := h.dossier(ctx, id, in.plain())
			if err != nil {
				return Raw{}, err
			}
			p, err := h.Queries.Payment(ctx, r.TrackingCode)
			if err != nil {
				return Raw{}, err
			}
			if p.SettledAt == nil {
				return Raw{}, errNotPaid
			}
			by, err := h.contractOf(ctx, value(p.Contract))
			if err != nil {
				return Raw{}, err
			}
			return Page(func(w io.Writer) error { return web.Receipt(w, h.receipt(r, p, by)) })
		})
}

// TariffInForce is a line of the tariff as the public reads it.
type TariffInForce struct {
	queries.Tariff
	LevelName  string `json:"levelName"`
	IssuerName string `json:"issuerName"`
	TotalRial  int64  `json:"totalRial"`
	Total      string `json:"total" doc:"With thousands separators"`
	Words      string `json:"words"`
}

func tariffInForce(t queries.Tariff) TariffInForce {
	total := t.TokenRial + t.IssuanceRial
	return TariffInForce{
		t, tariff.Level(t.Level).Persian(), tariff.IssuerKind(t.IssuerKind).Persian(), total, iran.Rial(total), iran.RialWords(total),
	}
}

// tariffs is the table in force.
func (h House) tariffs(ctx context.Context) ([]TariffInForce, error) {
	all := []TariffInForce{}
	list, err := h.Queries.TariffsInForce(ctx, h.App.Clock())
	for _, t := range list {
		all = append(all, tariffInForce(t))
	}
	return all, err
}

func (h House) publicFees(s *Server) {
	Public(s, Operation{ID: "list-gateways", Method: "GET", Path: "/gateways", Tag: paymentTag, Summary: "The gateways where a fee can be paid online"},
		func(context.Context, *struct{}) ([]string, error) {
			return slices.Concat([]string{}, h.App.Gateways.Names()), nil
		})
	Public(s, Operation{ID: "list-tariffs-in-force", Method: "GET", Path: "/tariffs/current", Tag: paymentTag, Summary: "The approved tariff in force, by product, level and issuer (S1.9)", View: "offices"},
		func(ctx context.Context, _ *struct{}) ([]TariffInForce, error) { return h.tariffs(ctx) })
	PublicRaw(s, Operation{ID: "get-tariffs-page", Method: "GET", Path: tariffsPage, Tag: "Pages", Summary: "The approved tariff in force, as a page (S1.9)", View: "offices", Type: pageType},
		func(ctx context.Context, _ *struct{}) (Raw, error) {
			list, err := h.tariffs(ctx)
			if err != nil {
				return Raw{}, err
			}
			data := web.TariffsData{At: h.App.Clock()}
			for _, t := range list {
				data.Rows = append(data.Rows, h.tariffRow(t))
			}
			return Page(func(w io.Writer) error { return web.Tariffs(w, data) })
		})
}

// tariffRow has no title for a product that is offered no more.
func (h House) tariffRow(t TariffInForce) web.Tariff {
	of, _ := h.App.Authority.Profiles().Offered(t.Product)
	return web.Tariff{
		Product: t.Product, Title: of.Title.Fa, Level: t.LevelName, Issuer: t.IssuerName, TokenRial: t.TokenRial, IssuanceRial: t.IssuanceRial,
		ValidFrom: t.ValidFrom,
	}
}

// contractOf is the contract that a payment cites, stream@revision. The log has
// its number: the view knows a company's latest alone.
func (h House) contractOf(ctx context.Context, cited string) (web.ReceiptContract, error) {
	name, at, _ := strings.Cut(cited, "@")
	stream := event.Stream(name)
	by := web.ReceiptContract{Company: stream.ID()}
	revision, err := strconv.ParseUint(at, 10, 64)
	if err != nil { // it cites nothing that could be read
		return by, nil
	}
	for r, err := range h.App.Log.Read(ctx, stream, revision) {
		if err != nil {
			return by, errors.Join(commands.ErrLogUnavailable, err)
		}
		e, err := contract.Catalog.Open(r)
		if err != nil {
			return by, err
		}
		if is, ok := e.(contract.Concluded); ok && r.Revision == revision {
			by.Number = is.Number
			break
		}
	}
	return by, nil
}

func (h House) receipt(r queries.Request, p queries.Payment, by web.ReceiptContract) web.ReceiptData {
	return web.ReceiptData{
		TrackingCode: p.TrackingCode, Name: r.Name, AmountRial: p.AmountRial, Mode: value(p.Mode), Provider: value(p.Provider), Terminal: value(p.Terminal),
		RRN: value(p.RRN), Trace: value(p.Trace), Card: value(p.Card), Contract: by, PaidAt: *p.SettledAt, PrintedAt: h.App.Clock(),
		Refunded: p.State == "refunded",
	}
}

// Returning is how a bank's page calls us: for an attempt, by an address that
// nobody guesses. Whatever else it brings is a hint, in whatever case its names
// are.
type Returning struct {
	Attempt string `path:"attempt" maxLength:"64" doc:"ID of the attempt"`
	Token   string `path:"token" maxLength:"64" doc:"Of this very attempt"`

	said url.Values
}

// Resolve takes the query as it came: banks add to theirs without asking.
func (r *Returning) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	r.said = u.Query()
	return nil
}

// mostFields bounds what is looked at of a callback.
const mostFields = 40

// fields are the first values, by names in lower case.
func fields(said url.Values) map[string]string {
	all := map[string]string{}
	for name, values := range said {
		if len(all) < mostFields && len(values[0]) <= 100 {
			all[strings.ToLower(name)] = strings.ToLower(strings.TrimSpace(values[0]))
		}
	}
	return all
}

// callbacks are by GET and by POST, as the bank likes.
func (h House) callbacks(s *Server) {
	const path = "/payments/{attempt}/callback/{token}"
	PublicRaw(s, Operation{ID: "get-payment-callback", Method: "GET", Path: path, Tag: "Pages", Summary: "The payer comes back from a bank's page", Text: "A hint, never a proof: the bank is asked.", Type: pageType, Open: true},
		func(ctx context.Context, in *Returning) (Raw, error) {
			return h.returned(ctx, s.Limits.Returns, *in, in.said)
		})
	PublicRaw(s, Operation{ID: "post-payment-callback", Method: "POST", Path: path, Tag: "Pages", Summary: "The payer comes back from a bank's page that posts", Text: "A hint, never a proof: the bank is asked.", Type: pageType, Open: true},
		func(ctx context.Context, in *struct {
			Returning
			RawBody []byte `contentType:"application/x-www-form-urlencoded"`
		},
		) (Raw, error) {
			said, err := url.ParseQuery(string(in.RawBody))
			if err != nil { // the hint is nothing then
				said = url.Values{}
			}
			return h.returned(ctx, s.Limits.Returns, in.Returning, said)
		})
}

// returned counts each attempt's own callbacks, wherever they come from: a bank
// calls for many from one address, and whoever repeats one asks the bank again.
// An address that nobody gave out counts for none. Who is refused loses nothing:
// the bank is asked by a worker.
func (h House) returned(ctx context.Context, tries *limits.Tries, in Returning, said url.Values) (Raw, error) {
	if h.App.KnowsCallback(in.Attempt, in.Token) {
		if err := tried(tries, in.Attempt); err != nil {
			return Raw{}, err
		}
	}
	shown, err := h.App.PaymentCallback(ctx, in.Attempt, in.Token, fields(said))
	if err != nil {
		return Raw{}, err
	}
	of, err := h.feeOf(ctx, shown.Order)
	if err != nil {
		return Raw{}, err
	}
	return Page(func(w io.Writer) error {
		return web.Returned(w, web.ReturnedData{
			TrackingCode: shown.Order, AmountRial: shown.AmountRial, RRN: shown.RRN, Standing: web.ReturnedAs(shown.Status, of, in.Attempt), Track: trackPage,
		})
	})
}

// feeOf is a fee straight from the log: the view would not know yet what a
// callback has just brought.
func (h House) feeOf(ctx context.Context, order string) (fee.Fee, error) {
	of, err := fee.Kind.Fold(ctx, h.App.Log, fee.Kind.Stream(order))
	if err != nil {
		return of, errors.Join(commands.ErrLogUnavailable, err)
	}
	return of, nil
}

// errNotPaid is told of a receipt that there is not.
var errNotPaid = fault.New(fault.Conflict, "fee-not-paid",
	"این هزینه هنوز پرداخت نشده است و رسیدی ندارد.", "This fee is not paid yet and has no receipt.")
