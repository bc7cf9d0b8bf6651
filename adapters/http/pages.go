package http

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/url"
	"slices"
	"time"

	"govahi/adapters/web"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
	"govahi/domain/iran"
	"govahi/queries"
)

// The pages with a form.
const (
	verifyPage  = "/verify"
	trackPage   = "/track"
	tariffsPage = "/tariffs.html"
	formPage    = "/form.html"
	officesPage = "/offices.html"
	guidePage   = "/guide.html"
)

// pages are what a person looks at.
func (h House) pages(s *Server) {
	const tag = "Pages"
	PublicRaw(s, Operation{ID: "get-home", Method: "GET", Path: "/", Tag: tag, Summary: "The first page", Type: pageType},
		func(context.Context, *struct{}) (Raw, error) {
			return Page(func(w io.Writer) error { return web.Home(w, h.home()) })
		})
	PublicRaw(s, Operation{ID: "verify-certificate", Method: "GET", Path: verifyPage, Tag: tag, Summary: "Whether a certificate or a sheet is valid, without personal data", Type: pageType},
		func(ctx context.Context, in *struct {
			Serial      string `query:"serial" maxLength:"120" doc:"Serial, or SHA-256 fingerprint, hexadecimal"`
			Fingerprint string `query:"fingerprint" maxLength:"120" doc:"SHA-256 of the certificate, hexadecimal; colons and spaces are understood"`
		},
		) (Raw, error) {
			serial, err := h.serialOf(ctx, in.Serial, in.Fingerprint)
			if err != nil {
				return Raw{}, err
			}
			data, err := h.verification(ctx, serial)
			if err != nil {
				return Raw{}, err
			}
			return Page(func(w io.Writer) error { return web.Verify(w, data) })
		})
	h.trackPages(s)
	h.publicPages(s)
	h.reportPages(s)
	QueryRaw(s, Operation{ID: "get-sheet", Method: "GET", Path: "/requests/{code}/sheet.html", Tag: tag, Summary: "The printable sheet of a certificate's particulars (S1.12)", View: requestViews, Type: pageType},
		func(ctx context.Context, id Identity, in *Coded) (Raw, error) {
			data, err := h.sheet(ctx, id, in.plain())
			if err != nil {
				return Raw{}, err
			}
			return Page(func(w io.Writer) error { return web.Sheet(w, data) })
		})
	QueryRaw(s, Operation{ID: "get-dashboard", Method: "GET", Path: "/dashboard", Tag: "Management", Summary: "The management view as a page", View: managementViews + " " + calendarViews, Type: pageType},
		func(ctx context.Context, id Identity, _ *struct{}) (Raw, error) {
			if err := h.may(ctx, id, overseers...); err != nil {
				return Raw{}, err
			}
			m, err := h.Queries.Management(ctx, h.App.Clock())
			if err != nil {
				return Raw{}, err
			}
			c, err := h.ends(ctx)
			if err != nil {
				return Raw{}, err
			}
			q, err := h.queue(ctx)
			if err != nil {
				return Raw{}, err
			}
			data := dashboard(m)
			data.Ends, data.Returns = endCard(c), returnCard(q)
			return Page(func(w io.Writer) error { return web.Dashboard(w, data) })
		})
}

func (h House) home() web.HomeData {
	return web.HomeData{
		Verify: verifyPage, Track: trackPage, Tariffs: tariffsPage, Guide: guidePage, Offices: officesPage, Form: formPage, Docs: "/docs", CRL: "/pki/issuer.crl", CA: "/pki/issuer.cer",
		Root: "/pki/root.cer", Repository: "/pki", Development: h.Development,
	}
}

// serialOf finds a certificate by its fingerprint, which people may also write
// where the serial goes. The view tells whose it is, and the log how it stands.
func (h House) serialOf(ctx context.Context, serial, fingerprint string) (string, error) {
	print := plainPrint(fingerprint)
	if print == "" {
		print = plainPrint(serial)
	}
	if print == "" {
		return plainSerial(serial), nil
	}
	c, err := h.Queries.ByFingerprint(ctx, print)
	if errors.Is(err, certificate.ErrNotIssued) {
		return print, nil // shown as unknown
	}
	return c.Serial, err
}

// plainSerial is a serial as it is stored, however it was written; any other text
// stays as it is, so that who mistyped sees what he wrote.
func plainSerial(text string) string {
	plain := iran.Hexadecimal(text)
	if _, err := hex.DecodeString(plain); err != nil {
		return text
	}
	return plain
}

// plainPrint is a SHA-256 in lower-case hexadecimal; none for any other text.
func plainPrint(text string) string {
	text = iran.Hexadecimal(text)
	if raw, err := hex.DecodeString(text); err != nil || len(raw) != sha256.Size {
		return ""
	}
	return text
}

// verification answers from the log itself: a revoked sheet is void at once.
func (h House) verification(ctx context.Context, serial string) (web.VerifyData, error) {
	now := h.App.Clock()
	data := web.VerifyData{Serial: serial, Standing: web.Unknown, CheckedAt: now, Action: verifyPage}
	if serial == "" {
		return data, nil
	}
	c, err := h.App.StatusOf(ctx, serial)
	if err != nil || c.Issued.Serial == "" {
		return data, err // an abandoned serial was never a certificate
	}
	data.Fingerprint, data.Issuer = c.Issued.Fingerprint, h.issuerName(c.Intent.Issuer)
	data.NotBefore, data.NotAfter = c.Issued.NotBefore, c.Issued.NotAfter
	switch {
	case c.Status == certificate.Withdrawn:
		data.Standing, data.Reason, data.RevokedAt = web.Revoked, c.Reason, c.Since
	case c.Status == certificate.OnHold && !now.After(c.Issued.NotAfter):
		data.Standing, data.RevokedAt = web.Held, c.Hold.At
	case now.After(c.Issued.NotAfter):
		data.Standing = web.Expired
	default:
		data.Standing = web.Valid
	}
	return data, nil
}

var (
	errSheetVoid = fault.New(fault.Conflict, "sheet-void",
		"گواهی باطل شده است و برگهٔ آن اعتباری ندارد.",
		"The certificate is revoked and its sheet is void.")
	errSheetNotPrinted = fault.New(fault.Conflict, "sheet-not-printed",
		"چاپ برگه هنوز ثبت نشده است؛ نخست آن را ثبت کنید.",
		"No printout was recorded yet; record one first.")
)

// sheet is drawn for the applicant and the office that has the request.
func (h House) sheet(ctx context.Context, id Identity, code string) (web.SheetData, error) {
	r, err := h.dossier(ctx, id, code)
	if err != nil {
		return web.SheetData{}, err
	}
	if r.Copies == 0 {
		return web.SheetData{}, errSheetNotPrinted
	}
	now, err := h.App.StatusOf(ctx, value(r.Serial))
	if err != nil {
		return web.SheetData{}, err
	}
	if now.Status == certificate.OnHold {
		return web.SheetData{}, certificate.Kind.Life.Refuse(certificate.ErrOnHold, string(now.Status))
	}
	if now.Status != certificate.Valid {
		return web.SheetData{}, errSheetVoid
	}
	c, err := h.Queries.Certificate(ctx, value(r.Serial))
	if err != nil {
		return web.SheetData{}, err
	}
	form, err := h.Queries.Form(ctx, r)
	if err != nil {
		return web.SheetData{}, err
	}
	return h.particulars(r, form, c, now.Intent.Issuer), nil
}

func (h House) particulars(r queries.Request, form enrollment.Form, c queries.Certificate, issuer string) web.SheetData {
	of, _ := h.App.Authority.Profiles().Find(c.Profile)
	return web.SheetData{
		NameFa: form.GivenName + " " + form.Surname, NameLatin: form.LatinGivenName + " " + form.LatinSurname,
		NationalCode: form.PersonCode, Organization: form.OrganizationName, Post: form.Post, Email: form.Email,
		Serial: c.Serial, Fingerprint: value(c.Fingerprint), NotBefore: moment(c.NotBefore), NotAfter: moment(c.NotAfter),
		Issuer: h.issuerName(issuer), Profile: c.Profile, ProfileTitle: of.Title.Fa, TokenSerial: value(r.Token),
		TrackingCode: r.TrackingCode, VerifyURL: h.Base + "/verify?serial=" + url.QueryEscape(c.Serial),
		Copy: r.Copies, PrintedAt: h.App.Clock(),
	}
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// dashboard puts the management view into Persian words.
func dashboard(m queries.Management) web.DashboardData {
	d := web.DashboardData{At: m.At, Provinces: counts(m.Provinces, nil), Offices: counts(m.Offices, nil), Audit: auditCard(m.Audit)}
	d.Refusals = counts(m.Rejections, func(name string) string { return enrollment.RejectionReason(name).Persian() })
	d.Revocations = counts(m.Revocations, func(name string) string { return certificate.Reason(name).Persian() })
	channels := map[string]int{}
	for _, s := range m.States {
		d.States = added(d.States, stateLabel(s.State), int(s.Count))
		channels[s.Channel] += int(s.Count)
	}
	for _, c := range []enrollment.Channel{enrollment.Outside, enrollment.Inside} {
		d.Channels = append(d.Channels, web.Count{Label: c.Persian(), N: channels[string(c)]})
	}
	for _, w := range m.Waiting {
		d.Waiting = append(d.Waiting, web.Waiting{
			Label: stateLabel(w.State), N: int(w.Count), Median: seconds(w.MedianSeconds), Oldest: seconds(w.OldestSeconds),
		})
	}
	return d
}

// added counts more of one label, which is named once.
func added(all []web.Count, label string, n int) []web.Count {
	i := slices.IndexFunc(all, func(c web.Count) bool { return c.Label == label })
	if i < 0 {
		return append(all, web.Count{Label: label, N: n})
	}
	all[i].N += n
	return all
}

func counts(list []queries.Count, label func(string) string) []web.Count {
	var all []web.Count
	for _, c := range list {
		name := c.Name
		if label != nil {
			name = label(name)
		}
		all = append(all, web.Count{Label: name, N: int(c.Count)})
	}
	return all
}

// stateLabel also names the state that only views compute.
func stateLabel(state string) string {
	if state == "active" {
		return "فعال"
	}
	return enrollment.Status(state).Persian()
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
