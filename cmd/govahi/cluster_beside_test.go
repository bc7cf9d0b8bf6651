package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// TestClusterSideBySide: what two processes of one role do about the same thing,
// each of them well or one of them dead at the worst moment.
func TestClusterSideBySide(t *testing.T) {
	t.Parallel()
	s := besiege(t, roleAPI, roleAPI, roleRelay, roleRelay, "policy,projector", "policy,projector", roleIssuer)
	steps := []string{"issuance:intended", "issuance:signed"}
	m := newMishaps(t, steps...)
	s.enter(roleIssuer, m.env())
	s.allReady("the start")
	stale := s.of(roleRelay)[s.dice.of(2)]
	stale.freeze(t)
	began := time.Now()
	for range 10 {
		s.askedElsewhere()
	}
	for _, point := range steps {
		s.issuerDies(m, point)
	}
	s.displaced(stale, time.Since(began))
	s.revokedEverywhere()
	s.over(func() {})
	wantTakenBack(t, s.instance.export(t), len(steps))
	s.eachLetterOnce()
}

// askedElsewhere: who was told a position by one api is answered by the other
// with what he wrote.
func (s *siege) askedElsewhere() {
	s.Helper()
	apis := s.of(roleAPI)
	e := s.errand("officer-1", sampleOffice)
	for n, step := range e.steps[:2] { // each at another door
		e.base = "http://" + apis[n%2].listen
		must(s.T, step(s.Context()))
	}
	var r struct{ State string }
	e.base = "http://" + apis[0].listen
	must(s.T, e.get(s.Context(), "officer-1", "/requests/"+e.code, &r))
	if r.State != "completed" {
		s.Errorf("asked with ?after=, the other api shows %q", r.State)
	}
}

// issuerDies while it alone is at work; the other finds what it left, takes it
// back, and issues under another serial.
func (s *siege) issuerDies(m mishaps, point string) {
	s.Helper()
	well, mortal := s.of(roleIssuer)[0], s.of(roleIssuer)[1]
	e := s.until(s.whole(), issuanceAt)
	well.freeze(s.T)
	m.arm(s.T, point)
	must(s.T, e.steps[0](s.Context()))
	await(s.T, "the issuer dies at "+point, func() bool { return m.happened(point) })
	well.thaw()
	e.steps = e.steps[1:]
	began := time.Now()
	s.until(e, issuanceAt+2)
	s.Logf("dead at %s: the other issues after %d ms", point, time.Since(began).Milliseconds())
	mortal.process.ended <- <-mortal.process.ended
	mortal.process.start(s.T)
	s.putBack(e)
	mortal.awaitReady(s.T)
}

// until brings an errand so many steps from its beginning.
func (s *siege) until(e *errand, steps int) *errand {
	s.Helper()
	road := len(s.whole().steps)
	await(s.T, "the errand goes on", func() bool {
		if e.last = e.steps[0](s.Context()); e.last == nil {
			e.steps = e.steps[1:]
		}
		return road-len(e.steps) >= steps
	})
	return e
}

// displaced: while a relay stood still the other went on. What it believes to be
// next is refused by the stream, also when that no longer knows it for a
// repetition.
func (s *siege) displaced(relay *member, after time.Duration) {
	s.Helper()
	const remembered = 10 * time.Second // by the stream, of a message's ID
	pauseFor(s.Context(), remembered+time.Second-after)
	s.atHead()
	relay.thaw()
	for range 5 {
		s.askedElsewhere()
	}
	s.allReady("the displacement of a relay")
}

// atHead waits until the stream holds the log to its end.
func (s *siege) atHead() {
	s.Helper()
	records := s.instance.export(s.T)
	await(s.T, "the other relay goes on", func() bool { return s.bus.last(s.T) >= records[len(records)-1].Position })
}

// revokedEverywhere: what one responder says the other says soon; its answers lie
// ready, and follow the log by themselves.
func (s *siege) revokedEverywhere() {
	s.Helper()
	e := s.whole()
	road := len(e.steps)
	s.until(e, road)
	apis := s.of(roleAPI)
	one, other := s.operator(apis[0]), s.operator(apis[1])
	issuer := one.issuer(s.T)
	await(s.T, "the revocation", func() bool { return one.status(s.T, issuer, e.serial).Status == ocsp.Revoked })
	await(s.T, "the revocation at the other responder", func() bool { return other.status(s.T, issuer, e.serial).Status == ocsp.Revoked })
}

// eachLetterOnce: nobody died with one in his hands.
func (s *siege) eachLetterOnce() {
	s.Helper()
	in := map[string][]string{}
	for _, file := range s.letters.files() {
		in[filepath.Base(file)] = append(in[filepath.Base(file)], file)
	}
	senders := map[string]bool{}
	for name, files := range in {
		if len(files) != 1 {
			s.Errorf("message %s was sent by %q", name, files)
		}
		senders[filepath.Dir(files[0])] = true
	}
	s.Logf("%d messages, sent by %d processes", len(in), len(senders))
}

// TestClusterSaysWhichSettingIsMissing: a process with some of the roles has its
// parts in common with others.
func TestClusterSaysWhichSettingIsMissing(t *testing.T) {
	t.Parallel()
	for missing := range strings.FieldsSeq("GOVAHI_LOG GOVAHI_NATS GOVAHI_POSTGRES GOVAHI_VAULT") {
		dir, env := dataDir(t), []string{"GOVAHI_ROLES=projector"}
		for name, url := range map[string]string{
			"GOVAHI_LOG": "esdb://127.0.0.1:1", "GOVAHI_NATS": "nats://127.0.0.1:1",
			"GOVAHI_POSTGRES": "postgres://127.0.0.1:1/views", "GOVAHI_VAULT": "postgres://127.0.0.1:1/vault",
		} {
			if name != missing {
				env = append(env, name+"="+url)
			}
		}
		_, err := govahi(t, "", append(env, "GOVAHI_DATA="+dir), "serve")
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("without %s it left a data directory", missing)
		}
	}
}
