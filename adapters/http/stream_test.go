package http

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// bell is a waiter that a test rings.
type bell struct {
	waiter
	mu    sync.Mutex
	heard uint64
	lost  event.Position // the latest that the views lost again
	next  chan struct{}
}

func newBell() *bell { return &bell{next: make(chan struct{})} }

func (b *bell) Next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next
}

func (b *bell) Heard(...string) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.heard
}

func (b *bell) Position(context.Context, ...string) (event.Position, error) {
	heard := b.Heard()
	b.mu.Lock()
	defer b.mu.Unlock()
	return event.Position(heard) - b.lost, nil
}

func (b *bell) loses(n event.Position) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost = n
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard++
	close(b.next)
	b.next = make(chan struct{})
}

// board is what the tests follow: a text that all may know, or nobody.
type board struct {
	*bell
	mu      sync.Mutex
	text    string
	closed  error // for everybody
	trouble error // of the question
	broken  bool
	asked   atomic.Int64
}

type boardAnswer struct {
	Text string `json:"text"`
}

func (b *board) set(change func()) {
	b.mu.Lock()
	change()
	b.mu.Unlock()
	b.ring()
}

func (b *board) writes(text string) { b.set(func() { b.text = text }) }

func (b *board) tell(context.Context, Identity, *struct{}) (boardAnswer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		panic("the board is broken")
	}
	b.asked.Add(1)
	return boardAnswer{b.text}, b.trouble
}

func (b *board) may(_ context.Context, id Identity, _ *struct{}, _ func() (boardAnswer, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// openBoard opens a door with a board; its streams beat quickly.
func openBoard(t *testing.T, change ...func(*hub)) (*house, *board) {
	t.Helper()
	b := &board{bell: newBell(), text: "first"}
	h := open(t, func(s *Server) {
		s.app.Server().MaxIdleWorkerDuration = time.Second
		s.streams.beat = 100 * time.Millisecond
		for _, f := range change {
			f(s.streams)
		}
		Watch(s, Operation{ID: "get-board", Method: "GET", Path: "/board", Tag: "Board", Summary: "The board", View: "things"}, b.tell, b.may)
		Watch(s, Operation{ID: "get-mine", Method: "GET", Path: "/mine", Tag: "Board", Summary: "One's own", View: "things"},
			func(_ context.Context, id Identity, _ *struct{}) (Identity, error) { return id, nil }, nil)
	}, func(c *Config) { c.Waiter = b.bell })
	return h, b
}

// sse is one event of a stream, or a comment, which has nothing.
type sse struct{ id, event, data, retry string }

// following is a client of a stream, as a screen is.
type following struct {
	t      testing.TB
	answer *http.Response
	events chan sse // closed at the end of the stream
	broke  error    // how it was, if not by the server's will
}

// follow opens a stream. It is left when the test ends.
func (h *house) follow(path string, headers ...string) *following {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), "GET", h.url+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Transport: &http.Transport{}}
	h.t.Cleanup(client.CloseIdleConnections)
	response, err := client.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		refused, _ := io.ReadAll(response.Body)
		h.t.Fatalf("%s: %s %s", path, response.Status, refused)
	}
	f := &following{t: h.t, answer: response, events: make(chan sse, 1000)}
	h.t.Cleanup(f.leave)
	go f.read()
	return f
}

func (f *following) leave() { _ = f.answer.Body.Close() }

func (f *following) read() {
	defer close(f.events)
	var e sse
	for lines := bufio.NewReader(f.answer.Body); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			f.broke = err
			return
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.event = value
		case "data":
			e.data = value
		case "retry":
			e.retry = value
		case "":
			f.events <- e
			e = sse{}
		}
	}
}

// soon is how long a test waits for what must come.
const soon = 10 * time.Second

// next is the next answer or end; comments are passed over.
func (f *following) next() sse {
	f.t.Helper()
	late := time.After(soon)
	for {
		select {
		case e, more := <-f.events:
			if !more {
				f.t.Fatal("the stream is over: ", f.broke)
			}
			if e.event != "" {
				return e
			}
		case <-late:
			f.t.Fatal("nothing comes")
		}
	}
}

// says expects the next answer.
func (f *following) says(want string) sse {
	f.t.Helper()
	e := f.next()
	if e.event != "answer" || e.data != want {
		f.t.Fatalf("got %+v, want %s", e, want)
	}
	return e
}

// ends expects the stream's end, and why.
func (f *following) ends(status int, code string) Problem {
	f.t.Helper()
	e := f.next()
	var p Problem
	if err := json.Unmarshal([]byte(e.data), &p); err != nil || e.event != "end" || p.Status != status || p.Code != code || e.retry == "" {
		f.t.Fatalf("got %+v, want %d %s", e, status, code)
	}
	select {
	case e, more := <-f.events:
		if more {
			f.t.Fatalf("after its end the stream says %+v", e)
		}
	case <-time.After(soon):
		f.t.Fatal("the stream has ended and goes on")
	}
	return p
}

// comments waits for comments alone.
func (f *following) comments(n int) {
	f.t.Helper()
	for range n {
		select {
		case e, more := <-f.events:
			if !more || e.event != "" {
				f.t.Fatalf("got %+v, %v instead of a comment", e, more)
			}
		case <-time.After(soon):
			f.t.Fatal("no comment comes")
		}
	}
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.followers)
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(soon); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("not in time: ", what)
		}
	}
}

// left waits until nobody follows any more.
func (h *house) left() {
	h.t.Helper()
	eventually(h.t, "the streams are over", func() bool { return h.streams.count() == 0 })
	h.streams.mu.Lock()
	defer h.streams.mu.Unlock()
	if n := len(h.streams.topics); n != 0 {
		h.t.Errorf("%d questions are kept for nobody", n)
	}
}

func TestAStreamSendsTheAnswerAndEachChange(t *testing.T) {
	h, b := openBoard(t)
	f := h.follow("/board/stream", h.as("officer-1")...)
	for name, want := range map[string]string{
		"Content-Type": streamType, "Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff",
	} {
		if got := f.answer.Header.Get(name); got != want || f.answer.StatusCode != 200 {
			t.Errorf("%d %s: %q", f.answer.StatusCode, name, got)
		}
	}
	if e := <-f.events; e.retry != "2000" || e.event != "" {
		t.Errorf("it begins with %+v", e)
	}
	f.says(strings.TrimSpace(string(h.ask("GET", "/board", "", h.as("officer-1")...).body)))
	b.ring() // and nothing changed
	f.comments(3)
	for _, text := range []string{"second", "سوم <&>"} {
		b.writes(text)
		before := time.Now()
		e := f.says(fmt.Sprintf(`{"text":%q}`, text))
		if took := time.Since(before); took > 2*time.Second {
			t.Errorf("it took %s", took)
		}
		if at, digest, _ := strings.Cut(e.id, "-"); at != event.Position(b.Heard()).String() || len(digest) != 16 {
			t.Errorf("its id is %q", e.id)
		}
	}
	f.leave()
	h.left()
}

// TestAStreamIsPaced: of many changes in a second the last one is seen, and not
// every one.
func TestAStreamIsPaced(t *testing.T) {
	h, b := openBoard(t, func(s *hub) { s.beat = time.Hour })
	f := h.follow("/board/stream", h.as("officer-1")...)
	f.says(`{"text":"first"}`)
	begun := time.Now()
	for i := range 300 {
		b.writes(fmt.Sprint(i))
		time.Sleep(5 * time.Millisecond) // a change is an event of the world here
	}
	seen := 1
	for f.next().data != `{"text":"299"}` {
		seen++
	}
	if most := int(time.Since(begun)/changeEvery) + 2; seen > most {
		t.Errorf("%d answers in %s", seen, time.Since(begun))
	}
}

func TestWhoComesBackIsSentWhatHeHasNotSeen(t *testing.T) {
	h, b := openBoard(t)
	f := h.follow("/board/stream", h.as("officer-1")...)
	last := f.says(`{"text":"first"}`).id
	f.leave()
	b.ring() // something happened, but not to the board
	f = h.follow("/board/stream", append(h.as("officer-2"), "Last-Event-ID", last)...)
	f.comments(3)
	b.writes("second")
	f.says(`{"text":"second"}`)
	f.leave()
	for _, seen := range []string{last, "", "0", "x", "18446744073709551616-", "-"} {
		f := h.follow("/board/stream", append(h.as("officer-1"), "Last-Event-ID", seen)...)
		f.says(`{"text":"second"}`)
		f.leave()
	}
}

// TestNoAnswerGoesBack: views that lost their latest rows in a crash show an older
// answer until they have read the log again. Who has seen the newer one is shown
// nothing until then, also if he comes back meanwhile.
func TestNoAnswerGoesBack(t *testing.T) {
	h, b := openBoard(t, func(s *hub) { s.beat = 3 * time.Second })
	f := h.follow("/board/stream", h.as("officer-1")...)
	f.says(`{"text":"first"}`)
	for range 4 {
		b.ring()
	}
	b.writes("second")
	last := f.says(`{"text":"second"}`).id
	b.loses(4)
	asked := b.asked.Load()
	b.writes("first")
	eventually(t, "the board was read", func() bool { return b.asked.Load() > asked })
	b.loses(0)
	b.writes("third")
	f.says(`{"text":"third"}`)
	b.loses(6)
	b.writes("first")
	f.ends(503, "view-behind")
	f = h.follow("/board/stream", append(h.as("officer-1"), "Last-Event-ID", last)...)
	f.ends(503, "view-behind")
	b.loses(0)
	b.writes("third")
	h.follow("/board/stream", append(h.as("officer-1"), "Last-Event-ID", last)...).says(`{"text":"third"}`)
	another := h.follow("/board/stream", append(h.as("officer-1"), "Last-Event-ID", "201-0123456789abcdef")...)
	another.says(`{"text":"third"}`) // of another log
}

func TestNobodyFollowsWhatHeMayNotAsk(t *testing.T) {
	h, b := openBoard(t)
	if p := h.ask("GET", "/board/stream", "").problem(t); p.Status != 401 {
		t.Errorf("%+v", p)
	}
	if p := h.ask("GET", "/board/stream?other=1", "", h.as("officer-1")...).problem(t); p.Status != 400 {
		t.Errorf("%+v", p)
	}
	for _, refused := range []*fault.Fault{
		fault.New(fault.Forbidden, "no", "نه", "no"), fault.New(fault.NotFound, "none", "نه", "none"),
	} {
		b.set(func() { b.closed = refused })
		before := b.asked.Load()
		asked, followed := h.ask("GET", "/board", "", h.as("officer-1")...), h.ask("GET", "/board/stream", "", h.as("officer-1")...)
		if followed.StatusCode/100 != 4 || followed.StatusCode != asked.StatusCode || string(followed.body) != string(asked.body) {
			t.Errorf("asked: %d %s; followed: %d %s", asked.StatusCode, asked.body, followed.StatusCode, followed.body)
		}
		if b.asked.Load() != before {
			t.Error("the question was asked for who may not know the answer")
		}
	}
	h.left()
}

// TestRightsAreLookedAtAnewBeforeEachSending: who lost them does not see the
// change that comes with it, and hears why in his language.
func TestRightsAreLookedAtAnewBeforeEachSending(t *testing.T) {
	h, b := openBoard(t, func(s *hub) { s.beat = time.Hour })
	f := h.follow("/board/stream", append(h.as("officer-1"), "Accept-Language", "en")...)
	f.says(`{"text":"first"}`)
	b.set(func() {
		b.text, b.closed = "secret", fault.New(fault.Forbidden, "dismissed", "نه", "You were dismissed.")
	})
	if p := f.ends(403, "dismissed"); p.Detail != "You were dismissed." || p.Title != "You may not do this" {
		t.Errorf("%+v", p)
	}
	h.left()
}

// TestRightsAreLookedAtThoughNothingChanges, at each beat.
func TestRightsAreLookedAtThoughNothingChanges(t *testing.T) {
	h, b := openBoard(t)
	f := h.follow("/board/stream", h.as("officer-1")...)
	f.says(`{"text":"first"}`)
	b.mu.Lock() // without ringing
	b.closed = fault.New(fault.Forbidden, "dismissed", "برکنار شدید.", "no")
	b.mu.Unlock()
	if p := f.ends(403, "dismissed"); p.Detail != "برکنار شدید." {
		t.Errorf("%+v", p)
	}
}

func TestAStreamEndsWithItsToken(t *testing.T) {
	h, b := openBoard(t)
	token, err := h.issuer.Token("officer-1", 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	f := h.follow("/board/stream", "Authorization", "Bearer "+token)
	f.says(`{"text":"first"}`)
	for late := time.Now().Add(soon); h.ask("GET", "/board", "", "Authorization", "Bearer "+token).StatusCode == 200; {
		if time.Now().After(late) {
			t.Fatal("the token does not expire")
		}
	}
	b.writes("second")
	for e := range f.events {
		if e.event == "answer" {
			t.Errorf("after the token expired: %+v", e)
		} else if e.event == "end" && !strings.Contains(e.data, `"token-expired"`) {
			t.Errorf("%+v", e)
		}
	}
	h.left()
}

// renamed is a vault after an erasure: the same code is another person.
type renamed struct {
	people
	to atomic.Pointer[string]
}

func (r *renamed) Person(ctx context.Context, code string) (event.Subject, error) {
	if to := r.to.Load(); to != nil {
		return event.Subject(*to), nil
	}
	return r.people.Person(ctx, code)
}

func TestAStreamEndsWithItsPerson(t *testing.T) {
	vault := &renamed{}
	h := open(t, func(s *Server) {
		s.streams.beat = 100 * time.Millisecond
		Watch(s, Operation{ID: "get-mine", Method: "GET", Path: "/mine", Tag: "Board", Summary: "One's own", View: "things"},
			func(_ context.Context, id Identity, _ *struct{}) (Identity, error) { return id, nil }, nil)
	}, func(c *Config) { c.People, c.Waiter = vault, newBell() })
	f := h.follow("/mine/stream", h.as("officer-1")...)
	f.says(strings.TrimSpace(string(h.ask("GET", "/mine", "", h.as("officer-1")...).body)))
	another := "person-erased"
	vault.to.Store(&another)
	f.ends(503, "stream-interrupted")
}

// TestEachIsSentHisOwn: what is not for all is shared by nobody.
func TestEachIsSentHisOwn(t *testing.T) {
	h, _ := openBoard(t)
	for _, persona := range []string{"officer-1", "officer-2", "applicant"} {
		h.follow("/mine/stream", h.as(persona)...).says(strings.TrimSpace(string(h.ask("GET", "/mine", "", h.as(persona)...).body)))
	}
}

// TestOneAnswerServesAllWhoAskTheSame: forty are woken, the question is asked once.
func TestOneAnswerServesAllWhoAskTheSame(t *testing.T) {
	h, b := openBoard(t, func(s *hub) { s.beat, s.each = time.Hour, 40 })
	var all []*following
	for range 40 {
		f := h.follow("/board/stream", h.as("officer-1")...)
		f.says(`{"text":"first"}`)
		all = append(all, f)
	}
	before := b.asked.Load()
	b.writes("second")
	for _, f := range all {
		f.says(`{"text":"second"}`)
	}
	if n := b.asked.Load() - before; n != 1 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestStreamsAreLimited(t *testing.T) {
	h, _ := openBoard(t, func(s *hub) { s.each, s.most = 3, 5 })
	var open []*following
	follow := func(persona string) {
		t.Helper()
		f := h.follow("/board/stream", h.as(persona)...)
		f.says(`{"text":"first"}`)
		open = append(open, f)
	}
	refused := func(persona string, status int, code string) {
		t.Helper()
		a := h.ask("GET", "/board/stream", "", h.as(persona)...)
		if p := a.problem(t); p.Status != status || p.Code != code || a.Header.Get("Retry-After") == "" {
			t.Errorf("%+v %v", p, a.Header)
		}
	}
	for range 3 {
		follow("officer-1")
	}
	refused("officer-1", 429, "too-many-streams")
	follow("officer-2")
	follow("officer-2")
	refused("applicant", 503, "streams-full")
	open[0].leave()
	h.streams.waiter.(*bell).ring()
	eventually(t, "there is room again", func() bool { return h.streams.count() < 5 })
	follow("officer-1")
	refused("applicant", 503, "streams-full")
}

// TestWhoHungUpMakesRoomAtOnce: a page that is loaded again and again does not
// wait for the beat that would notice.
func TestWhoHungUpMakesRoomAtOnce(t *testing.T) {
	h, _ := openBoard(t, func(s *hub) { s.beat, s.each = time.Hour, 1 })
	for range 20 {
		f := h.follow("/board/stream", h.as("officer-1")...)
		if f.answer.StatusCode != 200 {
			t.Fatal(f.answer.Status)
		}
		f.says(`{"text":"first"}`)
		f.leave()
		eventually(t, "the connection is closed", func() bool {
			h.streams.mu.Lock()
			defer h.streams.mu.Unlock()
			for f := range h.streams.followers {
				return f.hungUp()
			}
			return true
		})
	}
}

// TestAMomentsTroubleIsNotTold: the stream lives through it and says nothing
// false; trouble that stays is told, with when to come back.
func TestAMomentsTroubleIsNotTold(t *testing.T) {
	h, b := openBoard(t, func(s *hub) { s.beat = 4 * time.Second })
	f := h.follow("/board/stream", h.as("officer-1")...)
	f.says(`{"text":"first"}`)
	b.set(func() { b.trouble = fault.New(fault.Unavailable, "views-unavailable", "نه", "no") })
	asked := b.asked.Load()
	eventually(t, "it was asked meanwhile", func() bool { return b.asked.Load() > asked })
	b.set(func() { b.text, b.trouble = "second", nil })
	f.says(`{"text":"second"}`)
	b.set(func() { b.trouble = fault.New(fault.Unavailable, "views-unavailable", "نه", "no") })
	f.ends(503, "views-unavailable")
	h.left()
}

// TestABrokenQuestionEndsItsStreamsAlone: as our own fault, and nothing is left.
func TestABrokenQuestionEndsItsStreamsAlone(t *testing.T) {
	h, b := openBoard(t)
	f, other := h.follow("/board/stream", h.as("officer-1")...), h.follow("/mine/stream", h.as("officer-1")...)
	f.says(`{"text":"first"}`)
	other.next()
	b.set(func() { b.broken = true })
	f.ends(500, "internal")
	b.set(func() { b.broken = false })
	other.comments(2)
	h.follow("/board/stream", h.as("officer-1")...).says(`{"text":"first"}`)
}

func TestHeadBeginsNoStream(t *testing.T) {
	h, _ := openBoard(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for _, method := range []string{"HEAD", "HEAD", "OPTIONS"} { // the next answer follows at once
		fmt.Fprintf(conn, "%s /board/stream HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n\r\n", method, h.as("officer-1")[1])
		request := &http.Request{Method: method}
		response, err := http.ReadResponse(answers, request)
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || method == "HEAD" && (response.StatusCode != 200 || len(body) != 0 || response.Header.Get("Content-Type") != streamType) {
			t.Errorf("%s: %d %v %q %v", method, response.StatusCode, response.Header, body, err)
		}
	}
	h.left()
}

// TestAConnectionServesOnAfterItsStream, as HTTP/1.1 has it.
func TestAConnectionServesOnAfterItsStream(t *testing.T) {
	h, b := openBoard(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for range 2 {
		b.set(func() { b.closed = nil })
		fmt.Fprintf(conn, "GET /board/stream HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n\r\n", h.as("officer-1")[1])
		response, err := http.ReadResponse(answers, nil)
		if err != nil || response.StatusCode != 200 {
			t.Fatal(response, err)
		}
		b.set(func() { b.closed = fault.New(fault.Forbidden, "dismissed", "نه", "no") })
		body, err := io.ReadAll(response.Body)
		if err != nil || !strings.Contains(string(body), "event: end") {
			t.Fatalf("%s %v", body, err)
		}
	}
}

// TestWhoDoesNotReadIsDropped, and costs no more than his connection until then.
func TestWhoDoesNotReadIsDropped(t *testing.T) {
	const crowd, size = 300, 256 << 10
	h, b := openBoard(t, func(s *hub) { s.each, s.taken = crowd+2, 3*time.Second })
	b.text = strings.Repeat("x", size)
	goroutines, heap := runtime.NumGoroutine(), heapInUse()
	silent := make([]net.Conn, crowd)
	for i := range silent {
		silent[i] = h.silently("/board/stream", h.as("officer-1")[1])
	}
	eventually(t, "all follow", func() bool { return h.streams.count() == crowd })
	reading := h.follow("/board/stream", h.as("officer-1")...)
	reading.next()
	if more := runtime.NumGoroutine() - goroutines; more > crowd+40 {
		t.Errorf("%d goroutines for %d who are silent", more, crowd)
	}
	if more := heapInUse() - heap; more > crowd*size/4 {
		t.Errorf("%d bytes for %d who are silent", more, crowd)
	}
	for i := 0; h.streams.count() > 1; i++ { // until no buffer on the way takes any more
		b.writes(strings.Repeat(fmt.Sprint(i%10), size))
		reading.next()
		if i > 60 {
			t.Fatalf("%d who do not read are still followed by the house", h.streams.count()-1)
		}
	}
	reading.leave()
	h.left()
	for _, conn := range silent {
		_ = conn.Close()
	}
	h.idle(goroutines)
}

// idle waits until there are no more goroutines than before, and no longer than
// the door keeps workers for who may come next.
func (h *house) idle(goroutines int) {
	h.t.Helper()
	for late := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > goroutines+10; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(late) {
			stacks := make([]byte, 1<<20)
			h.t.Fatalf("%d goroutines, there were %d\n%s", runtime.NumGoroutine(), goroutines, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// TestWhoReadsSlowlyIsDropped: an event has its time, however steadily a little
// of it is taken.
func TestWhoReadsSlowlyIsDropped(t *testing.T) {
	h, b := openBoard(t, func(s *hub) { s.taken = time.Second })
	b.text = strings.Repeat("x", 16<<20)
	conn := h.silently("/board/stream", h.as("officer-1")[1])
	_ = conn.(*net.TCPConn).SetReadBuffer(128 << 10)
	slow := make([]byte, 4<<10)
	if _, err := conn.Read(slow); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); h.streams.count() > 0; time.Sleep(5 * time.Millisecond) {
		if _, err := conn.Read(slow); err != nil || time.Since(begun) > soon {
			t.Fatal("he reads on, ", err)
		}
	}
}

// silently opens a stream and never reads from it.
func (h *house) silently(path, authorization string) net.Conn {
	h.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n\r\n", path, authorization)
	return conn
}

func heapInUse() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}

// TestAllStreamsEndWithTheDoor: at once, with the word to come back, and whoever
// does not read holds nothing up.
func TestAllStreamsEndWithTheDoor(t *testing.T) {
	h, b := openBoard(t, func(s *hub) { s.each = 50 })
	b.text = strings.Repeat("x", 1<<20)
	for range 20 {
		h.silently("/board/stream", h.as("officer-1")[1])
	}
	var all []*following
	for range 20 {
		f := h.follow("/board/stream", h.as("officer-1")...)
		f.next()
		all = append(all, f)
	}
	eventually(t, "all follow", func() bool { return h.streams.count() == 40 })
	begun := time.Now()
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > stopWithin {
		t.Errorf("the door took %s to close", took)
	}
	for _, f := range all {
		f.ends(503, "stream-interrupted")
	}
	h.left()
	if _, err := h.streams.enter(Identity{"late"}, matter{}); err == nil {
		t.Error("somebody entered after the end")
	}
}
