package limits

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func hourly(max int) (*Tries, *time.Time) {
	now := time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	return &Tries{Max: max, Within: time.Hour, Clock: func() time.Time { return now }}, &now
}

func TestTriesEndAndBeginAgain(t *testing.T) {
	tries, now := hourly(3)
	for range 3 {
		if _, ok := tries.Begin("a"); !ok {
			t.Fatal("refused too early")
		}
		*now = now.Add(10 * time.Minute)
	}
	if wait, ok := tries.Begin("a"); ok || wait != 30*time.Minute {
		t.Errorf("a fourth try: %v, wait %v", ok, wait)
	}
	if _, ok := tries.Begin("b"); !ok {
		t.Error("another's tries count")
	}
	*now = now.Add(30 * time.Minute)
	if _, ok := tries.Begin("a"); !ok {
		t.Error("refused after the time it was told to wait")
	}
}

func TestWhatTurnedOutWellIsForgiven(t *testing.T) {
	tries, _ := hourly(1)
	for range 5 {
		if _, ok := tries.Begin("a"); !ok {
			t.Fatal("refused")
		}
		tries.Forgive("a")
	}
	tries.Forgive("never began")
}

func TestAClockSetBackLocksNobodyOut(t *testing.T) {
	tries, now := hourly(1)
	tries.Begin("a")
	*now = now.Add(-24 * time.Hour)
	if _, ok := tries.Begin("a"); !ok {
		t.Error("locked out for a day")
	}
}

// TestManyAtOnceAreNoWayAround: each is counted before its outcome is known.
func TestManyAtOnceAreNoWayAround(t *testing.T) {
	tries, _ := hourly(5)
	var passed atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, ok := tries.Begin("a"); ok {
				passed.Add(1)
			}
		})
	}
	all.Wait()
	if passed.Load() != 5 {
		t.Errorf("%d tries passed", passed.Load())
	}
}

func TestAFloodOfKeysTakesNoMoreMemory(t *testing.T) {
	tries, now := hourly(1)
	for n := range 2*most + 1 {
		tries.Begin(strconv.Itoa(n))
	}
	if len(tries.of) > most {
		t.Errorf("%d keys", len(tries.of))
	}
	*now = now.Add(time.Hour)
	for n := range most {
		tries.Begin("later" + strconv.Itoa(n))
	}
	if len(tries.of) > most {
		t.Errorf("%d keys", len(tries.of))
	}
}
