package policies

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/domain/event"
	"govahi/domain/event/spec"
)

var noon = time.Date(2026, time.November, 1, 8, 30, 0, 0, time.UTC)

// house is what policies need: a log with a past, and an App on it.
type house struct {
	*commands.App
	*testing.T
	keeper *spec.Keeper
	vault  *vault
	signer *signer
}

func newHouse(t *testing.T) *house {
	log, keeper := memlog.New(), spec.NewKeeper()
	s := &signer{log: log}
	app := &commands.App{
		Log: log, Standing: commands.NewStanding(log), Keeper: keeper, Secrets: secrets{}, Authority: authority{}, Signer: s, Handler: "handler-1",
		Terms: commands.DefaultTerms(), Clock: func() time.Time { return noon }, Step: func(string) {},
	}
	return &house{app, t, keeper, &vault{}, s}
}

// given appends a stream's past and returns the last event.
func given[S any](h *house, kind event.Kind[S], id string, events ...event.Event) event.Recorded {
	h.Helper()
	stream := kind.Stream(id)
	past := h.read(stream)
	meta := event.Meta{CommandID: fmt.Sprint("given/", stream, len(past)), Actor: "test", At: noon, Correlation: id}
	proposed, err := kind.Encode(h.Context(), h.keeper, stream, meta, events)
	if err != nil {
		h.Fatal(err)
	}
	if _, err := h.Log.Append(h.Context(), stream, event.Expected(len(past))-1, proposed...); err != nil {
		h.Fatal(err)
	}
	all := h.read(stream)
	return all[len(all)-1]
}

func (h *house) read(s event.Stream) []event.Recorded {
	h.Helper()
	var all []event.Recorded
	for r, err := range h.Log.Read(h.Context(), s, 0) {
		if err != nil {
			h.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func (h *house) head() event.Position {
	h.Helper()
	p, err := h.Log.Head(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return p
}

// since lists the stored names of what was appended after a position.
func (h *house) since(p event.Position) string {
	h.Helper()
	all, err := event.ReadBatch(h.Context(), h.Log, p, 1000)
	if err != nil {
		h.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, r.Type)
	}
	return strings.Join(names, " ")
}

type secrets struct{}

func (secrets) Derive(purpose string, parts ...string) []byte {
	id := event.DeriveID(append([]string{purpose}, parts...)...)
	return append(id[:], id[:]...)
}

type vault struct{ destroyed []event.Subject }

func (v *vault) Destroy(_ context.Context, s event.Subject) error {
	v.destroyed = append(v.destroyed, s)
	return nil
}
