package http

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestACodingCannotHideBehindAnEmptyOne: Fiber unpacks by the last of the lines,
// past the limit on bodies: an outsider's mebibyte would become gigabytes here.
func TestACodingCannotHideBehindAnEmptyOne(t *testing.T) {
	h := open(t, func(s *Server) {
		PublicRaw(s, Operation{ID: "fill-in", Method: "POST", Path: "/form", Type: "text/plain"},
			func(_ context.Context, in *struct {
				RawBody []byte `contentType:"application/x-www-form-urlencoded"`
			},
			) (Raw, error) {
				return Raw{Body: in.RawBody}, nil
			})
	})
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	fmt.Fprint(w, strings.Repeat("a", 1<<10))
	w.Close()
	for _, codings := range []string{"Content-Encoding:\r\nContent-Encoding: gzip\r\n", "Content-Encoding: gzip\r\nContent-Encoding:\r\n", "Content-Encoding:\r\n"} {
		a := h.send(fmt.Sprintf("POST /form HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s", formType, packed.Len(), codings, packed.String()))
		if p := a.problem(t); p.Status != 400 || p.Code != "media-type-unsupported" {
			t.Errorf("%q: %s", codings, a.body)
		}
	}
}

// TestAHeaderOfOneMeaningComesOnce: a front end may have looked at the other one.
func TestAHeaderOfOneMeaningComesOnce(t *testing.T) {
	h := open(t, things)
	head := "POST /things/7 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 26\r\n"
	headers := h.commanding("applicant", "k")
	for i := 0; i < len(headers); i += 2 {
		head += headers[i] + ": " + headers[i+1] + "\r\n"
	}
	body := "\r\n" + `{"name":"anvil","count":1}`
	if a := h.send(head + body); a.StatusCode != 201 {
		t.Fatalf("each once: %d %s", a.StatusCode, a.body)
	}
	for _, again := range []string{"Authorization: Bearer canary", "idempotency-key: canary", "Idempotency-Key: k", "content-type: application/json", "CONTENT-TYPE: canary"} {
		a := h.send(head + again + "\r\n" + body)
		if p := a.problem(t); p.Status != 400 || p.Code != "header-repeated" || strings.Contains(string(a.body), "canary") {
			t.Errorf("%s: %s", again, a.body)
		}
	}
}

// TestNothingFollowsARequestOfTwoLengths: what a front end took for the end of
// its body would here be the next caller's request (RFC 9112 §6.1).
func TestNothingFollowsARequestOfTwoLengths(t *testing.T) {
	h := open(t, things)
	for _, method := range []string{"POST", "GET", "get"} {
		conn := h.dial()
		fmt.Fprintf(conn, "%s /health/live HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: h\r\n\r\n", method)
		answers := bufio.NewReader(conn)
		first, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(first.Body)
		if !first.Close || first.StatusCode != 400 {
			t.Errorf("%s: %d %s", method, first.StatusCode, body)
		}
		if rest, _ := io.ReadAll(answers); len(rest) > 0 {
			t.Errorf("%s: then came %s", method, rest)
		}
		conn.Close()
	}
}
