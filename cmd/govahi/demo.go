package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/crypto/ocsp"

	"govahi/adapters/mail"
	"govahi/adapters/pki"
	"govahi/domain/iran"
)

// demo tells both channels' stories on a fresh instance and lets relying parties'
// software judge.
type demo struct {
	Out string `default:"var/demo" type:"path" help:"Directory for what the story leaves behind."`
}

// Run exits with an error at the first thing that is not so.
func (d demo) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	defer stop()
	dir, err := os.MkdirTemp("", "govahi-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := errors.Join(os.Chmod(dir, 0o711), os.MkdirAll(d.Out, 0o755)); err != nil {
		return err
	}
	began := time.Now()
	profiles := filepath.Join(dir, "profiles")
	if err := renewable(profiles); err != nil {
		return err
	}
	fresh, err := startInstance(ctx, filepath.Join(dir, "data"), os.Stdout, "GOVAHI_PROFILES="+profiles)
	if err != nil {
		return err
	}
	err = d.tell(ctx, fresh, filepath.Join(dir, "tokens"))
	if err := errors.Join(err, fresh.stop()); err != nil {
		return err
	}
	fmt.Printf("\nAll %d checks passed in %.1f s. What the story left: %s\n", len(moments)*len(checks), time.Since(began).Seconds(), d.Out)
	return nil
}

func (d demo) tell(ctx context.Context, i *instance, tokens string) error {
	s, done, err := i.story(ctx, "demo", tokens)
	if err != nil {
		return err
	}
	defer done()
	fmt.Printf("\n  %-17s %-52s %-12s %-18s %9s\n", "who", "does what", "code", "then it is", "after")
	b := s.inside()
	for _, part := range []struct {
		of    *story
		steps []step
		keep  func() error
	}{
		{s, append(append(s.untilSubmitted(), s.untilConfirmed()...), s.untilActive()...), func() error { return d.keepIssued(ctx, s) }},
		{s, s.whileSuspended(), func() error { return d.keepStanding(ctx, s, "held") }},
		{s, s.whenLifted(), func() error { return d.keepStanding(ctx, s, "lifted") }},
		{s, s.untilRenewed(), func() error { return d.keepRenewed(ctx, s) }},
		{s, s.untilRevoked(), func() error { return d.keepStanding(ctx, s, "revoked") }},
		{b, b.untilControlledInside(), nil},
		{b, append([]step{b.confirmation()}, b.untilActiveInside()...), func() error { return d.keepActive(ctx, b) }},
		{b, b.untilLost(), func() error { return errors.Join(d.keepStanding(ctx, b, "lost"), d.keepLog(ctx, i)) }},
	} {
		if err := part.of.tell(ctx, part.steps); err != nil {
			return err
		}
		if part.keep == nil {
			continue
		}
		if err := part.keep(); err != nil {
			return err
		}
	}
	fmt.Println()
	return d.judge(ctx)
}

func (d demo) file(name string) string { return filepath.Join(d.Out, name) }

// keepIssued writes what a relying party sees of the valid certificate.
func (d demo) keepIssued(ctx context.Context, s *story) error {
	return errors.Join(
		d.keepCertificate(ctx, s, "certificate.pem"),
		d.fetch(ctx, s, "chain.pem", "", "/pki/chain.pem"),
		d.fetch(ctx, s, "sheet.html", "officer-1", "/requests/"+s.code+"/sheet.html"),
		d.keepStanding(ctx, s, "issued"))
}

// keepRenewed writes the renewed certificate, and what is said of both: the one
// before it is superseded.
func (d demo) keepRenewed(ctx context.Context, s *story) error {
	before := *s
	before.serial = s.renews
	return errors.Join(
		d.keepCertificate(ctx, s, "renewed.pem"),
		d.keepStanding(ctx, &before, "superseded"),
		d.keepStanding(ctx, s, "renewed"),
		d.sameKey("certificate.pem", "renewed.pem"))
}

// keepActive writes the certificate of channel B, and what is said of it while it is valid.
func (d demo) keepActive(ctx context.Context, s *story) error {
	return errors.Join(d.keepCertificate(ctx, s, "inside.pem"), d.keepStanding(ctx, s, "active"))
}

// sameKey wants two certificates of one key.
func (d demo) sameKey(names ...string) error {
	var keys []string
	for _, name := range names {
		text, err := os.ReadFile(d.file(name))
		if err != nil {
			return err
		}
		c, err := pki.ParseCertificate(text)
		if err != nil {
			return err
		}
		keys = append(keys, string(c.RawSubjectPublicKeyInfo))
	}
	if keys[0] != keys[1] {
		return fmt.Errorf("%s and %s are of two keys", names[0], names[1])
	}
	return nil
}

func (d demo) keepCertificate(ctx context.Context, s *story, name string) error {
	certificate, err := s.certificate(ctx)
	if err != nil {
		return err
	}
	return os.WriteFile(d.file(name), certificate, 0o644)
}

// keepStanding writes what he is told about a certificate at a moment of the story.
func (d demo) keepStanding(ctx context.Context, s *story, when string) error {
	m := moments[slices.IndexFunc(moments, func(m moment) bool { return m.when == when })]
	if err := d.fetchCRL(ctx, s, m.list(), m.revoked); err != nil {
		return fmt.Errorf("no list shows it %s: %w", when, err)
	}
	if err := d.askOCSP(ctx, s, m.leaf, m.answer(), m.revoked); err != nil {
		return fmt.Errorf("no OCSP answer shows it %s: %w", when, err)
	}
	return nil
}

// keepLog writes every event as stored.
func (d demo) keepLog(ctx context.Context, i *instance) error {
	f, err := os.Create(d.file("events.jsonl"))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	log, err := attached{Data: i.dir}.openLog()
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	_, err = exportTo(ctx, log, 0, f, nil)
	return err
}

func (d demo) fetch(ctx context.Context, s *story, name, who, path string) error {
	data, err := s.raw(ctx, who, path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(d.file(name), data, 0o644)
}

// fetchCRL waits, after a revocation, for the list that shows it.
func (d demo) fetchCRL(ctx context.Context, s *story, name string, listed bool) error {
	return s.until(ctx, func(ctx context.Context) (bool, error) {
		der, err := s.raw(ctx, "", "/pki/issuer.crl")
		if err != nil {
			return false, err
		}
		on, err := onList(der, s.serial)
		if err != nil || on != listed {
			return false, err
		}
		return true, os.WriteFile(d.file(name), pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), 0o644)
	})
}

// askOCSP asks by the real client, until the answer is that of the moment: the
// answers that lie ready follow the log at a distance.
func (d demo) askOCSP(ctx context.Context, s *story, leaf, name string, revoked bool) error {
	return s.until(ctx, func(ctx context.Context) (bool, error) {
		if _, err := run(ctx, "openssl", "ocsp", "-issuer", d.file("chain.pem"), "-cert", d.file(leaf), "-no_nonce",
			"-url", s.base+"/pki/ocsp", "-respout", d.file(name), "-noverify"); err != nil {
			return false, err
		}
		der, err := os.ReadFile(d.file(name))
		if err != nil {
			return false, err
		}
		answer, err := ocsp.ParseResponse(der, nil)
		return err == nil && (answer.Status == ocsp.Revoked) == revoked, err
	})
}

func run(ctx context.Context, name string, args ...string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", name, args[0], err, out)
	}
	return out, err
}

// instance is a product started for a demo or a test.
type instance struct {
	connections // of one that stands on several processes
	dir, listen string
	cmd         *exec.Cmd
	ended       chan error
}

// startInstance runs `govahi up` on a free port and waits until it is ready.
func startInstance(ctx context.Context, dir string, out io.Writer, env ...string) (*instance, error) {
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	return startAt(ctx, dir, listen, out, env...)
}

func startAt(ctx context.Context, dir, listen string, out io.Writer, env ...string) (*instance, error) {
	i := &instance{dir: dir, listen: listen, ended: make(chan error, 1)}
	i.cmd = exec.Command(beside("govahi"), "up", "--no-hints")
	i.cmd.Env = append(append(os.Environ(), "GOVAHI_DATA="+dir, "GOVAHI_LISTEN="+listen), env...)
	i.cmd.Stdout, i.cmd.Stderr = out, out
	i.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := i.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { i.ended <- i.cmd.Wait() }()
	defer context.AfterFunc(ctx, func() { _ = i.cmd.Process.Signal(syscall.SIGTERM) })() // who stops it need not wait until it is ready
	h := house{settings: settings{Listen: listen}}
	if err := h.awaitReady(ctx, i.ended); err != nil {
		return nil, fmt.Errorf("govahi up: %w", err)
	}
	return i, nil
}

// freeAddress is one that stays free for us as long as we run: a socket has its
// port, without listening there, and so the kernel gives it to nobody who asks
// for any, before an instance takes it or while one is started again.
func freeAddress() (string, error) {
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	err = errors.Join(
		syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1), // as those have it who listen
		syscall.Bind(s, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}),
	)
	at, _ := syscall.Getsockname(s)
	bound, ok := at.(*syscall.SockaddrInet4)
	if err != nil || !ok {
		return "", errors.Join(fmt.Errorf("no free port: %w", err), syscall.Close(s))
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.Port), nil
}

// stop ends the instance as an operator would.
func (i *instance) stop() error {
	_ = i.cmd.Process.Signal(syscall.SIGTERM)
	return <-i.ended
}

// dev reaches the instance as `govahi dev` does.
func (i *instance) dev() devInstance {
	return devInstance{attached: attached{connections: i.connections, Data: i.dir}, Audience: "govahi"}
}

// story begins a telling on a seeded instance. One without tokens confirms
// nothing: its officers need none of their own.
func (i *instance) story(ctx context.Context, name, tokens string) (*story, func(), error) {
	d, err := i.dev().open()
	if err != nil {
		return nil, nil, err
	}
	sowing, done, err := i.dev().sowing(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	sow := sowing.all
	if tokens == "" {
		sow = sowing.run
	}
	if err := sow(ctx); err != nil {
		done()
		return nil, nil, err
	}
	outbox, err := mail.OpenOutbox(d.path("outbox"))
	return &story{client: sowing.client, name: name, holder: "applicant", outbox: outbox, tokens: tokens, out: os.Stdout}, done, err
}

func persianGroups(code string) string { return iran.PersianDigits(iran.GroupTrackingCode(code)) }
