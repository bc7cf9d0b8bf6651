package main_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"govahi/adapters/signer"
	"govahi/adapters/signer/signertest"
	"govahi/domain/certificate"
	"govahi/domain/event"
)

func asIs(*signertest.Story) {}

func TestProcessSignsWhatTheLogHolds(t *testing.T) {
	c := newCA(t).certify(t)
	p := c.start(t, nil)
	stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
	der, by, err := p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER)
	must(t, err)
	_, err = c.CheckIssued(der, tbs)
	must(t, err)
	list, at, listTBS := signertest.IntendCRL(t, c.log, c, 1)
	der, _, err = p.SignCRL(t.Context(), list, at, listTBS)
	must(t, err)
	_, err = c.CheckCRL(der, listTBS)
	must(t, err)
	info, err := p.Info(t.Context())
	must(t, err)
	if by == "" || info.Signer != by || len(info.Issuers) != 1 || !info.Issuers[0].Equal(c.Certificate()) {
		t.Errorf("signed by %q, is %+v", by, info)
	}
	p.stop(t)
}

// TestKilledBetweenTheSteps kills the process at each boundary. Whatever the
// caller does next, a started signature is never made again.
func TestKilledBetweenTheSteps(t *testing.T) {
	for point, events := range map[string]int{"signer:before-started": 1, "signer:after-started": 2, "signer:after-sign": 2} {
		t.Run(point, func(t *testing.T) {
			c := newCA(t).certify(t)
			p := c.start(t, []string{"GOVAHI_CRASH=" + point}, "--development")
			stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
			_, _, err := p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER)
			if !errors.Is(err, signer.ErrUnknownOutcome) {
				t.Errorf("got %v", err)
			}
			if status, ok := p.end(t).Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Errorf("ended by %v", status)
			}
			if got := signertest.Read(t, c.log, stream); len(got) != events {
				t.Errorf("the log holds %d events", len(got))
			}
			c.afterCrash(t, stream, revision, tbs, events)
		})
	}
}

func (c *ca) afterCrash(t *testing.T, stream event.Stream, revision uint64, tbs []byte, events int) {
	t.Helper()
	p := c.start(t, nil) // takes the dead one's socket over
	_, _, err := p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER)
	if events == 1 && err != nil {
		t.Errorf("not begun, and yet refused: %v", err)
	}
	if events == 2 && !errors.Is(err, certificate.ErrNotIntended) {
		t.Errorf("begun, and yet %v", err)
	}
	p.stop(t)
}

func TestCrashPointsNeedDevelopmentMode(t *testing.T) {
	c := newCA(t).certify(t)
	p := c.start(t, []string{"GOVAHI_CRASH=signer:before-started"})
	stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
	_, _, err := p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER)
	must(t, err)
}

func TestProcessEndsWithItsParent(t *testing.T) {
	c := newCA(t)
	p := c.start(t, nil)
	must(t, p.stdin.Close())
	if state := p.end(t); state.ExitCode() != 0 {
		t.Errorf("ended with %v: %s", state, p.stderr)
	}
}

func TestSecondProcessOnTheSocketIsRefused(t *testing.T) {
	c := newCA(t)
	p := c.start(t, nil)
	second, _ := c.launch(t, nil)
	if state := second.end(t); state.ExitCode() == 0 || !strings.Contains(second.stderr.String(), "another process listens") {
		t.Errorf("%v: %s", state, second.stderr)
	}
	p.stop(t)
}

// TestLostTokenEndsTheProcess takes the token's files away, as if it was pulled.
func TestLostTokenEndsTheProcess(t *testing.T) {
	c := newCA(t)
	p := c.start(t, nil)
	key, err := p.ResponderKey(t.Context())
	must(t, err)
	must(t, os.Rename(filepath.Join(c.dir, "tokens"), filepath.Join(c.dir, "pulled")))
	digest := sha256.Sum256(nil)
	if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err == nil {
		t.Error("signed without a token")
	}
	if state := p.end(t); state.ExitCode() != 3 || !strings.Contains(p.stderr.String(), "the token is lost") {
		t.Errorf("%v: %s", state, p.stderr)
	}
	must(t, os.Rename(filepath.Join(c.dir, "pulled"), filepath.Join(c.dir, "tokens")))
	again := c.start(t, nil)
	key, err = again.ResponderKey(t.Context())
	must(t, err)
	_, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
	must(t, err)
}

// BenchmarkSignCertificate is the whole way through the real process and a
// durable log: socket, two reads, checks, append with fsync, C_Sign.
func BenchmarkSignCertificate(b *testing.B) {
	c := newCA(b).certify(b)
	p := c.start(b, nil)
	type job struct {
		stream   event.Stream
		revision uint64
		tbs      []byte
	}
	jobs := make(chan job, b.N)
	for range b.N {
		stream, revision, tbs := signertest.Intend(b, c.log, c, c.by, asIs)
		jobs <- job{stream, revision, tbs}
	}
	b.SetParallelism(4)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			j := <-jobs
			if _, _, err := p.SignCertificate(b.Context(), j.stream, j.revision, j.tbs, c.by.DER); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "certificates/s")
}
