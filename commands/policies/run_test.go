package policies

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/domain/certificate"
	"govahi/domain/event"
)

// unsaved is a place for checkpoints that is down.
type unsaved struct {
	*kept
	tried chan event.Position
}

func (u unsaved) Save(_ context.Context, _ string, last event.Recorded) (bool, error) {
	u.tried <- last.Position
	return true, errors.New("down")
}

// silent is a feed that brings nothing: the log serves.
type silent struct{}

func (silent) Fetch(ctx context.Context, _ int) ([]event.Message, error) {
	pause(ctx, 10*time.Millisecond)
	return nil, ctx.Err()
}

// TestAnUnsavedCheckpointIsNoIllness: a house without news would look ill until
// the next event, long after PostgreSQL is back.
func TestAnUnsavedCheckpointIsNoIllness(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	checkpoints := unsaved{memory(), make(chan event.Position, 100)}
	r := Runner{
		Name: "test", App: &commands.App{Log: memlog.New(), Clock: time.Now}, Feed: silent{}, Checkpoints: checkpoints,
		Policies: []Policy{{Name: "nothing-on-anything", catalog: certificate.Catalog}}, Report: slog.New(slog.DiscardHandler),
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stands(ctx, t, 1)
	r.stands(ctx, t, r.append(t))
	select {
	case <-checkpoints.tried:
	case <-ctx.Done():
		t.Error("no checkpoint was tried")
	}
	cancel()
	<-ended
}

// stands waits until the runner has come so far, in good health.
func (r *Runner) stands(ctx context.Context, t *testing.T, want event.Position) {
	t.Helper()
	at, err := r.Status()
	for ; (at < want || err != nil) && ctx.Err() == nil; at, err = r.Status() {
		pause(ctx, time.Millisecond)
	}
	if ctx.Err() != nil {
		t.Fatalf("at %d of %d: %v", at, want, err)
	}
}

func (r *Runner) append(t *testing.T) event.Position {
	t.Helper()
	receipt, err := r.App.Log.Append(t.Context(), "thing-1", event.NoStream,
		event.Proposed{ID: event.DeriveID("thing"), Type: "thing.made.v1", Data: []byte("{}"), Meta: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	return receipt.Position
}
