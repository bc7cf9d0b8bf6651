package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// client speaks to the HTTP door as one persona after another. It knows nothing
// that a front end would not.
type client struct {
	base   string
	token  func(persona string) (string, error)
	tokens map[string]string
	http   http.Client
	after  string // Govahi-Position of the latest command

	officers officers // whose tokens sign
}

func newClient(base string, token func(string) (string, error)) *client {
	// A transport of its own: the default one keeps two connections for all.
	own := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{IdleConnTimeout: 5 * time.Second}}
	return &client{base: base, token: token, tokens: map[string]string{}, http: own}
}

// refusal is a problem+json answer.
type refusal struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Field  string `json:"field"`
}

func (r refusal) Error() string {
	return fmt.Sprintf("%d %s: %s %s", r.Status, r.Code, r.Field, r.Detail)
}

// post sends a command; into may be nil.
func (c *client) post(ctx context.Context, persona, key, path string, body, into any) error {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(data)
	}
	header := map[string]string{"Content-Type": "application/json", "Idempotency-Key": key}
	data, err := c.do(ctx, persona, "POST", path, payload, header)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// get asks, and waits for the view to show the latest command.
func (c *client) get(ctx context.Context, persona, path string, into any) error {
	data, err := c.raw(ctx, persona, path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (c *client) raw(ctx context.Context, persona, path string) ([]byte, error) {
	if c.after != "" {
		path += "?after=" + c.after
	}
	return c.do(ctx, persona, "GET", path, nil, nil)
}

func (c *client) do(ctx context.Context, persona, method, path string, body io.Reader, header map[string]string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Language", "en")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	if err := c.sign(r, persona); err != nil {
		return nil, err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if position := answer.Header.Get("Govahi-Position"); position != "" {
		c.after = position
	}
	if answer.StatusCode >= 300 {
		problem := refusal{Status: answer.StatusCode}
		_ = json.Unmarshal(data, &problem)
		return data, problem
	}
	return data, nil
}

func (c *client) sign(r *http.Request, persona string) error {
	if persona == "" {
		return nil
	}
	if c.tokens[persona] == "" {
		token, err := c.token(persona)
		if err != nil {
			return err
		}
		c.tokens[persona] = token
	}
	r.Header.Set("Authorization", "Bearer "+c.tokens[persona])
	return nil
}
