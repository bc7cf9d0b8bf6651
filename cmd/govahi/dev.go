package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"govahi/adapters/mail"
	"govahi/adapters/sso"
	"govahi/domain/fault"
)

// dev is refused outside development mode.
type dev struct {
	Token  devToken  `cmd:"" help:"Print a bearer token for a persona."`
	Seed   devSeed   `cmd:"" help:"Give a new instance an office, a unit, a tariff, stock, and each persona his appointment."`
	Bounce devBounce `cmd:"" help:"Let a message of the outbox come back, as a mail server would report it."`
	Outbox devOutbox `cmd:"" help:"Print the messages that were sent."`
}

var errNotDevelopment = errors.New("این خانه در حال توسعه نیست؛ ابزارهای افراد ساختگی در آن کار نمی‌کنند.\nthis instance is not in development mode: helpers for invented people are refused")

// devInstance is a development instance with a door.
type devInstance struct {
	attached
	Base     string `env:"GOVAHI_BASE" help:"Public http URL of the instance's door; default: what the instance itself says."`
	Audience string `env:"GOVAHI_OIDC_AUDIENCE" default:"govahi" help:"Audience that tokens must name."`
}

// doorFile is where an instance says under which URL it answers.
const doorFile = "door"

func (i devInstance) base() string {
	d, err := i.data()
	if i.Base != "" || err != nil {
		return i.Base
	}
	text, _ := os.ReadFile(d.path(doorFile)) // an instance that never ran has none
	return strings.TrimSpace(string(text))
}

// open checks the mode before anything else.
func (i devInstance) open() (data, error) {
	d, err := i.data()
	if err != nil {
		return d, err
	}
	switch d.modeOf() {
	case sso.Development:
		return d, nil
	case "":
		return d, errNotRunning
	}
	return d, errNotDevelopment
}

func devIssuer(base string) string { return base + "/dev/oidc" }

func openIssuer(d data, base, audience string) (*sso.Issuer, error) {
	if err := os.MkdirAll(d.path("dev"), 0o700); err != nil {
		return nil, err
	}
	return sso.NewIssuer(d.modeOf(), d.path("dev"), sso.Config{Issuer: devIssuer(base), Audience: audience, Clock: now})
}

type devToken struct {
	devInstance
	Persona string        `arg:"" help:"Name of the persona."`
	For     time.Duration `default:"8h" help:"How long the token is good."`
}

// Run prints the token and nothing else, for use in a shell.
func (t devToken) Run() error {
	d, err := t.open()
	if err != nil {
		return err
	}
	issuer, err := openIssuer(d, t.base(), t.Audience)
	if err != nil {
		return err
	}
	token, err := issuer.Token(t.Persona, t.For)
	if err == nil {
		fmt.Println(token)
	}
	return err
}

type devBounce struct {
	devInstance
	Message string `arg:"" help:"ID of the message, as its file in the outbox is called."`
	Status  string `default:"5.1.1" help:"Status of the delivery (RFC 3463): 5.x.x for good, 4.x.x for now."`
}

// Run delivers the report.
func (b devBounce) Run() error {
	d, err := b.open()
	if err != nil {
		return err
	}
	outbox, err := mail.OpenOutbox(d.path("outbox"))
	if err != nil {
		return err
	}
	bounces, err := mail.OpenBounces(d.path("bounces"))
	if err != nil {
		return err
	}
	return outbox.Bounce(bounces, b.Message, b.Status)
}

type devOutbox struct{ devInstance }

// Run prints each message.
func (o devOutbox) Run() error {
	d, err := o.open()
	if err != nil {
		return err
	}
	outbox, err := mail.OpenOutbox(d.path("outbox"))
	if err != nil {
		return err
	}
	messages, err := outbox.Messages()
	if len(messages) == 0 {
		fmt.Fprintln(os.Stderr, "no message was sent yet")
	}
	for _, m := range messages {
		fmt.Printf("%s  %s\n%s\n\n%s\n----\n", m.At.Format(time.DateTime), m.To, m.Subject, m.Body)
	}
	return err
}

// said is a refusal in both languages, for a terminal.
func said(err error) error {
	if f, ok := fault.Of(err); ok {
		fmt.Fprintln(os.Stderr, f.Text.Fa)
		return errors.New(f.Text.En)
	}
	return err
}
