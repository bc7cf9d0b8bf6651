package vault_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"govahi/adapters/postgres"
	"govahi/adapters/postgres/pgtest"
	"govahi/adapters/vault"
)

// Commands answer within five seconds whatever hangs, and at once when it goes on.
const (
	quick = 4 * time.Second
	soon  = 2 * time.Second
)

// crowd asks many times at once and returns the errors and the longest time.
func crowd(n int, ask func(n int) error) (errs []error, slowest time.Duration) {
	var all sync.WaitGroup
	errs = make([]error, n)
	began := time.Now()
	for i := range n {
		all.Go(func() { errs[i] = ask(i) })
	}
	all.Wait()
	return errs, time.Since(began)
}

// TestAFrozenDatabaseKeepsNobodyWaiting: new people, known people, and keys
// that are not in memory.
func TestAFrozenDatabaseKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	pool, err := postgres.Pool(t.Context(), server.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	h := house{pool, newToken(t), &watch{}}
	v := h.open(t)
	known := person(t, v, code)
	text := sealed(t, v, known)
	h.watch.pass(2 * time.Hour) // memory forgets
	ask := func(n int) (err error) {
		switch n % 3 {
		case 0:
			_, err = v.Person(t.Context(), "99900"+strconv.Itoa(n))
		case 1:
			_, _, err = v.Lookup(t.Context(), code)
		case 2:
			_, err = v.Open(t.Context(), known, place, text)
		}
		return err
	}
	thaw := pgtest.Freeze(t, server.Pid())
	errs, took := crowd(60, ask)
	for _, err := range errs {
		isUnavailable(t, "frozen", err)
	}
	if took > quick {
		t.Errorf("frozen: answered after %v", took)
	}
	thaw()
	errs, took = crowd(60, ask)
	for _, err := range errs {
		if err != nil {
			t.Errorf("thawed: %v", err)
		}
	}
	if took > soon {
		t.Errorf("thawed: answered after %v", took)
	}
}

// hanging is a token that does not answer until it is released.
type hanging struct {
	*token
	released chan struct{}
}

func (k hanging) Wrap(ctx context.Context, plain []byte) ([]byte, error) {
	select {
	case <-k.released:
		return k.token.Wrap(ctx, plain)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestAHangingTokenKeepsNobodyWaiting: many need the new hour's key, which one
// of them makes.
func TestAHangingTokenKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.open(t) // makes the named keys
	k := hanging{h.token, make(chan struct{})}
	v, err := vault.Open(t.Context(), h.pool, k, h.watch.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	ask := func(n int) error {
		_, err := v.Person(t.Context(), "99900"+strconv.Itoa(n))
		return err
	}
	errs, took := crowd(30, ask)
	for _, err := range errs {
		isUnavailable(t, "hanging", err)
	}
	if took > quick {
		t.Errorf("answered after %v", took)
	}
	close(k.released)
	errs, took = crowd(30, ask)
	for _, err := range errs {
		if err != nil {
			t.Errorf("released: %v", err)
		}
	}
	if took > soon {
		t.Errorf("released: answered after %v", took)
	}
}

// TestTheClockGoesAnHourForthAndBack: everybody's data opens at every hour, and
// an hour that comes again has the key that it had.
func TestTheClockGoesAnHourForthAndBack(t *testing.T) {
	h := newHouse(t)
	v := h.open(t)
	texts := map[string][]byte{}
	for n, shift := range []time.Duration{0, time.Hour, -time.Hour, -time.Hour, time.Hour, time.Hour} {
		h.watch.pass(shift)
		code := "99900" + strconv.Itoa(n)
		texts[code] = sealed(t, v, person(t, v, code))
		for code, text := range texts {
			opens(t, v, person(t, v, code), text)
		}
	}
	var people, hours int
	if err := h.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM vault.subjects), (SELECT count(*) FROM vault.buckets)`).
		Scan(&people, &hours); err != nil || people != 6 || hours != 3 {
		t.Errorf("%d people, %d hours, %v", people, hours, err)
	}
}
