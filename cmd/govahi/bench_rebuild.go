package main

import (
	"context"
	"fmt"
	"time"

	"govahi/domain/event"
	"govahi/projections"
)

// rebuild measures how long all views take to be built anew from the whole log,
// beside reading it once and writing the same rows from memory.
func (r *benchRun) rebuild(ctx context.Context) error {
	h, err := r.history(ctx)
	if err != nil {
		return err
	}
	v, err := h.viewing(ctx, r.sampled/3, projections.All()...)
	if err != nil {
		return err
	}
	defer v.pool.Close()
	read, count, err := r.bareRead(ctx, h)
	if err != nil {
		return err
	}
	r.step(fmt.Sprintf("rebuilding all views from %d events", count))
	ours, txs, err := r.rebuilt(ctx, v)
	if err != nil {
		return err
	}
	r.step(fmt.Sprintf("the rows of the first %d events, from memory", v.events))
	write, err := v.rewritten(ctx, txs)
	if err != nil {
		return err
	}
	again, _, err := r.bareRead(ctx, h)
	if err != nil {
		return err
	}
	read, write = (read+again)/2, write*time.Duration(count)/time.Duration(v.events)
	rate := func(took time.Duration) []float64 { return []float64{float64(count) / took.Seconds()} }
	r.report.add(pair{rate(ours), rate(read + write)}.figure("rebuild", "rebuild of all views", "events/s").atLeast(0.5).noted(
		"reading %d events once took %.1f s, the upserts %.1f s, of which those for the first %d events were made and the others reckoned",
		count, read.Seconds(), write.Seconds(), v.events))
	r.report.add(figure{Row: "rebuild", What: fmt.Sprintf("rebuild of all views from %d events", count), Unit: "s", Ours: ours.Seconds()}.atMost(60))
	return nil
}

func (r *benchRun) bareRead(ctx context.Context, h *home) (took time.Duration, count int, err error) {
	r.step("reading the log")
	began := time.Now()
	_, count, err = endOf(ctx, h.log, 0)
	return time.Since(began), count, err
}

// rebuilt builds all views of the house anew, and tells where one of them ended
// its transactions. It is done once: the house's views are current then.
func (r *benchRun) rebuilt(ctx context.Context, v *viewing) (took time.Duration, txs []event.Position, err error) {
	head, err := v.log.Head(ctx)
	if err != nil {
		return 0, nil, err
	}
	for _, p := range v.views {
		if err := projections.Rebuild(ctx, v.house.views, p.Name); err != nil {
			return 0, nil, err
		}
	}
	hear, err := listen(ctx, v.house.views, projections.Requests.Name+"_next")
	if err != nil {
		return 0, nil, err
	}
	err = r.profile("rebuild", func() (err error) { took, err = v.project(ctx, v.house.views, head); return err })
	if err != nil {
		return 0, nil, err
	}
	txs, err = hear()
	r.current = true
	return took, txs, err
}

// rewritten is how long the rows of the sample take.
func (v *viewing) rewritten(ctx context.Context, txs []event.Position) (time.Duration, error) {
	all, err := v.record(ctx, upTo(txs, v.end))
	if err != nil {
		return 0, err
	}
	var took []float64
	for range 3 {
		t, err := rewrite(ctx, v.pool, all)
		if err != nil {
			return 0, err
		}
		took = append(took, float64(t))
	}
	return time.Duration(median64(took)), nil
}

// upTo are the ends of transactions within a sample, which ends with one.
func upTo(txs []event.Position, end event.Position) (within []event.Position) {
	for _, at := range txs {
		if at < end {
			within = append(within, at)
		}
	}
	return append(within, end)
}

// uptodate has the house's views show all of the log, for rows that need that.
func (r *benchRun) uptodate(ctx context.Context, h *home) error {
	if r.current {
		return nil
	}
	r.step("building the views")
	v := &viewing{home: h, views: projections.All()}
	_, _, err := r.rebuilt(ctx, v)
	return err
}
