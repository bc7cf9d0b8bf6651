package http

import (
	"context"
	"io"
	"net/url"

	"govahi/adapters/web"
	"govahi/domain/fault"
	"govahi/queries"
)

const formType = "application/x-www-form-urlencoded"

var errForm = fault.New(fault.Invalid, "form-malformed",
	"فرم خوانده نشد؛ کد رهگیری و چهار رقم آخر همراه را هر کدام یک بار بنویسید.",
	"The form cannot be read; give the tracking code and the last four digits of the mobile, each once.")

// trackPages are the form, and its answer: by POST, for the digits of a mobile
// stand in no address.
func (h House) trackPages(s *Server) {
	const tag = "Pages"
	PublicRaw(s, Operation{ID: "get-track", Method: "GET", Path: trackPage, Tag: tag, Summary: "The form to ask where a request stands", Type: pageType},
		func(context.Context, *struct{}) (Raw, error) {
			return Page(func(w io.Writer) error { return web.Track(w, web.TrackData{Track: trackPage}) })
		})
	PublicRaw(s, Operation{ID: "post-track", Method: "POST", Path: trackPage, Tag: tag, Limit: Lookups, Summary: "Where a request stands, as a page", View: requestViews, Type: pageType},
		func(ctx context.Context, in *struct {
			RawBody []byte `contentType:"application/x-www-form-urlencoded"`
		},
		) (Raw, error) {
			code, lastFour, err := trackForm(in.RawBody)
			if err != nil {
				return Raw{}, err
			}
			found, err := h.track(ctx, s.Limits.Tracked, code, lastFour)
			if err != nil {
				return Raw{}, err
			}
			return h.tracked(ctx, found)
		})
}

// trackForm reads the two fields of the form, and no other.
func trackForm(body []byte) (code, lastFour string, err error) {
	fields, err := url.ParseQuery(string(body))
	if err != nil || len(fields) != 2 || len(fields["trackingCode"]) != 1 || len(fields["lastFour"]) != 1 {
		return "", "", malformed(errForm)
	}
	return fields.Get("trackingCode"), fields.Get("lastFour"), nil
}

func (h House) tracked(ctx context.Context, found queries.Tracking) (Raw, error) {
	name, err := h.places(ctx)
	if err != nil {
		return Raw{}, err
	}
	return Page(func(w io.Writer) error {
		return web.Track(w, web.TrackData{
			Code: found.TrackingCode, State: stateLabel(found.State), Since: found.Since, Office: name(found.Office), Track: trackPage,
			Stand: standOf(found.State, found.ToAttorney), Dossier: name(found.Dossier), DossierTo: name(found.DossierTo), Token: name(found.TokenAt),
		})
	})
}

// places are the names of offices, units and authorities, by their codes.
func (h House) places(ctx context.Context) (func(code *string) string, error) {
	all, err := h.Queries.Offices(ctx)
	names := map[string]string{}
	for _, o := range all {
		names[o.Code] = o.Name
	}
	return func(code *string) string { return names[value(code)] }, err
}
