package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"

	pkiprofiles "govahi/adapters/pki/profiles"
	"govahi/adapters/sso"
)

// up runs the product on this machine.
type up struct {
	settings
	Hints bool `default:"true" negatable:"" help:"Say how to go on from here."`
}

// Run keeps the whole house until it is told to stop.
func (u up) Run() error { return u.live(allRoles, u.Hints) }

// live keeps a house, or these rooms of it, until it is told to stop.
func (s settings) live(roles []string, hints bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	defer stop()
	defer insistOnStopping(ctx)()
	if err := s.check(); err != nil {
		return err
	}
	d, err := openData(s.Data, s.Mode)
	if err != nil {
		return err
	}
	report, err := logTo(d.path("govahi.log"))
	if err != nil {
		return err
	}
	a := newAnnouncer(os.Stdout)
	h := &house{settings: s, roles: roles, data: d, report: report, ready: a.part}
	if err := h.listen(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx) }()
	switch err := h.awaitReady(ctx, ended); {
	case errors.Is(err, errStopped) && ctx.Err() != nil: // as it was told to
		return nil
	case err != nil:
		return err
	}
	report.Info("ready", "version", version, "address", s.Listen, "base", s.base(), "mode", s.Mode, "roles", roles)
	a.welcome(h)
	if h.opens() && h.Mode != sso.Development && sampleCA(h.caDir(d)) {
		report.Warn("a CA for development is at work in production", "directory", h.caDir(d))
		a.warn(h.caDir(d))
	}
	if hints {
		a.hints(h)
	}
	err = <-ended
	report.Info("stopped", "error", err)
	_, _ = fmt.Fprintln(os.Stdout, "stopped.")
	return err
}

// stops are the signals that stop the house. A terminal that closes hangs up:
// that would kill the house between two steps, and its children with it. Under
// nohup it is ignored, and stays so.
func stops() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// stopWithin is what a part that hangs, on a full disk say, may take of a stop;
// what is left running then, the next start finds and stops.
const stopWithin = 10 * time.Second

// insistOnStopping ends the process if a stop hangs.
func insistOnStopping(ctx context.Context) (done func() bool) {
	return context.AfterFunc(ctx, func() {
		time.Sleep(stopWithin)
		_, _ = fmt.Fprintln(os.Stderr, "govahi: a part does not stop; see govahi.log. Ending all the same.")
		os.Exit(1)
	})
}

var errStopped = errors.New("stopped before it was ready")

// awaitReady waits until the door says that every part is ready.
func (h *house) awaitReady(ctx context.Context, ended <-chan error) error {
	client := http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for {
		if r, err := client.Get("http://" + h.Listen + "/health/ready"); err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-ended:
			if err == nil {
				err = errStopped
			}
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// logTo writes the operator's log to a file; the screen is for people.
func logTo(file string) (*slog.Logger, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return slog.New(slog.NewTextHandler(f, nil)), nil
}

// announcer tells who waits which part is ready, and when.
type announcer struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

func newAnnouncer(out io.Writer) *announcer { return &announcer{out: out, began: time.Now()} }

func (a *announcer) part(name, detail string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, _ = fmt.Fprintf(a.out, "  ✓ %5d ms  %-9s %s\n", time.Since(a.began).Milliseconds(), name, detail)
}

func (a *announcer) welcome(h *house) {
	if h.has(roleProjector) {
		a.part("views", "projections and policies are up to date")
	}
	if len(h.roles) < len(allRoles) {
		a.part("roles", strings.Join(h.roles, ", "))
	}
	_, _ = fmt.Fprintf(a.out, "\nGovahi is ready after %d ms.\n\n", time.Since(a.began).Milliseconds())
	if h.has(roleAPI) {
		_, _ = fmt.Fprintf(a.out, "  home         %s/\n  API          %s/docs\n", h.base(), h.base())
	}
	if h.Metrics != "" {
		_, _ = fmt.Fprintf(a.out, "  metrics      http://%s/metrics\n", h.Metrics)
	}
	_, _ = fmt.Fprintf(a.out, "  health       http://%s/health/ready\n  log          %s\n", h.Listen, h.data.path("govahi.log"))
}

// sampleCA tells whether the ceremony of a CA's directory was development's. One
// that is older than its file is taken for a real one.
func sampleCA(dir string) bool {
	text, err := pkiprofiles.ReadPath(filepath.Join(dir, "ceremony.yaml"))
	var held struct {
		Mode string `yaml:"mode"`
	}
	return err == nil && yaml.Unmarshal(text, &held) == nil && held.Mode == "development"
}

// warn is loud where people are real, and the root is nobody's.
func (a *announcer) warn(dir string) {
	_, _ = fmt.Fprintf(a.out, "\n!!! هشدار: این سامانه در production است و مرکز صدور آن آزمایشی: آیین کلید %[1]s با mode: development برگزار شده و ریشه‌اش از آن هیچ‌کس نیست.\n"+
		"!!! به گواهی‌هایش نباید اعتماد کرد؛ آیین را با پرونده‌ای با mode: intermediate برگزار کنید (govahi-signer ceremony ca.yaml؛ docs/operations.md).\n"+
		"!!! WARNING: this house is in production, and works with a CA for development: the ceremony of %[1]s was held with mode: development, and its root is nobody's.\n"+
		"!!! Its certificates are not to be trusted: hold a ceremony with a file of mode: intermediate (govahi-signer ceremony ca.yaml; docs/operations.md).\n", dir)
}

// hints tell who is new to it how to go on.
func (a *announcer) hints(h *house) {
	if h.Mode != sso.Development {
		return
	}
	self, _ := os.Executable()
	if here, err := os.Getwd(); err == nil {
		if short, err := filepath.Rel(here, self); err == nil {
			self = short
		}
	}
	_, _ = fmt.Fprintf(a.out, "\nDevelopment mode: invented people only. A bearer token for each:\n\n")
	for _, p := range sso.Personas() {
		_, _ = fmt.Fprintf(a.out, "  %s dev token %-17s # %s\n", self, p.Name, p.Display)
	}
	_, _ = fmt.Fprintf(a.out, "\nIf there is no administrator yet: %s dev seed appoints all of them.\nStop with Ctrl-C.\n", self)
}
