package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// mishaps are crash points that a test arms: each happens once, at the next
// time that its process comes to it.
type mishaps struct {
	dir    string
	points []string
}

func newMishaps(t *testing.T, points ...string) mishaps {
	t.Helper()
	m := mishaps{t.TempDir(), points}
	for _, point := range points {
		must(t, os.WriteFile(m.file(point), nil, 0o600))
	}
	return m
}

func (m mishaps) file(point string) string { return filepath.Join(m.dir, point) }

func (m mishaps) env() string {
	var named []string
	for _, point := range m.points {
		named = append(named, point+","+m.file(point))
	}
	return "GOVAHI_CRASH=" + strings.Join(named, " ")
}

func (m mishaps) arm(t *testing.T, point string) {
	t.Helper()
	must(t, os.Remove(m.file(point)))
}

func (m mishaps) happened(point string) bool {
	_, err := os.Stat(m.file(point))
	return err == nil
}

// during arms a point, does something, and waits until both are over; heal is
// what must be done after the crash.
func (m mishaps) during(t *testing.T, point string, do func(context.Context) error, heal func()) {
	t.Helper()
	m.arm(t, point)
	done := make(chan error, 1)
	go func() { done <- do(t.Context()) }()
	await(t, "the crash", func() bool { return m.happened(point) })
	heal()
	must(t, <-done)
}

// killed waits for the death that was ordered and starts govahi again.
func (m mishaps) killed(t *testing.T, i *instance) func() {
	return func() {
		t.Helper()
		_ = i.over(t)
		if how, ok := i.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || how.Signal() != syscall.SIGKILL {
			t.Fatalf("govahi ended otherwise: %v", i.cmd.ProcessState)
		}
		t.Logf("ready again after %d ms", i.again(t, m.env()).Milliseconds())
	}
}

// crashAtStart starts govahi on a directory and has it die.
func (m mishaps) crashAtStart(t *testing.T, dir, point string) {
	t.Helper()
	listen, err := freeAddress()
	must(t, err)
	m.arm(t, point)
	_, said, ended := launch(t, dir, listen, m.env())
	select {
	case <-ended:
	case <-time.After(within):
	}
	if !m.happened(point) {
		t.Fatalf("it did not die at %s:\n%s", point, said)
	}
}

// TestGovahiKilledBetweenTheSteps of issuance, of a revocation list, and of the
// responder's certificate at the very first start (S 5.1).
func TestGovahiKilledBetweenTheSteps(t *testing.T) {
	t.Parallel()
	steps := []string{"issuance:attempted", "issuance:intended", "issuance:signed", "issuance:issued", "issuance:noted"}
	m := newMishaps(t, append(steps, "crl:intended", "responder:intended")...)
	dir := dataDir(t)
	m.crashAtStart(t, dir, "responder:intended")
	m.crashAtStart(t, dir, "crl:intended")
	i, l := begin(t, dir, m.env()), newLedger()
	var last *story
	for n, point := range steps {
		t.Run(point, func(t *testing.T) {
			last = l.telling(t, i, n)
			must(t, last.tell(t.Context(), untilReserved(last, n)))
			i.settled(t)
			m.during(t, point, last.issue, m.killed(t, i))
		})
	}
	t.Run("crl:intended", func(t *testing.T) {
		must(t, last.tell(t.Context(), last.untilActive()[2:]))
		i.settled(t)
		m.during(t, "crl:intended", func(ctx context.Context) error { return last.tell(ctx, last.untilRevoked()) }, m.killed(t, i))
	})
	records := l.audit(t, i)
	wantTakenBack(t, records, 4) // attempted, intended, signed; the responder's
	wantSkipped(t, records, 2)
}

// TestSignerKilledBetweenTheSteps: of a certificate, of a revocation list, and,
// while the house is starting, of the responder's certificate. The house goes
// on: it asks for another signature as soon as the signer is back.
func TestSignerKilledBetweenTheSteps(t *testing.T) {
	t.Parallel()
	steps := []string{"signer:before-started", "signer:after-started", "signer:after-sign"}
	m := newMishaps(t, steps...)
	for _, point := range steps {
		m.arm(t, point)
	}
	i, l := begin(t, dataDir(t), m.env()), newLedger()
	i.settled(t)
	nothing := func() {}
	for n, point := range steps {
		t.Run(point, func(t *testing.T) {
			s := l.telling(t, i, n)
			must(t, s.tell(t.Context(), untilReserved(s, n)))
			i.settled(t)
			m.during(t, point, s.issue, nothing)
			must(t, s.tell(t.Context(), s.untilActive()[2:]))
			i.settled(t)
			m.during(t, point, func(ctx context.Context) error { return s.tell(ctx, s.untilRevoked()) }, nothing)
		})
	}
	records := l.audit(t, i)
	wantTakenBack(t, records, 6)
	wantSkipped(t, records, 3)
}

// TestSignerKilledUnderTheFirstList: the next one is not long in coming.
func TestSignerKilledUnderTheFirstList(t *testing.T) {
	t.Parallel()
	m := newMishaps(t, "crl:intended", "signer:after-sign")
	dir := dataDir(t)
	m.crashAtStart(t, dir, "crl:intended")
	m.arm(t, "signer:after-sign")
	i := begin(t, dir, m.env())
	i.settled(t)
	records := i.export(t)
	crlNumbers(t, records)
	wantSkipped(t, records, 2)
}

// TestAnAbsentSignerCostsNothing: while it does not start, no serial and no
// number of a list is used up, however often the policies ask.
func TestAnAbsentSignerCostsNothing(t *testing.T) {
	t.Parallel()
	i, l := begin(t, dataDir(t)), newLedger()
	revoked, s := l.telling(t, i, 0), l.telling(t, i, 1)
	must(t, revoked.tell(t.Context(), append(untilReserved(revoked, 0), revoked.untilActive()[1:]...)))
	must(t, s.tell(t.Context(), untilReserved(s, 1)))
	pin := filepath.Join(i.dir, "ca", "pin")
	must(t, os.Rename(pin, pin+".away"))
	kill(t, i.signerPID())
	done := make(chan error, 1)
	go func() { done <- errors.Join(revoked.tell(t.Context(), revoked.untilRevoked()), s.issue(t.Context())) }()
	await(t, "the attempt", func() bool { return i.logged(t, "enrollment.issuance-attempted.v1") >= 2 })
	await(t, "the signer's word that it waits", func() bool { return strings.Contains(fmt.Sprint(i.cmd.Stdout), "the token cannot be opened") })
	time.Sleep(2 * time.Second) // the policies ask many times
	must(t, os.Rename(pin+".away", pin))
	must(t, <-done)
	records := l.audit(t, i)
	wantTakenBack(t, records, 0)
	wantSkipped(t, records, 0)
}

func (i *instance) logged(t *testing.T, name string) int {
	t.Helper()
	n := 0
	for _, r := range i.export(t) {
		if r.Type == name {
			n++
		}
	}
	return n
}

// wantTakenBack counts the serials that crashes cost.
func wantTakenBack(t *testing.T, records []record, want int) {
	t.Helper()
	n := 0
	for _, s := range serials(t, records) {
		if s.abandoned {
			n++
		}
	}
	if n != want {
		t.Errorf("%d serials were taken back, not %d", n, want)
	}
}

// wantSkipped counts the numbers of lists that crashes cost.
func wantSkipped(t *testing.T, records []record, want int) {
	t.Helper()
	n := 0
	for _, r := range records {
		switch r.Type {
		case "crl.intended.v2":
			n++
		case "crl.signed.v2":
			n--
		}
	}
	if n != want {
		t.Errorf("%d numbers were skipped, not %d", n, want)
	}
}

// TestKilledAtRandomMoments kills govahi and the signer while several stories
// go on; what the forced crashes leave out is between their points.
func TestKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	i, l := begin(t, dataDir(t)), newLedger()
	var all sync.WaitGroup
	for n := range 4 {
		s := l.telling(t, i, n)
		all.Go(func() {
			if err := s.whole(t.Context(), n); err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
		})
	}
	over := make(chan struct{})
	go func() { defer close(over); all.Wait() }()
	for n := range 7 {
		select { // the moment is the matter here; nothing waits for it
		case <-over:
		case <-time.After(time.Duration(dice.IntN(700)) * time.Millisecond):
		}
		if n%3 == 2 {
			i.signal(t, syscall.SIGKILL)
			t.Logf("govahi killed; ready again after %d ms", i.again(t).Milliseconds())
		} else if pid := i.signerPID(); pid > 0 {
			t.Logf("signer killed: %v", syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	<-over
	l.audit(t, i)
}

func (s *story) whole(ctx context.Context, n int) error {
	steps := untilReserved(s, n)
	steps = append(append(steps, s.untilActive()[1:]...), s.untilRevoked()...)
	return s.tell(ctx, steps)
}

// signerPID is that of the living signer, or zero.
func (i *instance) signerPID() int {
	text, err := os.ReadFile(filepath.Join(i.dir, "signer.pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || !strings.Contains(commandLine(pid), i.dir) {
		return 0
	}
	return pid
}

// commandLine is that of a process, with spaces; empty if there is none.
func commandLine(pid int) string {
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	return strings.TrimSpace(strings.ReplaceAll(string(text), "\x00", " "))
}
