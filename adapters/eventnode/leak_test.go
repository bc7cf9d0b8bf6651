package eventnode_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"govahi/adapters/eventnode"
)

// Whatever clients do and however they go away, the node that served them, and
// goes on, keeps no goroutine of theirs.
func TestClientsLeaveNothing(t *testing.T) {
	path := serve(t, openNode(t, t.TempDir(), eventnode.Options{}))
	knock(t, path, "") // whatever the first of all starts
	before := goleak.IgnoreCurrent()
	for name, client := range map[string]func(*testing.T, string){
		"subscriptions cancelled": func(t *testing.T, path string) { subscribeAndLeave(t, path, true) },
		"clients that vanish":     func(t *testing.T, path string) { subscribeAndLeave(t, path, false) },
		"appends cut off":         cutOff,
		"nonsense":                func(t *testing.T, path string) { knock(t, path, "GET / HTTP/1.1\r\n\r\n") },
		"half a preface":          func(t *testing.T, path string) { knock(t, path, "PRI * HTTP/2.0\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			var flood sync.WaitGroup
			for range 50 {
				flood.Go(func() { client(t, path) })
			}
			flood.Wait()
		})
	}
	var leak error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if leak = goleak.Find(before); leak == nil {
			return
		}
	}
	t.Fatal(leak)
}

func connect(t *testing.T, path string) *grpc.ClientConn {
	conn, err := grpc.NewClient("unix://"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Error(err)
	}
	return conn
}

// subscribeAndLeave cancels its live subscription, or just breaks the connection.
func subscribeAndLeave(t *testing.T, path string, cancels bool) {
	conn := connect(t, path)
	defer conn.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	call, err := streams.NewStreamsClient(conn).Read(ctx, &streams.ReadReq{Options: &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{
			AllOption: &streams.ReadReq_Options_AllOptions_End{End: &shared.Empty{}},
		}},
		CountOption: &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}},
		UuidOption:  &streams.ReadReq_Options_UUIDOption{},
	}})
	for response := (*streams.ReadResp)(nil); err == nil && response.GetCaughtUp() == nil; {
		response, err = call.Recv()
	}
	if err != nil {
		t.Error(err)
	}
	if cancels {
		cancel()
		_, _ = call.Recv()
	}
}

// cutOff leaves in the midst of an append.
func cutOff(t *testing.T, path string) {
	conn := connect(t, path)
	call, err := streams.NewStreamsClient(conn).Append(t.Context())
	if err == nil {
		err = call.Send(noStream())
	}
	if err == nil {
		err = call.Send(message(idA, 1000, typed()))
	}
	if err != nil {
		t.Error(err)
	}
	conn.Close()
}

// knock says something and goes away.
func knock(t *testing.T, path, words string) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(words)); err != nil {
		t.Error(err)
	}
}
