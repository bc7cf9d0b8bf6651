package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// desk is a workstation: govahi-token with a person's bearer token in a file.
type desk struct {
	t           *testing.T
	s           *story
	dir, bearer string
	server      string
}

// deskOf is that of a persona; its tokens are in dir.
func deskOf(t *testing.T, s *story, persona, dir string) desk {
	t.Helper()
	token, err := s.client.token(persona)
	must(t, err)
	file := filepath.Join(t.TempDir(), "bearer")
	must(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	return desk{t, s, dir, file, s.base}
}

// command is a run of the workstation.
func (d desk) command(verb string, args ...string) *exec.Cmd {
	args = append([]string{verb, "--dir", d.dir, "--server", d.server, "--bearer", d.bearer}, args...)
	return exec.CommandContext(d.t.Context(), beside("govahi-token"), args...)
}

// run ends with a code; both outputs are given.
func (d desk) run(verb string, args ...string) (out, said string, code int) {
	d.t.Helper()
	return ended(d.t, d.command(verb, args...))
}

func ended(t *testing.T, cmd *exec.Cmd) (out, said string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.TrimSpace(stdout.String()), stderr.String(), cmd.ProcessState.ExitCode()
}

// does wants success.
func (d desk) does(verb string, args ...string) string {
	d.t.Helper()
	out, said, code := d.run(verb, args...)
	if code != 0 {
		d.t.Fatalf("%s ended with %d: %s", verb, code, said)
	}
	return out
}

// stops wants a refusal in both languages.
func (d desk) stops(want int, fa, en, verb string, args ...string) {
	d.t.Helper()
	if _, said, code := d.run(verb, args...); code != want || !strings.Contains(said, fa) || !strings.Contains(said, en) {
		d.t.Errorf("%s ended with %d, expected %d with %q and %q: %s", verb, code, want, fa, en, said)
	}
}

// through puts something between the workstation and the house.
func (d desk) through(t *testing.T, change func(*httputil.ReverseProxy) http.Handler) desk {
	t.Helper()
	house, err := url.Parse(d.s.base)
	must(t, err)
	proxy := httputil.NewSingleHostReverseProxy(house)
	server := httptest.NewServer(change(proxy))
	t.Cleanup(server.Close)
	d.server = server.URL
	return d
}

// blank is a token of the office's stock.
func (d desk) blank(office string) string {
	d.t.Helper()
	serial, err := workstation(d.t.Context(), d.dir, nil, "init")
	must(d.t, err)
	stock := map[string]string{"serial": serial, "model": "SoftHSM sample", "office": office}
	must(d.t, d.s.post(d.t.Context(), "officer-1", "stock-"+serial, "/tokens", stock, nil))
	return serial
}

// controlled is a request that waits for the second officer.
func controlled(t *testing.T) (*instance, *story) {
	t.Helper()
	i := begin(t, dataDir(t))
	s := telling(t, i, "desk")
	must(t, s.tell(t.Context(), s.untilSubmitted()))
	must(t, s.tell(t.Context(), s.untilConfirmed()[:2]))
	return i, s
}

// TestWorkstationConfirms: the second officer sees the record at his terminal,
// says yes, and his token signs what the workstation computed itself.
func TestWorkstationConfirms(t *testing.T) {
	t.Parallel()
	i, s := controlled(t)
	serial, err := s.officers.serial("officer-2")
	must(t, err)
	d := deskOf(t, s, "officer-2", s.officers.dir)
	with := []string{s.code, "--token", serial}

	d.stops(6, "پایانه", "terminal", "confirm", with...)
	d.stops(1, "دوازده رقم", "twelve digits", "confirm", "12", "--token", serial)
	d.stops(2, "[", "request-not-found", "confirm", "052527775641", "--token", serial, "--yes")
	lying := d.through(t, changed("/record", "statement", "Govahi: pay me\n"))
	lying.stops(5, "چیزی امضا نشد", "nothing was signed", "confirm", append(with, "--yes")...)
	away := d
	away.server = "http://127.0.0.1:1"
	away.stops(4, "دوباره اجرا کنید", "repeat the same command", "confirm", append(with, "--yes", "--wait", "1s")...)
	open := d
	open.server = "http://192.0.2.1"
	open.stops(1, "https", "https", "confirm", append(with, "--yes")...)
	d.atTerminal("no\n", "", 6, with...)
	if n := i.events(t, "enrollment.information-confirmed"); n != 0 {
		t.Fatalf("%d confirmations by who did not say yes", n)
	}

	d.killedBetweenRequests("confirm", append(with, "--yes")...)
	hash := d.does("confirm", append(with, "--yes")...)
	if again := d.does("confirm", append(with, "--yes")...); again != hash {
		t.Errorf("confirmed %s and then %s", hash, again)
	}
	if n := i.events(t, "enrollment.information-confirmed"); n != 1 {
		t.Errorf("%d confirmations", n)
	}
	first := deskOf(t, s, "officer-1", s.officers.dir)
	one, err := s.officers.serial("officer-1")
	must(t, err)
	first.stops(2, "وضعیت", "where it stands", "confirm", s.code, "--token", one, "--yes")
}

// TestWorkstationAsksAtTheTerminal: names are shown there and nowhere else.
func TestWorkstationAsksAtTheTerminal(t *testing.T) {
	t.Parallel()
	_, s := controlled(t)
	serial, err := s.officers.serial("officer-2")
	must(t, err)
	d := deskOf(t, s, "officer-2", s.officers.dir)
	name := applicantForm("applicant").Surname
	d.atTerminal("بله\n", name, 0, s.code, "--token", serial)
	if _, said, _ := d.run("confirm", s.code, "--token", serial, "--yes"); strings.Contains(said, name) {
		t.Error("a name in a pipe:", said)
	}
}

// atTerminal runs confirm on a terminal of its own (script, of Debian's bsdutils).
func (d desk) atTerminal(typed, shown string, want int, args ...string) {
	d.t.Helper()
	line := strings.Join(append([]string{beside("govahi-token"), "confirm", "--dir", d.dir, "--server", d.server, "--bearer", d.bearer}, args...), " ")
	cmd := exec.CommandContext(d.t.Context(), "script", "-qec", line, "/dev/null")
	cmd.Stdin = strings.NewReader(typed)
	if out, _, code := ended(d.t, cmd); code != want || !strings.Contains(out, shown) {
		d.t.Errorf("at a terminal: ended with %d, expected %d and %q: %s", code, want, shown, out)
	}
}

// TestWorkstationPersonalises: from a confirmed request to a token that its
// holder activates, killed before and after every request to the house.
func TestWorkstationPersonalises(t *testing.T) {
	t.Parallel()
	i, s := controlled(t)
	must(t, s.confirm(t.Context()))
	d := deskOf(t, s, "officer-1", filepath.Join(filepath.Dir(i.dir), "tokens"))
	token := d.blank(sampleOffice)
	with := []string{s.code, "--token", token, "--algorithm", "p-256"}

	deskOf(t, s, "officer-other", d.dir).stops(2, "[request-not-found]", "[request-not-found]", "personalise", with...)
	d.killedBetweenRequests("personalise", with...)
	fingerprint := d.does("personalise", with...)
	if again := d.does("personalise", with...); again != fingerprint {
		t.Errorf("personalised with %s, and again with %s", fingerprint, again)
	}
	for name, want := range map[string]int{
		"enrollment.issuance-requested": 1, "enrollment.token-personalised": 1, "token.reserved": 1, "enrollment.issued": 1,
	} {
		if n := i.events(t, name); n != want {
			t.Errorf("%d × %s, expected %d", n, name, want)
		}
	}
	on, err := workstation(t.Context(), d.dir, nil, "read", "--token", token)
	if err != nil || on != fingerprint {
		t.Errorf("the token holds %s, expected %s: %v", on, fingerprint, err)
	}
	other := d.blank(sampleOffice)
	d.stops(3, "توکن دیگری", "another token", "personalise", s.code, "--token", other)

	must(t, s.tell(t.Context(), s.untilActive()[3:5])) // the sheet, the delivery
	holder := deskOf(t, s, "applicant", d.dir)
	if serial := holder.does("activate", s.code, "--token", token); serial != holder.does("activate", s.code, "--token", token) {
		t.Errorf("activated %s", serial)
	}
	if n := i.events(t, "token.pin-activated"); n != 1 {
		t.Errorf("activated %d times", n)
	}
}

// TestWorkstationWritesNothingForeign: a certificate that is not of this request
// is not written, and an unfit token is not used.
func TestWorkstationWritesNothingForeign(t *testing.T) {
	t.Parallel()
	i, s := controlled(t)
	d := deskOf(t, s, "officer-1", filepath.Join(filepath.Dir(i.dir), "tokens"))
	token := d.blank(sampleOffice)
	with := []string{s.code, "--token", token, "--algorithm", "p-256"}
	d.stops(2, "تأیید", "confirmed", "personalise", with...)
	must(t, s.confirm(t.Context()))

	for what, path := range map[string]string{"personCode": "/form", "email": "/form", "fingerprint": "/requests/" + s.code} {
		lying := d.through(t, changed(path, what, "9992010101"))
		lying.stops(5, "چیزی روی توکن نوشته نشد", "nothing was written", "personalise", with...)
	}
	if on, err := workstation(t.Context(), d.dir, nil, "read", "--token", token); err == nil {
		t.Errorf("the token holds %s", on)
	}
	d.stops(3, "شمارهٔ سریال", "check its serial", "personalise", s.code, "--token", "0000000000000000", "--pin-file", filepath.Join(d.dir, token+".pin"))
	d.does("personalise", with...)
}

// TestWorkstationGetsAnOfficersCertificate waits for the approval, in as many
// runs as it takes.
func TestWorkstationGetsAnOfficersCertificate(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t))
	s := telling(t, i, "credential")
	d := deskOf(t, s, "officer-other", filepath.Join(filepath.Dir(i.dir), "tokens"))
	token, err := workstation(t.Context(), d.dir, nil, "init")
	must(t, err)
	file := filepath.Join(d.dir, "particulars.json")
	data, err := json.Marshal(map[string]string{
		"office": otherOffice, "givenName": "مأمور", "surname": "نمونه‌پور", "latinGivenName": "Mamur", "latinSurname": "Nemunepur",
		"personCode": "۹۹۹۲۰۰۷۰۷۹", "email": "other@example.ir",
	})
	must(t, err)
	must(t, os.WriteFile(file, data, 0o600))
	with := []string{"--token", token, "--particulars", file}

	d.stops(4, "دیرتر", "later", "credential", append(with, "--wait", "2s")...)
	for _, number := range i.requested(t, s) {
		must(t, s.post(t.Context(), "ca-operator", "vouch-"+number, "/credentials/"+number+"/approval", nil, nil))
	}
	fingerprint := d.does("credential", with...)
	if again := d.does("credential", with...); again != fingerprint {
		t.Errorf("got %s and then %s", fingerprint, again)
	}
	signature, err := workstation(t.Context(), d.dir, []byte("statement"), "sign", "--token", token)
	if err != nil || signature == "" {
		t.Errorf("no signature by it: %v", err)
	}
}

// requested are the officers' requests that wait for an operator.
func (i *instance) requested(t *testing.T, s *story) (numbers []string) {
	t.Helper()
	await(t, "the officer's request", func() bool {
		var all []struct{ Number, Status string }
		must(t, s.get(t.Context(), "ca-operator", "/credentials", &all))
		for _, c := range all {
			if c.Status == "requested" {
				numbers = append(numbers, c.Number)
			}
		}
		return len(numbers) > 0
	})
	return numbers
}

// events counts those of a name, whatever their version.
func (i *instance) events(t *testing.T, name string) int {
	t.Helper()
	n := 0
	for _, f := range i.facts(t) {
		if strings.HasPrefix(f.Type, name+".") {
			n++
		}
	}
	return n
}

// killedBetweenRequests runs a command again and again, killed before its first
// request is sent on, after it is answered and before the answer comes, before
// the second, and so on, until a run gets through.
func (d desk) killedBetweenRequests(verb string, args ...string) {
	d.t.Helper()
	runs := 0
	for n := int64(1); ; n++ {
		for _, answered := range []bool{false, true} {
			if !d.killedAt(n, answered, verb, args...) {
				if runs < 4 {
					d.t.Errorf("only %d runs were killed", runs)
				}
				return
			}
			runs++
		}
	}
}

// killedAt tells whether the run made so many requests.
func (d desk) killedAt(nth int64, answered bool, verb string, args ...string) (killed bool) {
	d.t.Helper()
	var seen, struck atomic.Int64
	var process atomic.Pointer[os.Process]
	d = d.through(d.t, func(p *httputil.ReverseProxy) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if seen.Add(1) < nth {
				p.ServeHTTP(w, r)
				return
			}
			if answered {
				p.ServeHTTP(httptest.NewRecorder(), r)
			}
			struck.Add(1)
			_ = process.Load().Signal(syscall.SIGKILL)
			panic(http.ErrAbortHandler)
		})
	})
	cmd := d.command(verb, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	must(d.t, cmd.Start())
	process.Store(cmd.Process)
	err := cmd.Wait()
	if struck.Load() == 0 && err != nil {
		d.t.Fatalf("%s, to be killed at request %d: %v: %s", verb, nth, err, &said)
	}
	return struck.Load() > 0
}

// changed replaces a field of one answer: a house that lies.
func changed(path, field, value string) func(*httputil.ReverseProxy) http.Handler {
	return func(p *httputil.ReverseProxy) http.Handler {
		p.ModifyResponse = func(r *http.Response) error {
			if !strings.HasSuffix(r.Request.URL.Path, path) || r.StatusCode != http.StatusOK {
				return nil
			}
			var answer map[string]any
			if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
				return err
			}
			if _, there := answer[field]; there {
				answer[field] = value
			}
			data, err := json.Marshal(answer)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
			r.Header.Set("Content-Length", fmt.Sprint(len(data)))
			return err
		}
		return p
	}
}
