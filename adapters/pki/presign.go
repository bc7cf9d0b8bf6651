package pki

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"iter"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Knowledge is what is known of serials in memory, lower-case hexadecimal.
type Knowledge interface {
	// Known is where a serial stands; false where that is not known, or is not
	// known recently enough to be said.
	Known(serial string) (Status, bool)
	Serials() iter.Seq[string]
	Changes() <-chan struct{} // wakes who takes them; if there are none, all is known anew
	TakeChanges() []string
}

// How answers are signed before anybody asks.
const (
	sweepEvery   = time.Minute
	signAhead    = 2 * renewBefore       // of an answer's end
	betweenSigns = 10 * time.Millisecond // at least; the token has other work
	restAfter    = 3                     // times what a signature took
)

// hashes are those of CertIDs that are asked with: RFC 6960's, RFC 9919's.
var hashes = []crypto.Hash{crypto.SHA1, crypto.SHA256}

// Run answers from what is known, and signs answers for all certificates before
// they are asked for: at once after a change, and before they get old. It has one
// signature under way at a time.
func (r *Responder) Run(ctx context.Context, k Knowledge) error {
	r.known.Store(&k)
	for next := time.Now(); ; {
		if _, err := r.signChanges(ctx, k); err != nil {
			return err
		}
		if !time.Now().Before(next) {
			if err := r.sweep(ctx, k); err != nil {
				return err
			}
			next = time.Now().Add(sweepEvery)
			if r.delegate.Load() == nil {
				next = time.Now().Add(time.Second)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-k.Changes():
			if changed, err := r.signChanges(ctx, k); err != nil || changed == 0 {
				next = time.Now()
			}
		case <-time.After(time.Until(next)):
		}
	}
}

func (r *Responder) knows(serial string) (Status, bool) {
	k := r.known.Load()
	if k == nil {
		return Status{}, false
	}
	return (*k).Known(serial)
}

// signChanges does not rest: who relies on a certificate waits for it.
func (r *Responder) signChanges(ctx context.Context, k Knowledge) (int, error) {
	changed := k.TakeChanges()
	for _, serial := range changed {
		for _, h := range hashes {
			r.signAnswer(k, serial, h)
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	return len(changed), nil
}

// sweep looks at all, and lets what changed meanwhile go first.
func (r *Responder) sweep(ctx context.Context, k Knowledge) error {
	for serial := range k.Serials() {
		for _, h := range hashes {
			began := time.Now()
			if r.kept.full() || !r.signAnswer(k, serial, h) {
				continue
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(max(betweenSigns, restAfter*time.Since(began))):
			}
			if _, err := r.signChanges(ctx, k); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// signAnswer tells whether the token was asked. What fails is signed when it is
// asked for, or at the next sweep.
func (r *Responder) signAnswer(k Knowledge, serial string, h crypto.Hash) bool {
	delegate, now := r.delegate.Load(), r.clock()
	status, known := k.Known(serial)
	key := answerKey{serial, h}
	if delegate == nil || now.After(delegate.NotAfter) || !known {
		return false
	}
	if _, lasts := r.kept.get(key, status, now.Add(signAhead)); lasts {
		return false
	}
	n, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		return false
	}
	_, _ = r.fresh(delegate, key, n, status, now, now.Add(signAhead)) // as said above
	return true
}

// Ready is the answer to a request if it is signed and at hand, without any
// look at the log; who is told false asks Answer.
func (r *Responder) Ready(request []byte) (Answer, bool) {
	serial, h, ok := r.plainly(request)
	if !ok {
		return Answer{}, false
	}
	status, known := r.knows(serial)
	delegate, now := r.delegate.Load(), r.clock()
	if !known || status.State == Unknown || delegate == nil || now.After(delegate.NotAfter) {
		return Answer{}, false
	}
	kept, ok := r.kept.get(answerKey{serial, h}, status, now.Add(renewBefore))
	if !ok {
		return Answer{}, false
	}
	return kept.at(now), true
}

// The hash algorithms of a CertID, with parameters and without.
var certIDs = map[string]crypto.Hash{
	"\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00": crypto.SHA1, "\x06\x05\x2b\x0e\x03\x02\x1a": crypto.SHA1,
	"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00": crypto.SHA256, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01": crypto.SHA256,
}

// plainly reads a request of the ordinary form (RFC 6960 §4.1.1): one certificate
// of ours, unsigned, with or without a nonce. All others are read with care.
func (r *Responder) plainly(request []byte) (serial string, h crypto.Hash, ok bool) {
	all := cryptobyte.String(request)
	var ocsp, tbs, list, one, id, algorithm, name, key, number cryptobyte.String
	if len(request) > maxRequest || !all.ReadASN1(&ocsp, der.SEQUENCE) || !all.Empty() || !ocsp.ReadASN1(&tbs, der.SEQUENCE) || !ocsp.Empty() ||
		!tbs.ReadASN1(&list, der.SEQUENCE) || !tbs.SkipOptionalASN1(der.Tag(2).ContextSpecific().Constructed()) || !tbs.Empty() ||
		!list.ReadASN1(&one, der.SEQUENCE) || !list.Empty() || !one.ReadASN1(&id, der.SEQUENCE) || !one.Empty() ||
		!id.ReadASN1(&algorithm, der.SEQUENCE) || !id.ReadASN1(&name, der.OCTET_STRING) || !id.ReadASN1(&key, der.OCTET_STRING) ||
		!id.ReadASN1(&number, der.INTEGER) || !id.Empty() {
		return "", 0, false
	}
	h, ok = certIDs[string(algorithm)]
	ours := r.ids[h]
	if !ok || !bytes.Equal(ours.name, name) || !bytes.Equal(ours.key, key) || len(number) == 0 || number[0] >= 0x80 {
		return "", 0, false
	}
	if number[0] == 0 {
		number = number[1:]
	}
	return hex.EncodeToString(number), h, true
}
