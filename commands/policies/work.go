package policies

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"govahi/commands"
)

// workEvery bounds how late a due item is seen.
const workEvery = 100 * time.Millisecond

// Worker does what a to-do view lists, several at once, so that one slow
// server holds nothing else up.
type Worker struct {
	Name   string
	Due    func(ctx context.Context, now time.Time, limit int) ([]string, error)
	Do     func(ctx context.Context, c commands.Caller, id string) error
	Clock  func() time.Time
	Report *slog.Logger
}

// Run works until the context ends.
func (w Worker) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		ids, err := w.Due(ctx, w.Clock(), 4*parallel)
		if err != nil {
			pause(ctx, 2*workEvery)
			continue
		}
		w.work(ctx, ids)
		pause(ctx, workEvery)
	}
	return ctx.Err()
}

func (w Worker) work(ctx context.Context, ids []string) {
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for _, id := range ids {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := w.Do(ctx, commands.Caller{Policy: w.Name}, id); err != nil && ctx.Err() == nil {
				w.Report.Warn("work waits", "worker", w.Name, "item", id, "error", err)
			}
		})
	}
	wg.Wait()
}
