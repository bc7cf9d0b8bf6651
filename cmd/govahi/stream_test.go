package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// screen follows a request as a browser does: when its stream ends it comes
// back, and says what it has seen last.
type screen struct {
	t     *testing.T
	base  string
	token string

	mu       sync.Mutex
	last     string // id
	state    string
	revision int64
	ends     []string // codes of the ends that were told
}

// watch follows until the test ends.
func watch(t *testing.T, s *story, persona, path string) *screen {
	t.Helper()
	token, err := s.client.token(persona)
	must(t, err)
	sc := &screen{t: t, base: s.base + path, token: token}
	ctx, stop := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() {
		for ctx.Err() == nil {
			sc.follow(ctx)
			pauseFor(ctx, 50*time.Millisecond) // a browser takes the two seconds that it is told
		}
	})
	t.Cleanup(func() { stop(); following.Wait() })
	return sc
}

func (sc *screen) follow(ctx context.Context) {
	r, err := http.NewRequestWithContext(ctx, "GET", sc.base, nil)
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer "+sc.token)
	if sc.last != "" {
		r.Header.Set("Last-Event-ID", sc.last)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return // the house is down
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode == http.StatusOK {
		sc.read(bufio.NewReader(answer.Body))
	}
}

func (sc *screen) read(lines *bufio.Reader) {
	var id, event string
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		switch name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); name {
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			sc.show(id, event, value)
		}
	}
}

// show takes an answer in: none may be older than the one before, or the same.
func (sc *screen) show(id, event, data string) {
	var said struct {
		State, Code string
		Revision    int64
	}
	if err := json.Unmarshal([]byte(data), &said); err != nil {
		sc.t.Errorf("%s: %v", data, err)
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if event == "end" {
		sc.ends = append(sc.ends, said.Code)
		return
	}
	if said.Revision < sc.revision || id == sc.last {
		sc.t.Errorf("after revision %d, %s: %s %s", sc.revision, sc.last, id, data)
	}
	sc.last, sc.state, sc.revision = id, said.State, said.Revision
}

func (sc *screen) shows(state string, most time.Duration) {
	sc.t.Helper()
	began := time.Now()
	await(sc.t, "the screen shows "+state, func() bool {
		sc.mu.Lock()
		defer sc.mu.Unlock()
		return sc.state == state
	})
	if took := time.Since(began); took > most {
		sc.t.Errorf("the screen showed %s after %s", state, took)
	}
}

// TestAScreenOutlivesTheHouse: what is written reaches it within two seconds;
// PostgreSQL is killed, the house is stopped, and killed with a command that was
// just acknowledged: nothing is lost, told twice, or taken back.
func TestAScreenOutlivesTheHouse(t *testing.T) {
	i := begin(t, dataDir(t))
	s := telling(t, i, "screen")
	must(t, s.open("outside")(t.Context()))
	sc := watch(t, s, "applicant", "/requests/"+s.code+"/stream")
	sc.shows("draft", 2*time.Second)
	steps := s.untilSubmitted()[1:]
	next := func(most time.Duration) {
		t.Helper()
		must(t, steps[0].do(t.Context()))
		sc.shows(steps[0].state, most)
		steps = steps[1:]
	}
	next(2 * time.Second)

	was := i.postmaster(t)
	must(t, syscall.Kill(was, syscall.SIGKILL))
	for range 2 {
		insist(t, s, steps[0].do) // the vault is away for a moment, too
		steps = steps[1:]
	}
	sc.shows("ready", questionsAgain)

	if took := i.signal(t, syscall.SIGTERM); took > 5*time.Second {
		t.Errorf("with a screen the house took %s to stop", took)
	}
	await(t, "the screen was told", func() bool {
		sc.mu.Lock()
		defer sc.mu.Unlock()
		return len(sc.ends) > 0 && sc.ends[len(sc.ends)-1] == "stream-interrupted"
	})
	i.again(t)

	must(t, steps[0].do(t.Context()))
	i.signal(t, syscall.SIGKILL)
	i.again(t)
	sc.shows("at-office", questionsAgain)
}

// insist repeats a command while the house says that it is not available.
func insist(t *testing.T, s *story, do func(context.Context) error) {
	t.Helper()
	must(t, s.until(t.Context(), func(ctx context.Context) (bool, error) {
		err := do(ctx)
		var refused refusal
		if errors.As(err, &refused) && refused.Status == http.StatusServiceUnavailable {
			return false, nil
		}
		return err == nil, err
	}))
}
