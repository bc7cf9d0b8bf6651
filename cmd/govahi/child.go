package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// child is a process of ours that is started again when it dies.
type child struct {
	name  string
	start func() *exec.Cmd
	pid   string // file with its process ID, by which an orphan is found
	log   *slog.Logger
	alive atomic.Int64 // process ID, zero while it is down
}

// again is how long a child that died waits; it doubles up to a second.
const again = 50 * time.Millisecond

// keep runs the child until the context ends, then stops it.
func (c *child) keep(ctx context.Context) error {
	c.stopOrphan()
	for wait := again; ctx.Err() == nil; wait = min(2*wait, time.Second) {
		began := time.Now()
		err := c.run(ctx)
		if ctx.Err() != nil {
			break
		}
		c.log.Warn("child died; starting it again", "child", c.name, "error", err)
		if time.Since(began) > 10*time.Second {
			wait = again
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

// run is one life of the child. It is tethered by its standard input: it stops
// when we die, however we die.
func (c *child) run(ctx context.Context) error {
	cmd := c.start()
	tether, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer func() { _ = tether.Close() }()
	var said bytes.Buffer
	cmd.Stderr = io.MultiWriter(os.Stderr, &limited{&said})
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours to pass on
	if err := cmd.Start(); err != nil {
		return err
	}
	c.alive.Store(int64(cmd.Process.Pid))
	defer c.alive.Store(0)
	_ = os.WriteFile(c.pid, []byte(strconv.Itoa(cmd.Process.Pid)), 0o600)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		return fmt.Errorf("%w: %s", orNil(err), bytes.TrimSpace(said.Bytes()))
	case <-ctx.Done():
		return stop(cmd.Process, done)
	}
}

func orNil(err error) error {
	if err == nil {
		return fmt.Errorf("ended by itself")
	}
	return err
}

// stop asks, and insists after two seconds.
func stop(p *os.Process, done <-chan error) error {
	_ = p.Signal(syscall.SIGTERM)
	select {
	case err := <-done:
		return err
	case <-time.After(2 * time.Second):
		_ = p.Kill()
		return <-done
	}
}

// stopOrphan ends a child that outlived its parent.
func (c *child) stopOrphan() {
	text, err := os.ReadFile(c.pid)
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return
	}
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil || !bytes.Contains(line, []byte(filepath.Dir(c.pid))) || !bytes.Contains(line, []byte(c.name)) {
		return // gone, or a stranger has its number by now
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	for range 100 {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// limited keeps the last words of a child, and no more.
type limited struct{ to *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.to.Len() > 4096 {
		l.to.Reset()
	}
	return l.to.Write(p)
}
