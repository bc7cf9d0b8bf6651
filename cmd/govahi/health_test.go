package main

import (
	"context"
	"iter"
	"log/slog"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"govahi/adapters/http"
	"govahi/adapters/pki"
	"govahi/adapters/postgres/pgtest"
	"govahi/adapters/signer"
	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/event"
	"govahi/projections"
	"govahi/queries"
)

// endless is a log that nobody reads through before the test ends.
type endless struct {
	event.Log
	begun chan struct{} // a word for each who begins
}

func (l endless) ReadAll(ctx context.Context, _ event.Position, _ ...string) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		select {
		case l.begun <- struct{}{}:
			<-ctx.Done()
		case <-ctx.Done():
		}
		yield(event.Recorded{}, ctx.Err())
	}
}

// begunAnew is a house of two issuers whose publisher and checker read through
// the log.
func begunAnew(t *testing.T) *house {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ca")
	for _, ceremony := range [][]string{{"ceremony", "--dir", dir}, {"ceremony", "succeed", "--dir", dir}} {
		out, err := exec.CommandContext(t.Context(), beside("govahi-signer"), ceremony...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	authorities, err := openAuthorities(dir, "http://ca.example.ir", "")
	must(t, err)
	log := endless{memlog.New(), make(chan struct{})}
	revoked := certificate.Kind.Stream("6701")
	proposed, err := certificate.Kind.Encode(t.Context(), nil, revoked, event.Meta{CommandID: "sample", Actor: "sample", At: now()},
		[]event.Event{certificate.Revoked{Serial: "6701", Reason: certificate.Superseded, At: now()}})
	must(t, err)
	_, err = log.Append(t.Context(), revoked, event.NoStream, proposed...)
	must(t, err)
	pool := pgtest.Pool(t)
	h := &house{roles: []string{roleIssuer}, authorities: authorities, views: pool, queries: &queries.Queries{Pool: pool}, report: slog.New(slog.DiscardHandler)}
	h.signer = signer.NewClient(filepath.Join(dir, "none.sock"))
	h.app = &commands.App{Log: log, Standing: commands.NewStanding(log), Clock: now, Step: func(string) {}}
	h.seat()
	h.publishers = commands.NewPublishers(h.app, func(of commands.Authority) commands.Publishing {
		return commands.Publishing{Authority: of, Shelf: projections.NewShelf(pool), Checker: of.(*pki.Authority).Checker(log)}
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.keepDaily(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	for range []string{"publisher", "checker"} {
		select {
		case <-log.begun:
		case <-time.After(20 * time.Second):
			t.Fatal("nobody reads the log")
		}
	}
	return h
}

// TestPresentListsMakeReady what still reads through its log: it has lists to
// hand out. Without one of them, or with one that is over, it has not.
func TestPresentListsMakeReady(t *testing.T) {
	h := begunAnew(t)
	shelf := projections.NewShelf(h.views)
	lays := func(n int, number uint64, ends time.Duration) {
		t.Helper()
		l := crl.List{Number: number, ThisUpdate: now().Add(-time.Hour), NextUpdate: now().Add(ends), DER: []byte("list")}
		must(t, shelf.Put(t.Context(), h.authorities[n].Issuer(), l))
	}
	is := func(when string, want http.PartState) {
		t.Helper()
		if p := h.dailyPart(t.Context()); p.Name != "crl" || p.State != want || p.Detail != "" {
			t.Errorf("%s: %+v", when, p)
		}
	}
	is("no shelf", http.Starting)
	lays(0, 1, time.Hour)
	is("one list of two", http.Starting)
	lays(1, 1, -time.Second)
	is("one of them over", http.Starting)
	lays(1, 2, time.Hour)
	is("both present", http.Ready)
	lays(0, 2, -time.Second)
	is("the other over", http.Starting)
}
