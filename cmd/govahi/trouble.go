package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"govahi/adapters/mail"
	"govahi/adapters/registry"
	"govahi/adapters/sso"
	"govahi/commands"
	"govahi/domain/fault"
)

// What tests do to an instance from outside, in development only. GOVAHI_CRASH
// kills it between two steps. GOVAHI_TROUBLE names a directory whose files are
// looked at on each use, so that a test changes them under way (by a rename, so
// that none is read half written):
//
//	registry, mail   "down", or "slow 3s": each call takes so much longer
//	answers          lines of a person's code and a message code of the registry: it
//	                 answers so about him from now on
//	clock            a duration such as "-1h", added to the wall clock
//	bus              "delete": the JetStream stream, once; then the file is removed
const (
	crashHook   = "GOVAHI_CRASH"
	troubleHook = "GOVAHI_TROUBLE"
)

// refuseHooks keeps them away from where people are real.
func refuseHooks(mode sso.Mode) error {
	for _, hook := range []string{crashHook, troubleHook, profileHook} {
		if mode != sso.Development && os.Getenv(hook) != "" {
			return fault.Remark(hook, "تنها برای آزمون در development است؛ آن را بردارید.", "it is for tests in development mode: unset it")
		}
	}
	return nil
}

// trouble is what the file says; nothing without a directory or the file.
func trouble(name string) string {
	dir := os.Getenv(troubleHook)
	if dir == "" {
		return ""
	}
	text, _ := os.ReadFile(filepath.Join(dir, name)) // a file that is not there is no trouble
	return strings.TrimSpace(string(text))
}

// now is the wall clock, in UTC.
func now() time.Time {
	shift, _ := time.ParseDuration(trouble("clock")) // nothing is no shift
	return time.Now().Add(shift).UTC()
}

// misbehave is how a simulated server of the world outside does before it answers.
func misbehave(ctx context.Context, name string, down error) error {
	how, duration, _ := strings.Cut(trouble(name), " ")
	if how == "" {
		return nil
	}
	slow, err := time.ParseDuration(duration)
	if how != "slow" || err != nil {
		return down
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(slow):
		return nil
	}
}

// simulatedRegistry is the simulator, with the trouble that a test makes.
type simulatedRegistry struct{ *registry.Simulator }

func (r simulatedRegistry) Inquire(ctx context.Context, id string, q commands.RegistryQuestion) (commands.RegistryAnswer, error) {
	if err := misbehave(ctx, "registry", registry.ErrDown); err != nil {
		return commands.RegistryAnswer{}, err
	}
	for line := range strings.Lines(trouble("answers")) {
		person, message, _ := strings.Cut(strings.TrimSpace(line), " ")
		r.Says(person, message)
	}
	return r.Simulator.Inquire(ctx, id, q)
}

// simulatedMail is the outbox, with the trouble that a test makes.
type simulatedMail struct{ *mail.Outbox }

var errMailDown = errors.New("the simulated mail server is down")

func (m simulatedMail) Send(ctx context.Context, message commands.Mail) error {
	if err := misbehave(ctx, "mail", errMailDown); err != nil {
		return err
	}
	return m.Outbox.Send(ctx, message)
}
