package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEveryRequestOfTheStoryIsRepeated: at once, several times and while the
// first is still running; later; and after a kill. All are answered alike, the
// log holds what it holds without repetition, and no message goes out twice. The
// same key with another question is refused.
func TestEveryRequestOfTheStoryIsRepeated(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t))
	plain, repeated := &tape{}, &echo{t: t}
	first := i.storyTold(t, "plain", plain)
	second := i.storyTold(t, "repeated", repeated)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the repeated story left other events (-once +repeated):\n%s", diff)
	}
	repeated.otherQuestions()
	i.repeatsNothing(t, &repeated.tape)
	i.signal(t, syscall.SIGKILL)
	i.again(t)
	i.repeatsNothing(t, &repeated.tape)
	i.sameViews(t)
}

// storyTold tells a whole story and returns the names of the events that it
// left, sorted: repetitions may change an order between streams.
func (i *instance) storyTold(t *testing.T, name string, heard http.RoundTripper) []string {
	t.Helper()
	s := telling(t, i, name) // sows what is not there yet
	s.http.Transport = heard
	i.atRest(t)
	before := len(i.facts(t))
	for _, part := range [][]step{s.untilSubmitted(), s.untilConfirmed(), s.untilActive(), s.untilRevoked()} {
		must(t, s.tell(t.Context(), part))
	}
	i.atRest(t)
	var names []string
	for _, f := range i.facts(t)[before:] {
		names = append(names, f.Type)
	}
	slices.Sort(names)
	return names
}

// repeatsNothing sends every command again and compares answers, log and outbox.
func (i *instance) repeatsNothing(t *testing.T, heard *tape) {
	t.Helper()
	facts, mail := i.facts(t), i.outboxFiles(t)
	for _, c := range heard.commands() {
		again, err := c.again(t.Context())
		must(t, err)
		if diff := cmp.Diff(c.answer, again); diff != "" {
			t.Errorf("%s under the key %s is answered differently later:\n%s", c.path, c.key, diff)
		}
	}
	i.atRest(t)
	if diff := cmp.Diff(facts, i.facts(t)); diff != "" {
		t.Errorf("the repetition left events:\n%s", diff)
	}
	if diff := cmp.Diff(mail, i.outboxFiles(t)); diff != "" {
		t.Errorf("the repetition sent messages:\n%s", diff)
	}
}

// echo sends every command several times at once.
type echo struct {
	tape
	t *testing.T
}

const echoes = 4

// RoundTrip answers with the last of the answers, which must all be alike.
func (e *echo) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Idempotency-Key") == "" {
		return http.DefaultTransport.RoundTrip(r)
	}
	h := heard{key: r.Header.Get("Idempotency-Key"), url: r.URL.String(), path: r.URL.Path, header: r.Header.Clone()}
	if r.Body != nil {
		var err error
		if h.body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	var answers [echoes]answer
	var errs [echoes]error
	var all sync.WaitGroup
	for n := range answers {
		all.Go(func() { answers[n], errs[n] = h.again(r.Context()) })
	}
	all.Wait()
	for n := range answers {
		if diff := cmp.Diff(answers[0], answers[n]); diff != "" {
			e.t.Errorf("%s was answered in two ways at once:\n%s", h.path, diff)
		}
	}
	h.answer = answers[0]
	e.mu.Lock()
	e.all = append(e.all, h)
	e.mu.Unlock()
	return h.answer.response(r), errors.Join(errs[:]...)
}

func (a answer) response(r *http.Request) *http.Response {
	header := http.Header{}
	header.Set("Govahi-Position", a.Position)
	return &http.Response{
		StatusCode: a.Status, Header: header, Body: io.NopCloser(strings.NewReader(a.Body)), Request: r,
	}
}

// otherQuestions uses each key for something else: for a form that differs, and
// at another door.
func (e *echo) otherQuestions() {
	e.t.Helper()
	refused := 0
	for _, h := range e.commands() {
		if h.answer.Status >= 300 {
			continue
		}
		other := h
		switch {
		case strings.HasSuffix(h.path, "/form"):
			other.body = bytes.Replace(h.body, []byte("nemune@"), []byte("other@"), 1)
		case h.path == "/requests":
			continue
		default:
			other.url = strings.TrimSuffix(h.url, h.path) + "/requests"
			other.body = []byte(`{"channel":"outside","certificateType":"cpmis-signature"}`)
			other.header.Set("Content-Type", "application/json")
		}
		got, err := other.again(e.t.Context())
		must(e.t, err)
		if got.Status != 422 || !strings.Contains(got.Body, `"idempotency-key-reused"`) {
			e.t.Errorf("the key of %s with another question: %d %s", h.path, got.Status, got.Body)
		}
		refused++
	}
	if refused < 15 {
		e.t.Errorf("only %d keys were tried", refused)
	}
}
