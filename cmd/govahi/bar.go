package main

import "sync"

// bar is progress through something whose length is known in bytes: of files, or
// of the log by its positions.
type bar struct {
	*progress
	ended func()
}

func newBar(what string, total uint64) *bar { return startBar(what, "bytes", total) }

// newEventBar counts events; how many there will be is reckoned from the bytes.
func newEventBar(what string) *bar { return startBar(what, "events", 0) }

func startBar(what, unit string, total uint64) *bar {
	p := beginProgress(what, unit, int64(total))
	return &bar{p, sync.OnceFunc(p.end)}
}

// reach says how far it is; the total may grow on the way.
func (b *bar) reach(done, total uint64) {
	b.of(int64(max(done, total)))
	b.at(int64(done))
}

// reachEvents does so by the events before a position, of a log up to its head.
func (b *bar) reachEvents(events, position, head uint64) {
	b.reach(events, uint64(float64(events)*float64(head)/float64(max(position, 1))))
}
