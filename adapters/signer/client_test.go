package signer_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"govahi/adapters/signer"
	"govahi/adapters/token"
	"govahi/domain/event"
)

// deaf is a log that cannot be written, or not even be read.
type deaf struct {
	event.Log
	reads bool
}

var errDeaf = errors.New("nobody there")

func (d deaf) Append(context.Context, event.Stream, event.Expected, ...event.Proposed) (event.Receipt, error) {
	return event.Receipt{}, errDeaf
}

func (d deaf) Read(ctx context.Context, s event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	if !d.reads {
		return d.Log.Read(ctx, s, from)
	}
	return func(yield func(event.Recorded, error) bool) { yield(event.Recorded{}, errDeaf) }
}

func TestWrappingAndAnsweringThroughTheProcess(t *testing.T) {
	h := newHouse(t, newMemory())
	plain := bytes.Repeat([]byte{7}, 32)
	wrapped, err := h.client.Wrap(t.Context(), plain)
	must(t, err)
	if got, err := h.client.Unwrap(t.Context(), wrapped); err != nil || !bytes.Equal(got, plain) || bytes.Contains(wrapped, plain) {
		t.Errorf("unwrapped %x: %v", got, err)
	}
	wrapped[20] ^= 1
	if _, err := h.client.Unwrap(t.Context(), wrapped); !errors.Is(err, token.ErrWrapped) {
		t.Errorf("unwrapped a changed key: %v", err)
	}
	if len(h.exits) != 0 {
		t.Error("a changed key ended the process")
	}
	key, err := h.client.ResponderKey(t.Context())
	must(t, err)
	digest := sha256.Sum256([]byte("answer"))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	must(t, err)
	if !ecdsa.VerifyASN1(key.Public().(*ecdsa.PublicKey), digest[:], signature) {
		t.Error("wrong signature")
	}
	if _, err := key.Sign(rand.Reader, digest[:5], crypto.SHA256); !errors.Is(err, signer.ErrDigest) {
		t.Errorf("signed half a digest: %v", err)
	}
	if h.ca.n.Load() != 0 {
		t.Error("the CA key was used")
	}
}

func TestInfoNamesIssuerAndKeys(t *testing.T) {
	h := newHouse(t, newMemory())
	info, err := h.client.Info(t.Context())
	must(t, err)
	if info.Signer != "one" || len(info.Issuers) != 1 || !info.Issuers[0].Equal(h.Certificate()) {
		t.Errorf("%+v", info)
	}
}

func TestNobodyThereIsNotAnUnknownOutcome(t *testing.T) {
	_, _, err := signer.NewClient(filepath.Join(t.TempDir(), "none")).SignCertificate(t.Context(), "certificate-00", 0, nil, nil)
	if !errors.Is(err, signer.ErrUnavailable) || errors.Is(err, signer.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
}

// TestProcessThatGoesAway hangs up before and after it has taken the question.
func TestProcessThatGoesAway(t *testing.T) {
	for _, c := range []struct {
		taken      bool
		want, wont error
	}{
		{false, signer.ErrUnavailable, signer.ErrUnknownOutcome},
		{true, signer.ErrUnknownOutcome, signer.ErrUnavailable},
	} {
		socket := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", socket)
		must(t, err)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			hangUp(l, c.taken)
		}()
		_, _, err = signer.NewClient(socket).SignCertificate(t.Context(), "certificate-00", 0, make([]byte, 100), nil)
		if !errors.Is(err, c.want) || errors.Is(err, c.wont) {
			t.Errorf("taken %v: got %v", c.taken, err)
		}
		must(t, l.Close())
		<-gone
	}
}

// TestAProcessThatLeavesAKeptConnection hangs up on the second question that comes
// over one, before it has taken it.
func TestAProcessThatLeavesAKeptConnection(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	must(t, err)
	defer func() { _ = l.Close() }()
	asked := make(chan int)
	go func() { asked <- answerOnce(l) }()
	client := signer.NewClient(socket)
	if _, _, err := client.SignCertificate(t.Context(), "certificate-00", 0, make([]byte, 100), nil); err != nil {
		t.Fatal(err)
	}
	_, _, err = client.SignCertificate(t.Context(), "certificate-00", 0, make([]byte, 100), nil)
	if n := <-asked; n != 2 {
		t.Fatalf("%d questions came over the connection: the test shows nothing", n)
	}
	if !errors.Is(err, signer.ErrUnavailable) || errors.Is(err, signer.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
}

// answerOnce answers the first question of a connection and reads the head of the
// second.
func answerOnce(l net.Listener) (questions int) {
	c, err := l.Accept()
	if err != nil {
		return 0
	}
	defer func() { _ = c.Close() }()
	from := bufio.NewReader(c)
	r, err := http.ReadRequest(from)
	if err != nil {
		return 0
	}
	_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	if _, err := http.ReadRequest(from); err != nil {
		return 1
	}
	return 2
}

func hangUp(l net.Listener, taken bool) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	_, _ = io.ReadAtLeast(c, make([]byte, 1024), 64)
	if taken {
		_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
		_, _ = io.ReadAtLeast(c, make([]byte, 1024), 64)
	}
}

func TestSocketIsForThisUserAlone(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	must(t, os.WriteFile(socket, nil, 0o600)) // left behind
	l, err := signer.Listen(socket)
	must(t, err)
	defer func() { _ = l.Close() }()
	info, err := os.Stat(socket)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if second, err := signer.Listen(socket); err == nil {
		_ = second.Close()
		t.Error("took the socket of a running process")
	}
}

func TestServerWantsTheIssuersKey(t *testing.T) {
	h := newHouse(t, newMemory())
	c := h.config("one")
	c.Issuers[0].Key = hsm.responder
	if _, err := signer.New(c); err == nil {
		t.Error("accepted another key as the CA's")
	}
}

func ecdsaKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(hsm.ca.Public().(*ecdsa.PublicKey).Curve, rand.Reader)
	must(t, err)
	return key
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// gate holds signatures back until it is opened.
type gate struct {
	crypto.Signer
	open chan struct{}
}

func (g gate) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	<-g.open
	return g.Signer.Sign(r, digest, o)
}

// TestWhoGivesUpInTheQueueHasStartedNothing fills a signer whose token hangs.
// Who comes next gives up and costs no serial; who had begun is served.
func TestWhoGivesUpInTheQueueHasStartedNothing(t *testing.T) {
	const places = 8
	h := newHouse(t, newMemory())
	g := gate{hsm.ca, make(chan struct{})}
	config := h.config("slow")
	config.Issuers[0].Key, config.Keys.AtOnce = g, 1
	s, err := signer.New(config)
	must(t, err)
	client := h.serve(t, s)
	_, err = client.Info(t.Context()) // the token is known to work: nobody tries it first
	must(t, err)
	done := make(chan error, places)
	var streams []event.Stream
	for range places {
		stream, revision, tbs := h.intend(t, asIs)
		streams = append(streams, stream)
		go func() {
			_, _, err := client.SignCertificate(context.WithoutCancel(t.Context()), stream, revision, tbs, h.by.DER)
			done <- err
		}()
	}
	h.awaitStarted(t, streams)
	late, revision, tbs := h.intend(t, asIs)
	if code := askPatiently(t, s, late, revision, tbs, h.by.DER, 100*time.Millisecond); code != signer.ErrBusy.Code {
		t.Errorf("answered %q", code)
	}
	close(g.open)
	for range places {
		must(t, <-done)
	}
	if n := len(h.read(t, late)); n != 1 {
		t.Errorf("the log holds %d events of who gave up", n)
	}
}

func (h *house) awaitStarted(t *testing.T, streams []event.Stream) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		started := 0
		for _, s := range streams {
			started += len(h.read(t, s)) - 1
		}
		if started == len(streams) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d started", started)
		}
		runtime.Gosched()
	}
}

// askPatiently asks the server itself, so that its own patience ends, and not
// the client's.
func askPatiently(t *testing.T, s *signer.Server, stream event.Stream, revision uint64, tbs, officer []byte, patience time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	body, err := json.Marshal(map[string]any{"stream": stream, "revision": revision, "tbs": tbs, "officer": officer})
	must(t, err)
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, "POST", "/certificate", bytes.NewReader(body)))
	var refusal struct{ Code string }
	must(t, json.Unmarshal(answer.Body.Bytes(), &refusal))
	return refusal.Code
}
