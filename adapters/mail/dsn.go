package mail

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"

	"govahi/commands"
)

// MessageID is the Message-ID (RFC 5322 §3.6.4) under which a message goes out,
// and by which a report about it is recognised. The domain is nobody's (RFC 2606).
func MessageID(id string) string { return "<" + id + "@" + messageDomain + ">" }

const messageDomain = "govahi.invalid"

const (
	reportLimit = 1 << 20 // a report is a few KB, and quotes one message at most
	manyParts   = 16
)

var (
	ours   = regexp.MustCompile(`^<?([0-9A-Za-z-]{1,100})@` + regexp.QuoteMeta(messageDomain) + `>?$`)
	status = regexp.MustCompile(`^([245])\.[0-9]{1,3}\.[0-9]{1,3}\b`) // RFC 3463 §2
)

// ParseReport reads a delivery status notification (RFC 3464). What is none, or
// does not say about which message of ours it is, is commands.ErrNoReport.
func ParseReport(r io.Reader) (commands.Bounce, error) {
	whole, err := io.ReadAll(io.LimitReader(r, reportLimit+1))
	if err != nil {
		return commands.Bounce{}, err
	}
	if len(whole) > reportLimit {
		return commands.Bounce{}, noReport(errors.New("longer than 1 MiB"))
	}
	m, err := mail.ReadMessage(bytes.NewReader(whole))
	if err != nil {
		return commands.Bounce{}, noReport(errors.New("no message")) // its own words may quote a header
	}
	media, with, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || media != "multipart/report" || !strings.EqualFold(with["report-type"], "delivery-status") || with["boundary"] == "" {
		return commands.Bounce{}, noReport(errors.New("no multipart/report of a delivery status"))
	}
	return report{}.read(multipart.NewReader(m.Body, with["boundary"]))
}

func noReport(why error) error { return fmt.Errorf("%w: %w", commands.ErrNoReport, why) }

// report is what has been read of one.
type report struct {
	envelope, message string // IDs, whole
	bounce            commands.Bounce
	delivered         bool // there was a delivery status at all
}

func (r report) read(parts *multipart.Reader) (commands.Bounce, error) {
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) || n == manyParts {
			return r.done()
		}
		if err != nil {
			return commands.Bounce{}, noReport(errors.New("broken parts"))
		}
		media, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		body := textproto.NewReader(bufio.NewReader(part))
		switch media {
		case "message/delivery-status":
			r.deliveries(body)
		case "message/rfc822", "text/rfc822-headers":
			if h, err := body.ReadMIMEHeader(); err == nil || len(h) > 0 {
				r.message = strings.TrimSpace(h.Get("Message-Id"))
			}
		}
	}
}

// deliveries reads the fields about the message, and then those about each
// recipient (RFC 3464 §2.1): the first that failed for good counts.
func (r *report) deliveries(body *textproto.Reader) {
	about, err := body.ReadMIMEHeader()
	r.envelope = strings.TrimSpace(about.Get("Original-Envelope-Id"))
	for err == nil {
		var h textproto.MIMEHeader
		h, err = body.ReadMIMEHeader()
		found := status.FindStringSubmatch(strings.TrimSpace(h.Get("Status")))
		if found == nil {
			continue
		}
		r.delivered = true
		if r.bounce.Permanent {
			return
		}
		_, address, _ := strings.Cut(h.Get("Final-Recipient"), ";")
		r.bounce = commands.Bounce{
			Recipient: strings.ToLower(strings.Trim(strings.TrimSpace(address), "<>")), Status: found[0],
			Permanent: found[1] == "5" && strings.EqualFold(strings.TrimSpace(h.Get("Action")), "failed"),
		}
	}
}

func (r report) done() (commands.Bounce, error) {
	if !r.delivered {
		return commands.Bounce{}, noReport(errors.New("no delivery status"))
	}
	for _, id := range []string{r.message, r.envelope} {
		if found := ours.FindStringSubmatch(id); found != nil {
			r.bounce.Message = found[1]
			return r.bounce, nil
		}
	}
	return commands.Bounce{}, noReport(errors.New("about no message of ours"))
}
