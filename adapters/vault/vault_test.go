package vault_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/postgres/pgtest"
	"govahi/adapters/vault"
	"govahi/domain/event"
	"govahi/domain/fault"
)

const (
	code  = "0012345679"
	place = "enrollment-1 enrollment.submitted.v1"
)

// token wraps as a PKCS#11 token does, remembers what it wrapped, and can be pulled.
type token struct {
	aead   cipher.AEAD
	mu     sync.Mutex
	seen   [][]byte
	unwrap atomic.Int64
	pulled atomic.Bool
}

var errPulled = errors.New("token: not present")

func newToken(t testing.TB) *token {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return &token{aead: aead}
}

func (k *token) Wrap(_ context.Context, plain []byte) ([]byte, error) {
	if k.pulled.Load() {
		return nil, errPulled
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = append(k.seen, bytes.Clone(plain))
	return k.aead.Seal(nil, nil, plain, nil), nil
}

func (k *token) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	if k.pulled.Load() {
		return nil, errPulled
	}
	k.unwrap.Add(1)
	return k.aead.Open(nil, nil, wrapped, nil)
}

// watch is a clock that stands until it is moved.
type watch struct{ passed atomic.Int64 }

func (w *watch) now() time.Time {
	return time.Date(2026, 9, 22, 8, 30, 0, 0, time.UTC).Add(time.Duration(w.passed.Load()))
}

func (w *watch) pass(d time.Duration) { w.passed.Add(int64(d)) }

// house is a vault's database with its token and its clock.
type house struct {
	pool  *pgxpool.Pool
	token *token
	watch *watch
}

func newHouse(t testing.TB) house {
	t.Helper()
	return house{pgtest.Pool(t), newToken(t), &watch{}}
}

// open is one process that uses the vault.
func (h house) open(t testing.TB) *vault.Vault {
	t.Helper()
	v, err := vault.Open(t.Context(), h.pool, h.token, h.watch.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

func person(t testing.TB, v *vault.Vault, code string) event.Subject {
	t.Helper()
	s, err := v.Person(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sealed(t testing.TB, v *vault.Vault, s event.Subject) []byte {
	t.Helper()
	text, err := v.Seal(t.Context(), s, place, []byte("رستم"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func opens(t testing.TB, v *vault.Vault, s event.Subject, text []byte) {
	t.Helper()
	if plain, err := v.Open(t.Context(), s, place, text); err != nil || string(plain) != "رستم" {
		t.Fatalf("got %q, %v", plain, err)
	}
}

func TestSealsAndOpens(t *testing.T) {
	h := newHouse(t)
	v := h.open(t)
	s := person(t, v, code)
	text := sealed(t, v, s)
	opens(t, v, s, text)
	if again := sealed(t, v, s); bytes.Equal(again, text) {
		t.Error("the same text sealed twice looks the same")
	}
	if bytes.Contains(text, []byte("رستم")) {
		t.Error("in clear")
	}
}

func TestKeepsPersonalDataInEvents(t *testing.T) {
	v := newHouse(t).open(t)
	p := event.About(person(t, v, code), "رستم")
	if err := p.Seal(t.Context(), v, place); err != nil {
		t.Fatal(err)
	}
	stored, err := p.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var read event.Personal[string]
	if err := read.UnmarshalJSON(stored); err != nil {
		t.Fatal(err)
	}
	if name, err := read.Open(t.Context(), v); err != nil || name != "رستم" {
		t.Errorf("got %q, %v", name, err)
	}
}

func TestNoticesWhatIsAlteredOrOutOfPlace(t *testing.T) {
	v := newHouse(t).open(t)
	s, other := person(t, v, code), person(t, v, "0087654321")
	text := sealed(t, v, s)
	for i := range text {
		bad := bytes.Clone(text)
		bad[i] ^= 1
		if _, err := v.Open(t.Context(), s, place, bad); !errors.Is(err, vault.ErrAltered) {
			t.Errorf("byte %d altered: %v", i, err)
		}
	}
	for name, try := range map[string]func() ([]byte, error){
		"another place":  func() ([]byte, error) { return v.Open(t.Context(), s, place+"x", text) },
		"another person": func() ([]byte, error) { return v.Open(t.Context(), other, place, text) },
		"cut":            func() ([]byte, error) { return v.Open(t.Context(), s, place, text[:20]) },
		"nothing":        func() ([]byte, error) { return v.Open(t.Context(), s, place, nil) },
	} {
		if _, err := try(); !errors.Is(err, vault.ErrAltered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoticesKeysExchangedInTheDatabase(t *testing.T) {
	h := newHouse(t)
	v := h.open(t)
	s, other := person(t, v, code), person(t, v, "0087654321")
	text := sealed(t, v, s)
	if _, err := h.pool.Exec(t.Context(), `UPDATE vault.subjects SET sealed = (SELECT sealed FROM vault.subjects WHERE subject = $2) WHERE subject = $1`, string(s), string(other)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.open(t).Open(t.Context(), s, place, text); !errors.Is(err, vault.ErrAltered) {
		t.Errorf("got %v", err)
	}
}

func TestRemembersAcrossRestarts(t *testing.T) {
	h := newHouse(t)
	before := h.open(t)
	s := person(t, before, code)
	text := sealed(t, before, s)
	before.Close()
	h.watch.pass(26 * time.Hour)
	after := h.open(t)
	opens(t, after, s, text)
	if again := person(t, after, code); again != s {
		t.Errorf("pseudonym %s became %s", s, again)
	}
	if !bytes.Equal(before.Term("name", "رستم"), after.Term("name", "رستم")) {
		t.Error("search terms changed")
	}
	if !bytes.Equal(before.Derive("tracking", "a"), after.Derive("tracking", "a")) {
		t.Error("derived codes changed")
	}
}

func TestLookupMakesNobody(t *testing.T) {
	v := newHouse(t).open(t)
	if s, found, err := v.Lookup(t.Context(), code); found || err != nil {
		t.Fatalf("%q, %v, %v", s, found, err)
	}
	s := person(t, v, code)
	if got, found, err := v.Lookup(t.Context(), code); got != s || !found || err != nil {
		t.Errorf("%q, %v, %v", got, found, err)
	}
}

func TestManyAskersGetOnePseudonym(t *testing.T) {
	h := newHouse(t)
	vaults := []*vault.Vault{h.open(t), h.open(t)}
	var got [64]event.Subject
	var errs [64]error
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], errs[i] = vaults[i%2].Person(t.Context(), code) })
	}
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	if all := slices.Compact(got[:]); len(all) != 1 {
		t.Errorf("%d pseudonyms", len(all))
	}
	opens(t, vaults[1], got[0], sealed(t, vaults[0], got[0]))
}

// await polls a condition. The bound is far below a key's life in memory, and
// the vault's clock stands anyway.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

func erased(t *testing.T, v *vault.Vault, s event.Subject, text []byte) bool {
	t.Helper()
	_, err := v.Open(t.Context(), s, place, text)
	return errors.Is(err, event.ErrErased)
}

func TestDestroyedIsUnreadableEverywhere(t *testing.T) {
	h := newHouse(t)
	here, there := h.open(t), h.open(t)
	s, other := person(t, here, code), person(t, here, "0087654321")
	text, kept := sealed(t, here, s), sealed(t, here, other)
	opens(t, there, s, text)
	for range 2 {
		if err := here.Destroy(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if !erased(t, here, s, text) {
		t.Error("readable where it was destroyed")
	}
	await(t, func() bool { return erased(t, there, s, text) })
	if !erased(t, h.open(t), s, text) {
		t.Error("readable after a restart")
	}
	if _, err := here.Seal(t.Context(), s, place, []byte("x")); !errors.Is(err, event.ErrErased) {
		t.Errorf("sealing for an erased subject: %v", err)
	}
	opens(t, there, other, kept)
}

func TestDestroyFreesTheCode(t *testing.T) {
	h := newHouse(t)
	v := h.open(t)
	s := person(t, v, code)
	if err := v.Destroy(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if _, found, err := v.Lookup(t.Context(), code); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	if again := person(t, v, code); again == s {
		t.Error("the erased pseudonym came back")
	}
	var tombstones int
	if err := h.pool.QueryRow(t.Context(), `SELECT count(*) FROM vault.subjects WHERE destroyed_at = $1`, h.watch.now()).Scan(&tombstones); err != nil || tombstones != 1 {
		t.Errorf("%d tombstones, %v", tombstones, err)
	}
}

// TestAFreedCodeIsAnothersEverywhere: who knew it must not take its old owner for
// the new one, whether he hears of the erasure or not.
func TestAFreedCodeIsAnothersEverywhere(t *testing.T) {
	h := newHouse(t)
	here, there := h.open(t), h.open(t)
	s := person(t, here, code)
	if person(t, there, code) != s {
		t.Fatal("two pseudonyms")
	}
	if err := here.Destroy(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	next := person(t, here, code)
	if next == s {
		t.Error("the erased pseudonym came back")
	}
	await(t, func() bool { return person(t, there, code) == next })
	if _, err := h.pool.Exec(t.Context(), `UPDATE vault.subjects SET sealed = NULL, lookup = NULL, destroyed_at = now()`); err != nil {
		t.Fatal(err)
	}
	h.watch.pass(time.Minute)
	if person(t, there, code) == next {
		t.Error("still known after a minute")
	}
}

func TestUnknownSubjectsAreErased(t *testing.T) {
	v := newHouse(t).open(t)
	if !erased(t, v, "nobody", []byte{1}) {
		t.Error("opened")
	}
	if err := v.Destroy(t.Context(), "nobody"); err != nil {
		t.Error(err)
	}
}

func TestHearsAgainAfterItsConnectionBroke(t *testing.T) {
	h := newHouse(t)
	here, there := h.open(t), h.open(t)
	s := person(t, here, code)
	text := sealed(t, here, s)
	opens(t, there, s, text)
	const cut = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`
	var listeners int
	if err := h.pool.QueryRow(t.Context(), cut).Scan(&listeners); err != nil || listeners != 2 {
		t.Fatalf("%d listeners, %v", listeners, err)
	}
	if err := here.Destroy(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return erased(t, there, s, text) })
}

// TestForgetsKeysInAMinute is the bound for a process that hears nothing: here
// the key goes without a word.
func TestForgetsKeysInAMinute(t *testing.T) {
	h := newHouse(t)
	v := h.open(t)
	s := person(t, v, code)
	text := sealed(t, v, s)
	if _, err := h.pool.Exec(t.Context(), `UPDATE vault.subjects SET sealed = NULL, lookup = NULL, destroyed_at = now()`); err != nil {
		t.Fatal(err)
	}
	opens(t, v, s, text)
	h.watch.pass(time.Minute)
	if !erased(t, v, s, text) {
		t.Error("still in memory after a minute")
	}
}

// TestWarmFetchesManyKeysAtOnce: afterwards nothing is asked for any of them, and
// whose key is gone, altered or was never there is found out one by one.
func TestWarmFetchesManyKeysAtOnce(t *testing.T) {
	h := newHouse(t)
	writer, reader := h.open(t), h.open(t)
	var all []event.Subject
	texts := map[event.Subject][]byte{}
	for i := range 20 {
		s := person(t, writer, fmt.Sprint(i))
		all, texts[s] = append(all, s), sealed(t, writer, s)
	}
	gone, altered := all[3], all[4]
	if err := writer.Destroy(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	if _, err := h.pool.Exec(t.Context(), `UPDATE vault.subjects SET sealed = sealed || '\x00' WHERE subject = $1`, string(altered)); err != nil {
		t.Fatal(err)
	}
	h.watch.pass(time.Minute) // the writer's keys have run out
	first := h.token.unwrap.Load()
	if err := reader.Warm(t.Context(), append(all, "nobody")); err != nil {
		t.Fatal(err)
	}
	if asked := h.token.unwrap.Load() - first; asked > 1 {
		t.Errorf("the token was asked %d times", asked)
	}
	if _, err := reader.Open(t.Context(), gone, place, texts[gone]); !errors.Is(err, event.ErrErased) {
		t.Errorf("the erased: %v", err)
	}
	if _, err := reader.Open(t.Context(), altered, place, texts[altered]); !errors.Is(err, vault.ErrAltered) {
		t.Errorf("the altered: %v", err)
	}
	h.token.pulled.Store(true)
	h.pool.Close()
	for _, s := range slices.Delete(all, 3, 5) {
		opens(t, reader, s, texts[s])
	}
	if err := reader.Warm(t.Context(), all[:3]); err != nil {
		t.Errorf("what is warm was asked for again: %v", err)
	}
	isUnavailable(t, "database away", reader.Warm(t.Context(), []event.Subject{"cold"}))
}

func TestHotKeysNeedNeitherDatabaseNorToken(t *testing.T) {
	h := newHouse(t)
	v := h.open(t)
	s := person(t, v, code)
	text := sealed(t, v, s)
	h.token.pulled.Store(true)
	h.pool.Close()
	opens(t, v, s, text)
	opens(t, v, s, sealed(t, v, s))
}

func TestTheTokenIsAskedOncePerHourOfPeople(t *testing.T) {
	h := newHouse(t)
	v := h.open(t)
	first := h.token.unwrap.Load()
	for _, code := range []string{"1", "2", "3", "4"} {
		sealed(t, v, person(t, v, code))
	}
	if asked := h.token.unwrap.Load() - first; asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	h.watch.pass(time.Hour)
	sealed(t, v, person(t, v, "5"))
	var hours int
	if err := h.pool.QueryRow(t.Context(), `SELECT count(*) FROM vault.buckets`).Scan(&hours); err != nil || hours != 2 {
		t.Errorf("%d buckets, %v", hours, err)
	}
}

func TestSaysThatItIsUnavailable(t *testing.T) {
	h := newHouse(t)
	v := h.open(t)
	s := person(t, v, code)
	text := sealed(t, v, s)
	v.Close()

	h.token.pulled.Store(true)
	h.watch.pass(time.Hour)
	_, err := v.Open(t.Context(), s, place, text)
	isUnavailable(t, "token away", err)
	_, err = v.Person(t.Context(), "0087654321")
	isUnavailable(t, "token away", err)
	if !errors.Is(err, errPulled) {
		t.Errorf("the cause is lost: %v", err)
	}
	_, err = vault.Open(t.Context(), h.pool, h.token, h.watch.now)
	isUnavailable(t, "token away at the opening", err)

	h.pool.Close()
	_, err = v.Open(t.Context(), s, place, text)
	isUnavailable(t, "database away", err)
	_, _, err = v.Lookup(t.Context(), code)
	isUnavailable(t, "database away", err)
	isUnavailable(t, "database away", v.Destroy(t.Context(), s))
}

func isUnavailable(t *testing.T, when string, err error) {
	t.Helper()
	if f, ok := fault.Of(err); !ok || f.Kind != fault.Unavailable || f.Code != "vault-unavailable" {
		t.Errorf("%s: %v", when, err)
	}
}

func TestRefusesANewerVault(t *testing.T) {
	h := newHouse(t)
	h.open(t).Close()
	if _, err := h.pool.Exec(t.Context(), `UPDATE vault.schema SET version = version + 1`); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Open(t.Context(), h.pool, h.token, h.watch.now); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v", err)
	}
}

func TestOpensOnceForManyProcesses(t *testing.T) {
	h := newHouse(t)
	var terms [8][]byte
	var errs [8]error
	var wg sync.WaitGroup
	for i := range terms {
		wg.Go(func() {
			v, err := vault.Open(t.Context(), h.pool, h.token, h.watch.now)
			if errs[i] = err; err == nil {
				terms[i] = v.Term("name", "رستم")
				v.Close()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	for _, term := range terms {
		if !bytes.Equal(term, terms[0]) {
			t.Error("two index keys")
		}
	}
}

func TestTermsAndDerivedCodesKeepApart(t *testing.T) {
	v := newHouse(t).open(t)
	seen := map[string]string{}
	for name, got := range map[string][]byte{
		"term":             v.Term("name", "رستم"),
		"another text":     v.Term("name", "سهراب"),
		"another kind":     v.Term("mobile", "رستم"),
		"shifted boundary": v.Term("nam", "eرستم"),
		"derived":          v.Derive("tracking", "a", "bc"),
		"shifted parts":    v.Derive("tracking", "ab", "c"),
		"fewer parts":      v.Derive("tracking", "abc"),
		"another purpose":  v.Derive("email-code", "a", "bc"),
	} {
		if twin, ok := seen[string(got)]; ok {
			t.Errorf("%s equals %s", name, twin)
		}
		seen[string(got)] = name
	}
	if n := len(v.Term("name", "")); n != 16 {
		t.Errorf("a term has %d bytes", n)
	}
}

// TestNothingInClear reads every byte of the tables, as a dump would.
func TestNothingInClear(t *testing.T) {
	h := newHouse(t)
	v := h.open(t)
	s := person(t, v, code)
	sealed(t, v, s)
	v.Term("name", "رستم")
	plainHash := sha256.Sum256([]byte(code))
	secrets := append(h.token.seen, []byte(code), []byte("رستم"), plainHash[:])
	dump := dump(t, h.pool)
	if !bytes.Contains(dump, []byte(s)) {
		t.Fatal("the dump does not even hold the pseudonym")
	}
	for i, secret := range secrets {
		if bytes.Contains(dump, secret) || bytes.Contains(dump, []byte(hex.EncodeToString(secret))) {
			t.Errorf("secret %d is in the tables", i)
		}
	}
}

func dump(t *testing.T, pool *pgxpool.Pool) []byte {
	t.Helper()
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	var out bytes.Buffer
	for _, table := range []string{"schema", "keys", "buckets", "subjects"} {
		for _, format := range []string{"text", "binary"} {
			copied, err := conn.Conn().PgConn().CopyTo(t.Context(), &out, "COPY vault."+table+" TO STDOUT (FORMAT "+format+")")
			if err != nil || copied.RowsAffected() == 0 {
				t.Fatalf("%s: %d rows, %v", table, copied.RowsAffected(), err)
			}
		}
	}
	return out.Bytes()
}

func BenchmarkSeal(b *testing.B) {
	v := newHouse(b).open(b)
	s := person(b, v, code)
	text := bytes.Repeat([]byte("ن"), 100)
	for b.Loop() {
		if _, err := v.Seal(b.Context(), s, place, text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	v := newHouse(b).open(b)
	s := person(b, v, code)
	text := sealed(b, v, s)
	for b.Loop() {
		if _, err := v.Open(b.Context(), s, place, text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPerson(b *testing.B) {
	v := newHouse(b).open(b)
	person(b, v, code)
	for b.Loop() {
		person(b, v, code)
	}
}
