// Package auditor checks every certificate that was ever issued, from the log
// alone and independently of whoever made the facts: it reads the stored JSON by
// its names, folds it by itself, and knows none of the domain's deciders (a test
// of the import rules keeps it so). What it checks is listed with Kinds.
//
// It walks over the log's certificates once, in order, and follows each one's
// citations through the streams of its request, fee, token and officers. Of a
// certificate it keeps some hundred bytes, never its DER.
package auditor

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"math/big"
	"runtime"
	"sync"
	"time"

	"govahi/domain/event"
)

// Audit is what a run needs.
type Audit struct {
	Log        event.Log
	Keeper     event.Keeper
	Issuers    []Authority // of the house, the first first: what names no issuer is its
	Signatures Signatures
	Lints      []Lint // each is asked about every certificate
	Every      int    // of the certificates that are good one in so many is asked about by OCSP; 0 and 1 are all
	Clock      func() time.Time

	Differs  func(Difference)                            // told each difference, one after another; may be nil
	Progress func(checked uint64, at, of event.Position) // told now and then; may be nil
}

// Signatures verifies what officers sign (CMS, RFC 5652).
type Signatures interface {
	// Serial is that of the certificate that a signature names.
	Serial(signature []byte) (string, error)
	// Check verifies that it is over the statement, by the key of the certificate.
	Check(signature, statement, certificate []byte) error
}

// Lint names the rules that a certificate breaks; the profile is as its intent
// names it, name@version.
type Lint func(profile string, certificate *x509.Certificate) (broken []string, err error)

// Published is what relying parties see of one issuer.
type Published interface {
	// List is the present revocation list, DER.
	List(context.Context) ([]byte, error)
	// Status is the responder's signed answer about a serial.
	Status(context.Context, *big.Int) (Answer, error)
}

// Answer is what a responder says of a serial, and by which certificate.
type Answer struct {
	State  State
	Reason int // RFC 5280 §5.3.1
	At     time.Time
	By     string // serial of the responder's certificate, lower-case hexadecimal
}

// State is what OCSP says about a serial (RFC 6960 §2.2).
type State string

// The states.
const (
	Good    State = "good"
	Revoked State = "revoked"
	Unknown State = "unknown" // also a refusal to say anything about it
)

// Difference is something that is not as it must be. It names no person.
type Difference struct {
	Serial   string `json:"serial"` // of the certificate, or empty where the list itself is meant
	Kind     string `json:"kind"`
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

// Summary is what a run found.
type Summary struct {
	Position    event.Position `json:"position"` // the log's end when it began: nothing later was looked at
	Stream      event.Stream   `json:"stream"`   // the last event of certificates before that, by its lasting place
	Revision    uint64         `json:"revision"`
	Checked     int            `json:"checked"`   // certificates
	Abandoned   int            `json:"abandoned"` // serials that became none
	Erased      int            `json:"erased"`    // certificates of which something cannot be checked, for a person concerned was erased
	Listed      int            `json:"listed"`    // serials on the list
	Asked       int            `json:"asked"`     // serials that the responder was asked about
	Differences map[string]int `json:"differences"`
	At          time.Time      `json:"at"`
}

// Total counts all differences.
func (s Summary) Total() (n int) {
	for _, count := range s.Differences {
		n += count
	}
	return n
}

// run is one audit on its way.
type run struct {
	Audit
	issuers []*issuer
	now     time.Time
	cache   cache

	settlers struct { // banks
		sync.Mutex
		known bool
		names []string
	}

	mu      sync.Mutex
	summary Summary
	keys    map[keyID]event.Position // where what has a key was issued
	serials map[serial]standing      // what the log says of each
}

// serial is the number itself, half as long as its text.
type serial string

func serialOf(id string) serial {
	number, _ := hex.DecodeString(id)
	return serial(number)
}

// String is the form by which streams are named.
func (s serial) String() string { return hex.EncodeToString([]byte(s)) }

// Run checks everything that the log holds when it begins. An error says that it
// could not be read; differences are no error.
func (a Audit) Run(ctx context.Context) (Summary, error) {
	r := newRun(a)
	if err := r.begin(ctx); err != nil {
		return r.summary, err
	}
	if err := r.walk(ctx); err != nil {
		return r.summary, err
	}
	r.compareLists()
	return r.summary, nil
}

func newRun(a Audit) *run {
	r := &run{Audit: a, issuers: issuersOf(a.Issuers), keys: map[keyID]event.Position{}, serials: map[serial]standing{}, now: a.Clock()}
	r.summary.Differences, r.summary.At = map[string]int{}, r.now
	return r
}

// begin fetches the lists before it looks where the log ends: whatever they take
// account of is in the log then.
func (r *run) begin(ctx context.Context) (err error) {
	for _, i := range r.issuers {
		if i.Published != nil {
			i.list = r.fetchList(ctx, i)
		}
	}
	if r.summary.Position, err = r.Log.Head(ctx); err != nil {
		return err
	}
	for _, i := range r.issuers {
		if err := errors.Join(r.placeList(ctx, i), r.placeEnd(ctx, i)); err != nil {
			return err
		}
	}
	return nil
}

// walk looks at each event of certificates, and lets workers check each serial
// whose stream begins.
func (r *run) walk(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	work := make(chan string, 1024)
	var workers sync.WaitGroup
	for range max(2, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for id := range work {
				if err := r.check(ctx, id); err != nil {
					stop(err)
				}
			}
		})
	}
	err := r.feed(ctx, work)
	close(work)
	workers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (r *run) feed(ctx context.Context, work chan<- string) error {
	var begun uint64
	for recorded, err := range r.Log.ReadAll(ctx, 0, "certificate.") {
		switch {
		case err != nil:
			return err
		case recorded.Position > r.summary.Position:
			return nil
		}
		f := factOf(recorded)
		r.summary.Stream, r.summary.Revision = f.Stream, f.Revision
		r.stand(f)
		if f.Revision > 0 {
			continue
		}
		select {
		case work <- f.Stream.ID():
		case <-ctx.Done():
			return ctx.Err()
		}
		if begun++; r.Progress != nil && begun%64 == 0 {
			r.Progress(begun, recorded.Position, r.summary.Position)
		}
	}
	if r.Progress != nil {
		r.Progress(begun, r.summary.Position, r.summary.Position)
	}
	return nil
}

// count changes the summary.
func (r *run) count(n *int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}

// tell counts a difference and tells of it.
func (r *run) tell(d Difference) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.summary.Differences[d.Kind]++
	if r.Differs != nil {
		r.Differs(d)
	}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
