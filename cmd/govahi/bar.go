package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows how far something is, how fast, and what time is left: drawn on a
// terminal, a line now and then elsewhere. Done and total are bytes of the log,
// which are known from its positions; events are counted beside them.
type bar struct {
	what   string
	out    io.Writer
	drawn  *progressbar.ProgressBar // nil where there is no terminal, or nothing to show yet
	began  time.Time
	said   time.Time
	total  uint64
	events uint64
}

// sayEvery is how often a line is written where nothing can be drawn.
const sayEvery = 5 * time.Second

func newBar(what string, total uint64) *bar {
	return &bar{what: what, out: os.Stderr, began: time.Now(), said: time.Now(), total: total}
}

func (b *bar) draw() *progressbar.ProgressBar {
	return progressbar.NewOptions64(int64(b.total), progressbar.OptionSetWriter(b.out), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription(b.what), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// at says how far it is; the total may grow on the way.
func (b *bar) at(done, total, events uint64) {
	b.total, b.events = max(total, done), events
	if b.drawn == nil && b.total > 0 && isTerminal(os.Stderr) {
		b.drawn = b.draw()
	}
	if b.drawn != nil {
		if events > 0 {
			b.drawn.Describe(fmt.Sprintf("%s, %.0f events/s", b.what, b.rate()))
		}
		b.drawn.ChangeMax64(int64(b.total))
		_ = b.drawn.Set64(int64(done))
		return
	}
	if time.Since(b.said) >= sayEvery {
		b.said = time.Now()
		b.say(done)
	}
}

func (b *bar) rate() float64 { return float64(b.events) / time.Since(b.began).Seconds() }

func (b *bar) say(done uint64) {
	took := time.Since(b.began)
	left := time.Duration(float64(took) * (float64(b.total)/max(float64(done), 1) - 1)).Round(time.Second)
	_, _ = fmt.Fprintf(b.out, "%s: %d %%, %s of %s, %.0f events/s, %v left\n",
		b.what, 100*done/max(b.total, 1), mebibytes(done), mebibytes(b.total), b.rate(), left)
}

// end clears the bar.
func (b *bar) end() {
	if b.drawn != nil {
		_ = b.drawn.Clear()
	}
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
