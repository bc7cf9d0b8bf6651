package main

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"govahi/adapters/postgres/pgtest"
)

// process is a part of the cluster, which a test kills, freezes and starts again.
type process struct {
	name  string
	make  func() *exec.Cmd
	cmd   *exec.Cmd
	ended chan error
	said  *transcript
}

// startProcess starts a process that ends with the test.
func startProcess(t *testing.T, name string, make func() *exec.Cmd) *process {
	t.Helper()
	p := &process{name: name, make: make, said: &transcript{}}
	p.start(t)
	t.Cleanup(func() {
		p.thaw()
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(within):
			_ = p.cmd.Process.Kill()
			t.Errorf("%s does not end", p.name)
		}
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.name, tail([]byte(p.said.String()), 3000))
		}
	})
	return p
}

// start starts it, at first or after its end.
func (p *process) start(t *testing.T) {
	t.Helper()
	p.cmd, p.ended = p.make(), make(chan error, 1)
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	must(t, p.cmd.Start())
	go func(cmd *exec.Cmd, ended chan<- error) { ended <- cmd.Wait() }(p.cmd, p.ended)
}

// kill ends it as a power failure does, and returns when it is gone.
func (p *process) kill(t *testing.T) {
	t.Helper()
	must(t, p.cmd.Process.Kill())
	p.ended <- <-p.ended
}

// freeze stops it: its connections stay, and nothing more is heard of it.
func (p *process) freeze(t *testing.T) {
	t.Helper()
	pgtest.Halt(t, p.cmd.Process.Pid)
}

func (p *process) thaw() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }
