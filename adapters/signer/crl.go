package signer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"govahi/domain/crl"
	"govahi/domain/event"
)

// maxCRL bounds a revocation list: some five million entries. It is scanned as
// it comes, so that it costs no memory here.
const maxCRL = 256 << 20

// signCRL signs an intended revocation list, once (pki.md §5.3, step 6). Its
// to-be-signed bytes are the body as they are, and the signature alone goes back:
// a list may have a million entries.
func (s *Server) signCRL(w http.ResponseWriter, r *http.Request) {
	reply, err := s.signedCRL(r.Context(), r.URL.Query().Get("stream"), r.URL.Query().Get("revision"), http.MaxBytesReader(w, r.Body, maxCRL))
	if err != nil {
		slog.Warn("signer: refused or failed", "path", r.URL.Path, "error", err)
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxCRL)) // else the answer might be lost behind what is still sent
		refuse(w, err)
		return
	}
	_ = json.NewEncoder(w).Encode(reply)
}

func (s *Server) signedCRL(ctx context.Context, stream, revision string, tbs io.Reader) (crlReply, error) {
	at, err := strconv.ParseUint(revision, 10, 64)
	if err != nil {
		return crlReply{}, ErrMalformed
	}
	issuer, err := s.listsOf(event.Stream(stream))
	if err != nil {
		return crlReply{}, err
	}
	list, err := readCRL(issuer.Certificate, tbs)
	if err != nil {
		return crlReply{}, err
	}
	q := cited{event.Stream(stream), at, list.digest, list.hash}
	start, err := s.intendedCRL(ctx, issuer.Certificate, q, list)
	if err != nil {
		return crlReply{}, err
	}
	signature, err := s.sign(ctx, issuer, q, start)
	return crlReply{signature, s.ID}, err
}

// receivedCRL is what a list says, and what it hashes to.
type receivedCRL struct {
	scannedCRL
	tbsHash string // SHA-256, hexadecimal
	digest  []byte // of the signature's algorithm
	hash    crypto.Hash
}

// readCRL scans and hashes a list as it comes.
func readCRL(issuer *x509.Certificate, tbs io.Reader) (list receivedCRL, err error) {
	algorithm, err := algorithmFor(issuer.PublicKey)
	if err != nil {
		return list, err
	}
	list.hash = hashOf(algorithm)
	sum, digest := sha256.New(), list.hash.New()
	into := io.Writer(sum)
	if list.hash != crypto.SHA256 {
		into = io.MultiWriter(sum, digest)
	}
	if list.scannedCRL, err = scanCRL(io.TeeReader(tbs, into)); err != nil {
		return list, err
	}
	if !bytes.Equal(list.algorithm, algorithms[algorithm]) {
		return list, ErrIssuer
	}
	list.tbsHash, list.digest = hex.EncodeToString(sum.Sum(nil)), sum.Sum(nil)
	if list.hash != crypto.SHA256 {
		list.digest = digest.Sum(nil)
	}
	return list, nil
}

// lookBack is enough to see the list before: it took an intent, a start and a
// result at most. The whole stream is as long as the series.
const lookBack = 3

func (s *Server) intendedCRL(ctx context.Context, issuer *x509.Certificate, q cited, list receivedCRL) (start, error) {
	events, err := read(ctx, s.Log, q.stream, q.revision-min(q.revision, lookBack))
	if err != nil {
		return start{}, err
	}
	if len(events) == 0 || events[len(events)-1].Revision != q.revision {
		return start{}, crl.ErrNotIntended
	}
	last := len(events) - 1
	before, err := crl.Kind.FoldOn(crl.Series{}, events[:last]...)
	if err != nil {
		return start{}, err
	}
	state, err := crl.Kind.FoldOn(before, events[last])
	if err != nil {
		return start{}, err
	}
	if state.Intent.Number <= before.Intent.Number {
		return start{}, crl.ErrNumber
	}
	if err := checkCRL(issuer, list.scannedCRL, state.Intent); err != nil {
		return start{}, err
	}
	decided, err := crl.StartSigning{
		Number: state.Intent.Number, TBSHash: list.tbsHash, Signer: s.ID, At: s.Clock(),
	}.Decide(state)
	return starting(crl.Kind, decided, strconv.FormatUint(list.number, 10)), err
}

// checkCRL compares the list with its intent (RFC 5280 §5).
func checkCRL(issuer *x509.Certificate, list scannedCRL, i crl.Intended) error {
	switch {
	case !bytes.Equal(list.issuer, issuer.RawSubject), !bytes.Equal(list.keyID, issuer.SubjectKeyId):
		return ErrIssuer
	case list.number != i.Number:
		return crl.ErrNumber
	case !list.thisUpdate.Equal(i.ThisUpdate), !list.nextUpdate.Equal(i.NextUpdate), !list.thisUpdate.Before(list.nextUpdate):
		return ErrValidity
	case list.entries != i.Entries:
		return ErrProfile
	}
	return nil
}
