// Package payment pays fees at banks' pages (domain §5.5). The gateways of the
// country have two shapes: Verifying is request, redirect, callback, verify, in
// JSON; Settling has a settlement of its own, in SOAP. Both are told by
// configuration whom they call; package simulator is a bank for each.
package payment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// The limits of one call. No bank's answer is long.
const (
	callWithin  = 10 * time.Second
	answerLimit = 64 << 10 // bytes
)

// client follows no redirect: a bank's answer comes from the address that was
// configured.
var client = &http.Client{
	Timeout:       callWithin,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// errAnswer reports an answer that cannot be understood. It quotes none of it:
// it may hold credentials or a card.
var errAnswer = errors.New("payment: the bank's answer cannot be understood")

// post sends a body and returns the answer's, of an accepted status.
func post(ctx context.Context, url, contentType string, body []byte, header map[string]string, accept ...int) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("payment: the bank's address is none") // the text may hold credentials
	}
	request.Header.Set("Content-Type", contentType)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("payment: the bank does not answer: %w", errors.Unwrap(err))
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	if err != nil {
		return nil, fmt.Errorf("payment: the bank's answer broke off: %w", err)
	}
	for _, status := range accept {
		if answer.StatusCode == status {
			return text, nil
		}
	}
	return nil, fmt.Errorf("%w: status %d", errAnswer, answer.StatusCode)
}
