package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// line is how the workstation reaches the house. The bearer token is never an
// argument: those are seen by everybody on the machine.
type line struct {
	Server string        `required:"" env:"GOVAHI_SERVER" help:"URL of the house: https, or http on this machine."`
	Bearer string        `type:"path" env:"GOVAHI_BEARER_FILE" help:"File with your bearer token; else the environment variable GOVAHI_BEARER holds it."`
	Wait   time.Duration `default:"2m" help:"How long to wait for the house, the CA or an approval. What was begun is gone on with when the command is repeated."`
}

// door is the house as a workstation sees it.
type door struct {
	base, bearer string
	http         http.Client
	after        string // Govahi-Position of the latest command
}

const (
	pause   = 250 * time.Millisecond // between two looks
	answers = 20 * time.Second       // for one answer
)

// call does some work with the house, for as long as the officer waits.
func (l line) call(work func(context.Context, *door) error) error {
	d, err := l.door()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.Wait)
	defer cancel()
	return work(ctx, d)
}

func (l line) door() (*door, error) {
	bearer, err := l.bearer()
	if err != nil {
		return nil, err
	}
	if !private(l.Server) {
		return nil, errOpenLine
	}
	d := &door{base: strings.TrimRight(l.Server, "/"), bearer: bearer}
	d.http = http.Client{Timeout: answers, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the token is for this house and no other
	}}
	return d, nil
}

func (l line) bearer() (string, error) {
	text := os.Getenv("GOVAHI_BEARER")
	if l.Bearer != "" {
		data, err := os.ReadFile(l.Bearer)
		if err != nil {
			return "", err
		}
		text = string(data)
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", errNoBearer
	}
	return text, nil
}

// private tells whether nobody on the way reads what is sent there.
func private(server string) bool {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// post sends a command under a key; it may be sent any number of times.
func (d *door) post(ctx context.Context, key, path string, body, into any) error {
	payload, err := json.Marshal(body)
	if err != nil {
		return err
	}
	data, err := d.patient(ctx, "POST", path, key, payload)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// get asks, and waits for the view to show the latest command.
func (d *door) get(ctx context.Context, path string, into any) error {
	data, err := d.raw(ctx, path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (d *door) raw(ctx context.Context, path string) ([]byte, error) {
	if d.after != "" {
		path += "?after=" + url.QueryEscape(d.after)
	}
	return d.patient(ctx, "GET", path, "", nil)
}

// patient asks again while the house is away: a key makes that harmless. A
// refusal is asked for in the other language, too; whoever is answered then was
// refused by what is over.
func (d *door) patient(ctx context.Context, method, path, key string, payload []byte) ([]byte, error) {
	for {
		data, err := d.once(ctx, "fa", method, path, key, payload)
		var persian refusal
		switch {
		case err == nil:
			return data, nil
		case errors.As(err, &persian) && !persian.passing():
			data, err = d.once(ctx, "en", method, path, key, payload)
			var english refusal
			if !errors.As(err, &english) {
				english = persian
			}
			if err == nil {
				return data, nil
			}
			return nil, persian.in(english)
		}
		if wait(ctx, pause) != nil {
			return nil, errAway.because(err)
		}
	}
}

func (d *door) once(ctx context.Context, language, method, path, key string, payload []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Language", language)
	r.Header.Set("Authorization", "Bearer "+d.bearer)
	if key != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", key)
	}
	answer, err := d.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		refused := refusal{Status: answer.StatusCode}
		_ = json.Unmarshal(data, &refused) // what is no problem+json is told by its status
		return nil, refused
	}
	d.after = cmp.Or(answer.Header.Get("Govahi-Position"), d.after)
	return data, nil
}

// refusal is a problem+json answer (RFC 9457).
type refusal struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Field  string `json:"field"`
}

func (r refusal) Error() string { return fmt.Sprintf("%d %s", r.Status, r.Code) }

// passing refusals end by themselves.
func (r refusal) passing() bool {
	switch r.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// in is the refusal in both languages, for the officer.
func (r refusal) in(english refusal) error {
	about := cmp.Or(r.Code, fmt.Sprintf("HTTP %d", r.Status))
	if r.Field != "" {
		about += ", " + r.Field
	}
	return stop{
		exit: exitRefused, status: r.Status,
		fa: cmp.Or(r.Detail, "سامانه این کار را نپذیرفت؛ نشانی سامانه را بازبینی کنید.") + " [" + about + "]",
		en: cmp.Or(english.Detail, "The house refused this; check its URL.") + " [" + about + "]",
	}
}

// wait is a pause that ends with the officer's patience.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
