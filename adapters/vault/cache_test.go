package vault

import (
	"testing"
	"time"
)

func TestCacheIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	c := newCache[int, int](2, time.Minute, func() time.Time { return now })
	c.put(1, 1, c.generation())
	c.put(2, 2, c.generation())
	c.get(1)
	c.put(3, 3, c.generation())
	for key, want := range map[int]bool{1: true, 2: false, 3: true} {
		if _, ok := c.get(key); ok != want {
			t.Errorf("%d: %v", key, ok)
		}
	}
}

// TestCacheKeepsNothingThatWasDroppedWhileItWasLoaded is a reader that fetched
// a key just before it was destroyed, and comes to store it just after.
func TestCacheKeepsNothingThatWasDroppedWhileItWasLoaded(t *testing.T) {
	c := newCache[int, int](2, time.Minute, time.Now)
	for name, drop := range map[string]func(){"drop": func() { c.drop(1) }, "clear": c.clear} {
		generation := c.generation()
		drop()
		c.put(1, 1, generation)
		if _, ok := c.get(1); ok {
			t.Errorf("after %s it is there", name)
		}
	}
}

func TestCacheForgetsWhenTheClockIsSetBack(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCache[int, int](2, time.Minute, func() time.Time { return now })
	c.put(1, 1, c.generation())
	now = now.Add(-time.Second)
	if _, ok := c.get(1); ok {
		t.Error("an entry from the future")
	}
}
