package http

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/url"
	"unicode/utf8"

	"govahi/adapters/web"
	"govahi/domain/fault"
)

const reportPage = "/report"

var errReportForm = fault.New(fault.Invalid, "form-malformed",
	"فرم خوانده نشد؛ صفحهٔ گزارش را دوباره باز کنید و شماره سریال و شرح را هر کدام یک بار و تا ۴۰۰۰ نویسه بنویسید.",
	"The form cannot be read; open the page again and give the serial and what is false, each once, in up to 4000 characters.")

// reportPages let anybody say that information behind a certificate is false,
// without signing in (S1.6). The form carries a key, so that a page that is sent
// twice is one report.
func (h House) reportPages(s *Server) {
	const tag = "Pages"
	PublicRaw(s, Operation{ID: "get-report", Method: "GET", Path: reportPage, Tag: tag, Summary: "The form to report false information without signing in", Type: pageType},
		func(_ context.Context, in *struct {
			Serial string `query:"serial" maxLength:"200"`
		},
		) (Raw, error) {
			return Page(func(w io.Writer) error {
				return web.Report(w, web.ReportData{Serial: in.Serial, Key: randomKey(), Action: reportPage})
			})
		})
	PublicRaw(s, Operation{ID: "post-report", Method: "POST", Path: reportPage, Tag: tag, Limit: Reports, Summary: "Report false information without signing in: strictly limited", Type: pageType},
		func(ctx context.Context, in *struct {
			RawBody []byte `contentType:"application/x-www-form-urlencoded"`
		},
		) (Raw, error) {
			key, serial, statement, err := reportForm(in.RawBody)
			if err != nil {
				return Raw{}, err
			}
			r, err := h.App.ReportUnsigned(ctx, key, serial, statement)
			if err != nil {
				return Raw{}, err
			}
			return Page(func(w io.Writer) error { return web.Report(w, web.ReportData{Case: r.Stream.ID()}) })
		})
}

func randomKey() string {
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails
	return hex.EncodeToString(key[:])
}

// reportForm reads the three fields of the form, and no other.
func reportForm(body []byte) (key, serial, statement string, err error) {
	fields, err := url.ParseQuery(string(body))
	if err != nil || len(fields) != 3 || len(fields["key"]) != 1 || len(fields["serial"]) != 1 || len(fields["statement"]) != 1 {
		return "", "", "", malformed(errReportForm)
	}
	key, serial, statement = fields.Get("key"), fields.Get("serial"), fields.Get("statement")
	if _, err := hex.DecodeString(key); err != nil || len(key) != 32 || len(serial) > 200 || len(statement) > 16000 ||
		!utf8.ValidString(statement) || utf8.RuneCountInString(statement) > 4000 {
		return "", "", "", malformed(errReportForm)
	}
	return key, plainSerial(serial), statement, nil
}
