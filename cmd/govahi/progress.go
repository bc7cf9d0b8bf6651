package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// progress tells how far a long work is, how fast it goes and how long it will
// take: a bar on a terminal, elsewhere a line now and then. Any goroutine may
// move it; whoever began it ends it.
type progress struct {
	out        io.Writer
	terminal   bool
	what, unit string // such as "rebuild", "events"
	began      time.Time
	first      atomic.Int64 // what an earlier run had done: no part of the speed
	done       atomic.Int64
	total      atomic.Int64 // 0: nobody knows
	stop, over chan struct{}
}

const (
	drawEvery = 100 * time.Millisecond
	lineEvery = 10 * time.Second
	barWidth  = 30
)

// beginProgress begins at zero of a total, which may be 0 and set later by of.
func beginProgress(what, unit string, total int64) *progress {
	p := newProgress(os.Stderr, isTerminal(os.Stderr), what, unit, total)
	go p.run()
	return p
}

func newProgress(out io.Writer, terminal bool, what, unit string, total int64) *progress {
	p := &progress{
		out: out, terminal: terminal, what: what, unit: unit, began: time.Now(),
		stop: make(chan struct{}), over: make(chan struct{}),
	}
	p.total.Store(total)
	return p
}

// add counts what was done now.
func (p *progress) add(n int64) { p.done.Add(n) }

// at says how much is done altogether.
func (p *progress) at(n int64) { p.done.Store(n) }

// of changes the total.
func (p *progress) of(total int64) { p.total.Store(total) }

// resume begins behind what an earlier run had done.
func (p *progress) resume(n int64) {
	p.first.Store(n)
	p.done.Store(n)
}

// end leaves one line that says what was done, and how fast.
func (p *progress) end() {
	close(p.stop)
	<-p.over
}

func (p *progress) run() {
	defer close(p.over)
	every := lineEvery
	if p.terminal {
		every = drawEvery
	} else {
		p.line("\n")
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			p.summary()
			return
		case <-tick.C:
			p.show()
		}
	}
}

func (p *progress) show() {
	if p.terminal {
		p.line(clearLine)
		return
	}
	p.line("\n")
}

// clearLine erases what stands behind the cursor, and goes back to its line's
// beginning (ECMA-48 §8.3.41).
const clearLine = "\x1b[K\r"

func (p *progress) line(end string) {
	done, total := p.done.Load(), p.total.Load()
	text := fmt.Sprintf("  %-12s ", p.what)
	if total > 0 {
		done = min(done, total)
		if p.terminal {
			filled := int(barWidth * done / total)
			text += "[" + strings.Repeat("█", filled) + strings.Repeat(" ", barWidth-filled) + "] "
		}
		text += fmt.Sprintf("%d %% of %d %s", 100*done/total, total, p.unit)
	} else {
		text += fmt.Sprintf("%d %s", done, p.unit)
	}
	_, _ = io.WriteString(p.out, text+p.speed(time.Since(p.began), done, total)+end)
}

// speed is empty until something was done, and for what took no time: nothing can
// be said then.
func (p *progress) speed(took time.Duration, done, total int64) string {
	fresh := done - p.first.Load()
	if fresh <= 0 || took < drawEvery {
		return ""
	}
	text := fmt.Sprintf(", %.0f/s", float64(fresh)/took.Seconds())
	if left := total - done; left > 0 {
		text += fmt.Sprintf(", %s left", roughly(time.Duration(float64(took)*float64(left)/float64(fresh))))
	}
	return text
}

func (p *progress) summary() {
	done, total, took := p.done.Load(), p.total.Load(), time.Since(p.began)
	text := fmt.Sprintf("  %-12s %d", p.what, done)
	if done < total {
		text += fmt.Sprintf(" of %d", total)
	}
	text += fmt.Sprintf(" %s in %s%s", p.unit, roughly(took), p.speed(took, done, 0))
	if p.terminal {
		text += clearLine
	}
	_, _ = io.WriteString(p.out, text+"\n")
}

// roughly leaves out what nobody reads.
func roughly(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// isTerminal tells a screen from a file, a pipe or /dev/null.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
