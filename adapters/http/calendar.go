package http

import (
	"cmp"
	"context"
	"slices"
	"time"

	"govahi/adapters/web"
	"govahi/queries"
)

// Calendar is what ends, and when (domain §2.5).
type Calendar struct {
	At      time.Time       `json:"at"`
	Ends    []queries.End   `json:"ends" doc:"The soonest first; what is past has ended"`
	Holders []queries.Count `json:"holders" doc:"Holders' certificates in force, by the Jalali month in which they end"`
}

// The CA's own, which no view knows.
const (
	endsIssuer = "issuer-certificate"
	endsRoot   = "root-certificate"
)

const calendarViews = "crls certificates offices credentials"

// calendar is read by who has to renew in time.
func (h House) calendar(s *Server) {
	Query(s, Operation{ID: "get-calendar", Method: "GET", Path: "/calendar", Tag: "Management", Summary: "What ends when: revocation lists, the CA's, responders' and officers' certificates, licences; holders' certificates by month", View: calendarViews},
		func(ctx context.Context, id Identity, _ *struct{}) (Calendar, error) {
			if err := h.may(ctx, id, overseers...); err != nil {
				return Calendar{}, err
			}
			c, err := h.ends(ctx)
			if err != nil {
				return c, err
			}
			c.Holders, err = h.Queries.Holders(ctx, c.At)
			return c, err
		})
}

// ends is the calendar but for the holders, whom the dashboard has counted.
func (h House) ends(ctx context.Context) (c Calendar, err error) {
	c.At = h.App.Clock()
	if c.Ends, err = h.Queries.Ends(ctx, c.At); err != nil {
		return c, err
	}
	for i, e := range c.Ends {
		if e.Kind == queries.EndsList {
			c.Ends[i].Name = h.issuerName(e.About)
		}
	}
	for _, a := range h.Authorities {
		of := a.Certificate()
		c.Ends = append(c.Ends, queries.End{Kind: endsIssuer, About: a.Issuer(), Name: of.Subject.CommonName, Until: of.NotAfter})
	}
	root := h.first().Root()
	c.Ends = append(c.Ends, queries.End{Kind: endsRoot, Name: root.Subject.CommonName, Until: root.NotAfter})
	slices.SortStableFunc(c.Ends, func(x, y queries.End) int { return cmp.Compare(x.Until.UnixNano(), y.Until.UnixNano()) })
	return c, nil
}

var endWords = map[string]string{
	queries.EndsList: "فهرست ابطال بعدی", queries.EndsResponder: "گواهی پاسخ‌گوی OCSP", queries.EndsLicence: "مجوز دفتر یا مرجع",
	queries.EndsOfficer: "گواهی مأمور ثبت نام", endsIssuer: "گواهی مرکز صدور", endsRoot: "گواهی ریشه",
}

// endCard is the part of the calendar that leaders look at first.
func endCard(c Calendar) (list []web.End) {
	const first = 10
	for _, e := range c.Ends[:min(first, len(c.Ends))] {
		list = append(list, web.End{Label: endWords[e.Kind], Of: cmp.Or(e.Name, e.About), Until: e.Until, Past: e.Until.Before(c.At)})
	}
	return list
}
