package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// drawn is what a work of fourteen seconds and 1,000 events shows, at an even speed,
// behind 200 that an earlier run had done.
func drawn(t *testing.T, terminal bool) string {
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		p := newProgress(&out, terminal, "rebuild", "events", 0)
		go p.run()
		synctest.Wait()
		p.resume(200)
		p.of(1200)
		for range 20 {
			time.Sleep(700 * time.Millisecond)
			p.add(50)
		}
		p.end()
	})
	return out.String()
}

func TestProgressIsLinesWhereNobodyLooks(t *testing.T) {
	want := "  rebuild      0 events\n" +
		"  rebuild      75 % of 1200 events, 70/s, 4.3s left\n" +
		"  rebuild      1200 events in 14s, 71/s\n"
	got := drawn(t, false)
	if got != want {
		t.Errorf("it said\n%s", got)
	}
}

func TestProgressIsABarOnATerminal(t *testing.T) {
	got := drawn(t, true)
	for _, want := range []string{
		"\r  rebuild      [" + strings.Repeat("█", 22) + strings.Repeat(" ", 8) + "] 75 % of 1200 events, 70/s, 4.3s left\x1b[K\r",
		"\r  rebuild      1200 events in 14s, 71/s\x1b[K\r\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	if strings.Count(got, "\n") != 1 {
		t.Error("it leaves more than one line")
	}
}

func TestAWorkThatWasNotFinishedSaysSo(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, false, "import", "events", 100)
	go p.run()
	p.at(40)
	p.end()
	if !strings.Contains(out.String(), "  import       40 of 100 events in ") {
		t.Errorf("it said %s", &out)
	}
}

func TestNothingIsDrawnOnWhatIsNoTerminal(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	must(t, err)
	defer func() { _ = null.Close() }()
	if isTerminal(null) {
		t.Error("nobody looks at /dev/null")
	}
}
