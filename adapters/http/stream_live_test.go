package http

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"govahi/commands"
	"govahi/queries"
)

// shows waits for the answer to be as the question has it, and no longer than a
// screen may be behind.
func (f *following) shows(l *life, persona, path string) {
	f.t.Helper()
	begun, late := time.Now(), time.After(soon)
	for {
		select {
		case e, more := <-f.events:
			if !more || e.event == "end" {
				f.t.Fatalf("%s ends: %+v", path, e)
			}
			if e.event != "answer" || e.data != string(bytes.TrimSpace(l.get(persona, path).body)) {
				continue
			}
			if took := time.Since(begun); took > 2*time.Second {
				f.t.Errorf("%s took %s", path, took)
			}
			return
		case <-late:
			f.t.Fatalf("%s does not show %s", path, l.get(persona, path).body)
		}
	}
}

// TestScreensFollowTheHouse: each question that a screen follows, on the real
// views, as the story goes on.
func TestScreensFollowTheHouse(t *testing.T) {
	t.Parallel()
	l := tell(t)
	screens := map[string]*following{}
	followed := map[string][]string{
		"applicant": {"/requests", "/requests/" + l.code},
		"officer-1": {"/offices/office-1/requests", "/offices/office-1/requests?state=confirmed", "/requests/" + l.code},
		"auditor":   {"/requests/" + l.code, "/offices/office-1/requests", "/cases", "/cases?status=open"},
	}
	for persona, paths := range followed {
		for _, path := range paths {
			at, filter, _ := strings.Cut(path, "?")
			f := l.follow(at+"/stream?"+filter, l.as(persona)...)
			screens[persona+path] = f
			f.shows(l.life, persona, path)
		}
	}
	all := func(except string) {
		t.Helper()
		for persona, paths := range followed {
			for _, path := range paths {
				if !strings.HasPrefix(path, except) {
					screens[persona+path].shows(l.life, persona, path)
				}
			}
		}
	}
	var review commands.Review
	l.get("officer-2", "/requests/"+l.code+"/record").json(t, &review)
	l.does("officer-2", "confirmation", "confirmed", confirming("officer-2", review))
	all("/cases")
	l.does("officer-1", "rejection", "rejected", map[string]string{"reason": "not-entitled"})
	all("/cases")
}

// TestTheManagementViewIsFollowed: it is another when something happened, and
// not because time goes by.
func TestTheManagementViewIsFollowed(t *testing.T) {
	t.Parallel()
	l := alive(t)
	l.streams.beat = 50 * time.Millisecond
	head, err := l.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := l.follow("/management/stream?after="+head.String(), l.as("manager")...)
	var m queries.Management
	for _, requests := range []int64{0, 1, 2} {
		if requests > 0 {
			l.done("applicant", "/requests", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"})
		}
		for counted := int64(-1); counted != requests; { // an event may be stored between two counts of one answer
			if err := json.Unmarshal([]byte(f.next().data), &m); err != nil || len(m.States) > 1 {
				t.Fatalf("%v %+v", err, m)
			}
			counted = 0
			for _, s := range m.States {
				counted = s.Count
			}
		}
		f.comments(20)
	}
}

// TestWhoIsDismissedFollowsNoLonger: nothing of what happens after is sent.
func TestWhoIsDismissedFollowsNoLonger(t *testing.T) {
	t.Parallel()
	l := tell(t)
	l.streams.beat = time.Hour // the next change, and not the beat, is where it shows
	queue := l.follow("/offices/office-1/requests/stream", l.as("officer-1")...)
	request := l.follow("/requests/"+l.code+"/stream", l.as("officer-1")...)
	elsewhere := l.follow("/requests/"+l.code+"/stream", l.as("auditor")...)
	for _, f := range []*following{queue, request, elsewhere} {
		f.next()
	}
	l.done("admin", "/dismissals", map[string]any{"personCode": personOf("officer-1"), "role": "registration-officer", "place": "office-1"})
	l.does("applicant", "withdrawal", "withdrawn", nil)
	queue.ends(403, "not-appointed")
	request.ends(404, "request-not-found")
	if e := elsewhere.next(); !strings.Contains(e.data, `"state":"withdrawn"`) {
		t.Errorf("%+v", e)
	}
	for _, path := range []string{"/offices/office-1/requests", "/requests/" + l.code} {
		asked, followed := l.get("officer-1", path), l.get("officer-1", path+"/stream")
		if asked.StatusCode == 200 || followed.StatusCode != asked.StatusCode || !bytes.Equal(followed.body, asked.body) {
			t.Errorf("%s: %d %s, %d %s", path, asked.StatusCode, asked.body, followed.StatusCode, followed.body)
		}
	}
}
