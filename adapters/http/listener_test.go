package http

import (
	"context"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"
)

// poor is a listener of a process that lacks something for its first callers.
type poor struct {
	net.Listener
	lacks []error
}

func (p *poor) Accept() (net.Conn, error) {
	if len(p.lacks) == 0 {
		return p.Listener.Accept()
	}
	lack := p.lacks[0]
	p.lacks = p.lacks[1:]
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", lack)}
}

// TestAWantOfDescriptorsDoesNotEndTheServer: cmd/govahi has it with a real one.
func TestAWantOfDescriptorsDoesNotEndTheServer(t *testing.T) {
	h := open(t, things)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lacking := &poor{listener, []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}}
	s := New(h.Config)
	things(s)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, lacking) }()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + listener.Addr().String() + "/health/live")
	if err != nil {
		t.Error(err)
	} else if _ = answer.Body.Close(); answer.StatusCode != 204 {
		t.Error(answer.Status)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestCallersLeaveTheHouseItsDescriptors(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	served := open(t, things).app.Server().Concurrency
	if served < fewest || uint64(served) > max(limit.Cur/2, fewest) {
		t.Errorf("%d callers, %d descriptors", served, limit.Cur)
	}
}
