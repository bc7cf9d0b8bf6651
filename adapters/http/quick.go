package http

import (
	"bytes"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"govahi/adapters/pki"
)

// quickly is an answer that is signed and at hand.
type quickly func(request []byte) (pki.Answer, bool)

// atOnce answers what relying parties ask most, the status of a certificate,
// where the answer is at hand and the request of the ordinary form. Everything
// else goes the long way, through all that judges requests and writes them down;
// this is timed, and no line of the program's log.
func (s *Server) atOnce(request *fasthttp.RequestCtx) bool {
	if s.status == nil || len(request.URI().QueryString()) > 0 {
		return false
	}
	start := time.Now()
	asked, operation := ordinary(&request.Request)
	if operation == "" {
		return false
	}
	answer, ok := s.status(asked)
	if !ok {
		return false
	}
	h := &request.Response.Header
	for _, always := range hardening {
		h.SetCanonical(always[0], always[1])
	}
	h.SetContentType(ocspAnswer)
	if operation == getOCSP {
		h.Set(fiber.HeaderCacheControl, cacheControl(answer))
		h.Set(fiber.HeaderETag, answer.ETag)
		h.Set(fiber.HeaderLastModified, answer.LastModified)
		h.SetCanonical(expires, fasthttp.AppendHTTPDate(nil, answer.Expires))
	}
	request.Response.SetBodyRaw(answer.Body)
	if s.Timed != nil {
		s.Timed(operation, fiber.StatusOK, time.Since(start))
	}
	return true
}

// Of the two operations.
const (
	getOCSP    = "get-ocsp"
	postOCSP   = "post-ocsp"
	ocspAnswer = "application/ocsp-response"
)

var (
	pkiPath     = []byte("/pki/")
	ocspPath    = []byte("/pki/ocsp")
	ocspRequest = []byte("application/ocsp-request")
	expires     = []byte(fiber.HeaderExpires)
	hardening   = [][2][]byte{
		{[]byte(fiber.HeaderCacheControl), []byte("no-store")},
		{[]byte(fiber.HeaderXContentTypeOptions), []byte("nosniff")},
		{[]byte(fiber.HeaderReferrerPolicy), []byte("no-referrer")},
		{[]byte(fiber.HeaderContentSecurityPolicy), []byte(noContent)},
	}
)

// ordinary is the OCSP request in an ordinary HTTP request, and the operation;
// none for any other.
func ordinary(r *fasthttp.Request) (asked []byte, operation string) {
	path, found := belowOCSP(r.URI().PathOriginal())
	switch {
	case !found:
		return nil, ""
	case unusual(r.Header.RawHeaders()):
		return nil, ""
	case r.Header.IsGet() && len(path) > 1 && path[0] == '/' && len(r.Body()) == 0:
		asked, err := pki.DecodeGET(string(path[1:]))
		if err != nil {
			return nil, ""
		}
		return asked, getOCSP
	case r.Header.IsPost() && len(path) == 0 && bytes.Equal(r.Header.ContentType(), ocspRequest):
		return r.Body(), postOCSP
	}
	return nil, ""
}

// belowOCSP is what stands behind the responder's address, or that of a further
// issuer's, which has sixteen digits in it.
func belowOCSP(path []byte) (rest []byte, found bool) {
	const digits = 16
	if rest, found = bytes.CutPrefix(path, ocspPath); found || len(path) < len(pkiPath)+digits || !bytes.HasPrefix(path, pkiPath) {
		return rest, found
	}
	return bytes.CutPrefix(path[len(pkiPath)+digits:], []byte("/ocsp"))
}

// unusual tells of headers that the long way judges.
func unusual(raw []byte) bool {
	types := 0
	for line := range bytes.Lines(raw) {
		at := bytes.IndexByte(line, ':')
		if at != len("content-type") && at != len("content-encoding") && at != len("transfer-encoding") {
			continue
		}
		name := line[:at]
		switch {
		case bytes.EqualFold(name, []byte("content-encoding")), bytes.EqualFold(name, []byte("transfer-encoding")):
			return true
		case bytes.EqualFold(name, []byte("content-type")):
			types++
		}
	}
	return types > 1
}

// cacheControl is what RFC 9919 §6.2 lets caches know.
func cacheControl(a pki.Answer) string {
	return "public, max-age=" + strconv.Itoa(int(a.MaxAge.Seconds())) + ", no-transform, must-revalidate"
}
