package http

import (
	"context"

	"govahi/domain/appointment"
	"govahi/domain/iran"
	"govahi/queries"
)

type asked struct {
	Purpose string `query:"purpose" enum:"certificate-issuance,certificate-reinquiry"`
	From    string `query:"from" maxLength:"20" doc:"First day, Jalali: 1405/09/01"`
	To      string `query:"to" maxLength:"20" doc:"Last day, Jalali"`
	Before  string `query:"before" maxLength:"64" doc:"The last inquiry of a page, for the page that follows it"`
}

// days are the filter in instants: a day begins in Tehran.
func (in asked) days() (a queries.Asked, err error) {
	a = queries.Asked{Purpose: in.Purpose, After: in.Before}
	if in.From != "" {
		d, err := iran.ParseDate(in.From)
		if err != nil {
			return a, iran.ErrDate.At("from")
		}
		a.From = d.Time()
	}
	if in.To != "" {
		d, err := iran.ParseDate(in.To)
		if err != nil {
			return a, iran.ErrDate.At("to")
		}
		a.Until = d.AddDays(1).Time()
	}
	return a, nil
}

// inquiries is the log of what the registry was asked, for those who look after
// its use (invariant 10, domain §2.5).
func (h House) inquiries(s *Server) {
	Query(s, Operation{ID: "list-inquiries", Method: "GET", Path: "/inquiries", Tag: "Management", Summary: "What the registry was asked, by whom, for which purpose and by what right; the newest first", View: "inquiries"},
		func(ctx context.Context, id Identity, in *asked) ([]queries.Inquiry, error) {
			if err := h.may(ctx, id, appointment.Post{Role: appointment.Manager}, appointment.Post{Role: appointment.Auditor}); err != nil {
				return nil, err
			}
			days, err := in.days()
			if err != nil {
				return nil, err
			}
			return h.Queries.Inquiries(ctx, days)
		})
}
