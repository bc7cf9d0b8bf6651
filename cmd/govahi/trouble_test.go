package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"govahi/adapters/postgres/pgtest"
	"govahi/adapters/token/tokentest"
)

// The tests of trouble: while requests arrive all the time, something breaks, at
// random moments; each time commands and questions must be answered again soon,
// and in the end everything that was acknowledged is there once. With GOVAHI_LONG
// set the same tests do it much longer (./task test:long).

// often is how many times a test does its harm.
func often(usually, longer int) int {
	if long() {
		return longer
	}
	return usually
}

func long() bool { return os.Getenv("GOVAHI_LONG") != "" }

// The promises of the issue, §4.
const (
	commandsAgain  = 5 * time.Second
	questionsAgain = 20 * time.Second
)

// trial is an instance in trouble.
type trial struct {
	*testing.T
	*traffic
	i     *instance
	env   []string
	vigil *vigil
	blows []blow
}

// blow is what one fault cost, from the return of the part on.
type blow struct {
	kind                       string
	ready, acknowledged, shown time.Duration
	returned                   time.Duration // of a part that govahi itself brings back
}

func newTrial(t *testing.T, dir string, env ...string) *trial {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	env = append(env, "GOVAHI_LIMITS=off") // a few personas are many people here
	i := begin(t, dir, env...)
	r := &trial{T: t, i: i, env: env, traffic: newTraffic(t, i, seed)}
	r.vigil = keepVigil(t, i)
	return r
}

// randomly waits for a moment that nobody chose.
func (r *trial) randomly(most time.Duration) {
	pauseFor(r.Context(), time.Duration(r.dice.of(int(most))))
}

// recovers measures how soon a new command is acknowledged and a question shows
// it, and finds in the log what was acknowledged before. All is counted from a
// moment on: from the return of the part or, where govahi itself has to bring it
// back, from its end; then back tells when it is there again.
func (r *trial) recovers(kind string, since time.Time, back ...func() bool) {
	r.Helper()
	b, returned := blow{kind: kind}, r.returns(since, back)
	e := r.probe()
	must(r.T, e.opensOnly(r.Context()))
	b.acknowledged = time.Since(since)
	must(r.T, e.does(r.Context(), e.by, "form", e.form))
	e.awaitShown(r.T)
	b.shown = time.Since(since)
	if b.returned = <-returned; b.returned < 0 {
		r.Fatalf("after %s the part does not come back", kind)
	}
	b.ready = r.vigil.awaitWell(r.T, since.Add(b.returned)).Sub(since)
	r.blows = append(r.blows, b)
	r.Logf("%-16s ready %5d ms, acknowledged %5d ms, shown %5d ms", kind, b.ready.Milliseconds(), b.acknowledged.Milliseconds(), b.shown.Milliseconds())
	if b.acknowledged > commandsAgain || b.shown > questionsAgain {
		r.Errorf("after %s: promised are %v for commands and %v for questions", kind, commandsAgain, questionsAgain)
	}
	r.soFar(r.T)
}

// returns looks, beside all else, for the moment from which on the part is back;
// it is negative if that does not come.
func (r *trial) returns(since time.Time, back []func() bool) <-chan time.Duration {
	found := make(chan time.Duration, 1)
	if len(back) == 0 {
		found <- 0
		return found
	}
	go func() {
		for end := time.Now().Add(within); !back[0](); pauseFor(r.Context(), 5*time.Millisecond) {
			if time.Now().After(end) {
				found <- -1
				return
			}
		}
		found <- time.Since(since)
	}()
	return found
}

// probe is somebody new at the counter, who insists for a minute at most.
func (r *trial) probe() *errand {
	e := r.errand("officer-1", sampleOffice)
	e.http.Timeout = time.Minute
	return e
}

func (e *errand) awaitShown(t *testing.T) {
	t.Helper()
	await(t, "a question shows the command", func() bool { return e.get(t.Context(), "officer-1", "/requests/"+e.code, &struct{}{}) == nil })
}

// meanwhile is how long a command and a question take, while a fault lasts.
func (r *trial) meanwhile() time.Duration {
	r.Helper()
	began, e := time.Now(), r.probe()
	must(r.T, e.opensOnly(r.Context()))
	must(r.T, e.does(r.Context(), e.by, "form", e.form))
	e.awaitShown(r.T)
	return time.Since(began)
}

// over ends the traffic and checks what it left.
func (r *trial) over(end func()) {
	r.Helper()
	end()
	r.drain(r.T)
	r.audit(r.T)
	r.Log(r.traffic)
	table := costs(r.blows)
	r.Log("\n" + table)
	must(r.T, keepTable(r.Name(), table+"\n"+r.traffic.String()+"\n"))
}

// keepTable writes what a test measured where the benchmarks' reports are.
func keepTable(name, text string) error {
	dir := filepath.Join("..", "..", "var", "bench")
	name = strings.NewReplacer("/", "-", " ", "-").Replace(name)
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".md"), []byte(text), 0o644))
}

// costs is a table of blows by kind.
func costs(blows []blow) string {
	text := "| fault | times | ready: median, longest | first acknowledged command | first question that shows it |\n|---|---|---|---|---|\n"
	var kinds []string
	for _, b := range blows {
		if !slices.Contains(kinds, b.kind) {
			kinds = append(kinds, b.kind)
		}
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		var ready, acknowledged, shown []time.Duration
		for _, b := range blows {
			if b.kind == kind {
				ready, acknowledged, shown = append(ready, b.ready), append(acknowledged, b.acknowledged), append(shown, b.shown)
			}
		}
		text += fmt.Sprintf("| %s | %d | %s | %s | %s |\n", kind, len(ready), spread(ready), spread(acknowledged), spread(shown))
	}
	return text
}

func spread(d []time.Duration) string {
	slices.Sort(d)
	return fmt.Sprintf("%d ms, %d ms", median(d).Milliseconds(), last(d).Milliseconds())
}

// TestTroubleKills kills govahi, its signer and its PostgreSQL, in turn; and, in
// another instance, its children alone, so that govahi's goroutines and memory
// can be compared.
func TestTroubleKills(t *testing.T) {
	t.Parallel()
	rounds := often(32, 500)
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		r := newTrial(t, dataDir(t))
		end := r.flow()
		for n := range rounds {
			r.randomly(400 * time.Millisecond)
			[]func(){r.killGovahi, r.killSigner, r.killGovahi, r.killPostgres, r.killGovahi, r.killPostmaster}[n%6]()
		}
		r.over(end)
	})
	t.Run("children", func(t *testing.T) {
		t.Parallel()
		r := newTrial(t, dataDir(t))
		before := r.warm()
		end := r.flow()
		for n := range rounds {
			r.randomly(400 * time.Millisecond)
			[]func(){r.killSigner, r.killPostgres, r.killSigner, r.killPostmaster}[n%4]()
		}
		r.over(end)
		r.i.awaitLevel(t, before)
	})
}

// warm lets a little traffic through and measures the process at rest.
func (r *trial) warm() level {
	r.Helper()
	end := r.flow()
	pauseFor(r.Context(), 2*time.Second)
	end()
	r.drain(r.T)
	r.i.atRest(r.T)
	return r.i.level(r.T)
}

// killGovahi is measured from the start of the next process.
func (r *trial) killGovahi() {
	r.Helper()
	r.burst()
	r.i.signal(r.T, syscall.SIGKILL)
	began := time.Now()
	r.i.again(r.T, r.env...)
	r.recovers("kill govahi", began)
}

// killSigner and its kin are measured from the kill: govahi has to start the next
// process by itself.
func (r *trial) killSigner() {
	r.Helper()
	r.burst()
	was := r.i.signerPID()
	r.childBack("kill signer", r.i.signerPID, was, kill(r.T, was), "signer", "vault", "policy")
}

// killPostgres kills the postmaster and all who serve for it.
func (r *trial) killPostgres() {
	r.Helper()
	r.burst()
	was := r.i.postmaster(r.T)
	serving := childrenOf(was)
	began := kill(r.T, was)
	for _, pid := range serving {
		_ = syscall.Kill(pid, syscall.SIGKILL) // some end by themselves
	}
	r.childBack("kill postgres", func() int { return r.i.postmaster(r.T) }, was, began, concernedByPostgres...)
}

// killPostmaster leaves those who serve to notice that they are orphans; until
// then they serve on.
func (r *trial) killPostmaster() {
	r.Helper()
	r.burst()
	was := r.i.postmaster(r.T)
	r.recovers("kill postmaster", kill(r.T, was), func() bool { now := r.i.postmaster(r.T); return now != was && now != 0 })
}

// childBack expects health to name one of those whom it concerns until another
// process is there.
func (r *trial) childBack(kind string, pid func() int, was int, began time.Time, concerned ...string) {
	r.Helper()
	const sockets = 500 * time.Millisecond // until the kernel has closed those of the dead
	r.recovers(kind, began, func() bool { now := pid(); return now != was && now != 0 })
	r.vigil.namedWhile(r.T, began.Add(sockets), began.Add(r.blows[len(r.blows)-1].returned), concerned...)
	r.vigil.accuses(r.T, began, concerned...)
}

// concernedByPostgres is what stands still without it; the revocation lists lie
// there for the doors to hand out.
var concernedByPostgres = []string{"postgres", "vault", "projection", "policy", "crl"}

// TestTroubleFrozenPostgres stops every process of PostgreSQL for half a minute.
func TestTroubleFrozenPostgres(t *testing.T) {
	t.Parallel()
	r := newTrial(t, dataDir(t))
	before := r.warm()
	end := r.flow()
	for range often(1, 10) {
		r.randomly(time.Second)
		began := time.Now()
		thaw := pgtest.Freeze(t, r.i.postmaster(t))
		r.vigil.awaitNamed(t, began, "postgres")
		named := time.Now()
		pauseFor(t.Context(), time.Until(began.Add(30*time.Second)))
		r.vigil.neverWell(t, named)
		r.vigil.accuses(t, began, concernedByPostgres...)
		thaw()
		r.recovers("freeze postgres", time.Now())
	}
	r.over(end)
	r.i.awaitLevel(t, before)
}

// TestTroubleLostStream deletes the JetStream stream under the running house,
// and its directory while the house is down.
func TestTroubleLostStream(t *testing.T) {
	t.Parallel()
	troubles := newTroubles(t)
	r := newTrial(t, dataDir(t), troubles.env())
	end := r.flow()
	for range often(3, 20) {
		r.randomly(time.Second)
		troubles.make(t, "bus", "delete")
		await(t, "the stream's end", func() bool { _, err := os.Stat(filepath.Join(string(troubles), "bus")); return err != nil })
		deleted := time.Now()
		r.recovers("delete stream", deleted)
		r.vigil.accuses(t, deleted, "relay", "bus")
		r.randomly(time.Second)
		r.i.signal(t, syscall.SIGKILL)
		must(t, os.RemoveAll(filepath.Join(r.i.dir, "nats")))
		began := time.Now()
		r.i.again(t, r.env...)
		r.recovers("remove nats/", began)
	}
	r.over(end)
}

// TestTroubleToken has the CA's token fail in many ways.
func TestTroubleToken(t *testing.T) {
	t.Parallel()
	m := tokentest.Build(t, tokentest.SoftHSM)
	r := newTrial(t, dataDir(t), m.Env()...)
	before := r.warm()
	end := r.flow()
	for range often(1, 10) {
		for _, f := range []struct {
			kind  string
			fault tokentest.Fault
			named bool
		}{
			{"token removed", tokentest.Removed, true},
			{"device error", tokentest.DeviceError, true},
			{"session lost", tokentest.SessionLost, false},
			{"signature stuck", tokentest.Stuck, false},
			{"wrong PIN", tokentest.WrongPIN, true},
			{"slow token", tokentest.Slow(time.Second), false},
		} {
			r.tokenFails(m, f.kind, f.fault, f.named)
		}
	}
	r.over(end)
	r.i.awaitLevel(t, before)
}

// tokenFails has one fault hit while a certificate is asked for. Where the PIN
// is wrong the signer must log in anew to notice.
func (r *trial) tokenFails(m *tokentest.Module, kind string, f tokentest.Fault, named bool) {
	r.Helper()
	e := r.untilIssuance()
	r.randomly(500 * time.Millisecond)
	began := time.Now()
	m.Set(r.T, f)
	if kind == "wrong PIN" {
		var pid int
		await(r.T, "a signer that the fault before has not just ended", func() bool { pid = r.i.signerPID(); return pid != 0 })
		kill(r.T, pid)
	}
	must(r.T, e.steps[0](r.Context()))
	await(r.T, "the fault hits", func() bool { return m.Hits(r.T) > 0 })
	if named {
		r.vigil.awaitNamed(r.T, began, "signer")
		from := time.Now()
		pauseFor(r.Context(), time.Second)
		r.vigil.neverWell(r.T, from)
	}
	r.vigil.accuses(r.T, began, "signer", "vault", "policy")
	m.Heal(r.T)
	if kind == "wrong PIN" { // a refused one is not tried again until somebody writes it
		now := time.Now()
		must(r.T, os.Chtimes(filepath.Join(r.i.dir, "ca", "pin"), now, now))
	}
	healed := time.Now()
	r.recovers(kind, healed, func() bool { return e.steps[1](r.Context()) == nil }) // it has its certificate
	e.steps = e.steps[2:]
	r.putBack(e)
}

// issuanceAt is the step of the road that asks for the certificate.
const issuanceAt = 10

// untilIssuance brings a request as far as the CA.
func (r *trial) untilIssuance() *errand {
	r.Helper()
	e := r.whole()
	road := len(e.steps)
	await(r.T, "a request that can be issued", func() bool {
		if e.last = e.steps[0](r.Context()); e.last == nil {
			e.steps = e.steps[1:]
		}
		return road-len(e.steps) == issuanceAt
	})
	return e
}

// TestTroubleWorld has the world outside fail, and the clock go wrong.
func TestTroubleWorld(t *testing.T) {
	t.Parallel()
	troubles := newTroubles(t)
	r := newTrial(t, dataDir(t), troubles.env())
	before := r.warm()
	end := r.flow()
	for range often(2, 10) {
		for _, f := range []struct{ file, how, part string }{
			{"clock", "1h", ""},
			{"clock", "-1h", ""},
			{"registry", "down", "civil-registry"},
			{"mail", "down", "mail-server"},
			{"registry", "slow 3s", ""},
			{"mail", "slow 3s", ""},
		} {
			r.randomly(500 * time.Millisecond)
			began := time.Now()
			cure := troubles.make(t, f.file, f.how)
			r.goesOnDuring(f.file+" "+f.how, f.part, began)
			cure()
			r.recovers(f.file+" "+f.how, time.Now(), func() bool { return f.part == "" || r.i.parts()[f.part] == "ready" })
		}
	}
	r.over(end)
	r.i.awaitLevel(t, before)
}

// goesOnDuring a fault of the world outside: nothing but its own work waits.
func (r *trial) goesOnDuring(kind, part string, began time.Time) {
	r.Helper()
	if part != "" {
		r.vigil.awaitNamed(r.T, began, part)
	}
	took := r.meanwhile()
	pauseFor(r.Context(), 2*time.Second) // the traffic meets it
	r.vigil.accuses(r.T, began, "civil-registry", "mail-server")
	r.Logf("%-16s meanwhile acknowledged and shown in %d ms", kind, took.Milliseconds())
	if took > commandsAgain {
		r.Errorf("during %s a command and a question took %v", kind, took)
	}
}

// TestTroubleFullDisk fills the disk of the log, and that of PostgreSQL, to the
// last byte.
func TestTroubleFullDisk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		part      string // and its directory
		size      int
		concerned []string
	}{
		{"log", 96 << 20, []string{"log", "signer", "relay", "policy", "projection"}},
		{"postgres", 256 << 20, concernedByPostgres},
	} {
		t.Run(c.part, func(t *testing.T) {
			t.Parallel()
			r := newTrial(t, dataDir(t))
			disk := filepath.Join(r.i.dir, c.part)
			r.i.signal(t, syscall.SIGTERM)
			moveToSmallDisk(t, disk, c.size)
			r.i.again(t, r.env...)
			before := r.warm()
			end := r.flow()
			for n := range often(2, 10) {
				r.randomly(time.Second)
				r.fillUp(c.part, disk, n%2 == 1 && c.part == "postgres", c.concerned)
			}
			r.over(end)
			r.i.awaitLevel(t, before)
		})
	}
}

// fillUp may also have PostgreSQL need another segment of its journal, of which
// it dies, again and again.
func (r *trial) fillUp(part, disk string, deadly bool, concerned []string) {
	r.Helper()
	began := time.Now()
	room := ballast(r.T, disk)
	if deadly {
		exhaustJournal(r.T, r.i.pool(r.T, "views"))
		part = "postgres' journal"
	}
	r.vigil.awaitNamed(r.T, began, concerned...)
	from := time.Now()
	pauseFor(r.Context(), 3*time.Second)
	r.vigil.neverWell(r.T, from)
	r.vigil.accuses(r.T, began, concerned...)
	room()
	r.recovers("full disk of "+part, time.Now())
}

// TestTroubleSoak lets the traffic flow without any trouble, and measures.
func TestTroubleSoak(t *testing.T) {
	t.Parallel()
	r := newTrial(t, dataDir(t))
	before := r.warm()
	lasts := time.Duration(often(10, 600)) * time.Second
	end := r.flow()
	for began := time.Now(); time.Since(began) < lasts; {
		pauseFor(t.Context(), min(lasts, 30*time.Second))
		now := r.i.level(t)
		t.Logf("after %v: goroutines %d, heap %d MiB", time.Since(began).Round(time.Second), now.goroutines, now.heap)
	}
	r.over(end)
	r.i.awaitLevel(t, before)
}
