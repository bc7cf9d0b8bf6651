package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// odd is a server that answers as servers rarely do.
type odd struct {
	streams.UnimplementedStreamsServer
	serverfeatures.UnimplementedServerFeaturesServer
	read   func(streams.Streams_ReadServer) error
	append error
}

func (o odd) Read(_ *streams.ReadReq, call streams.Streams_ReadServer) error { return o.read(call) }

func (o odd) Append(call streams.Streams_AppendServer) error {
	for {
		if _, err := call.Recv(); err != nil {
			return o.append
		}
	}
}

// against opens a log whose server is odd.
func against(t *testing.T, o odd) *eventstore.Log {
	t.Helper()
	l, err := eventnode.ListenUnix(socket(t))
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	streams.RegisterStreamsServer(server, o)
	serverfeatures.RegisterServerFeaturesServer(server, o)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return open(t, l.Addr().String())
}

func readError(t *testing.T, log *eventstore.Log) error {
	t.Helper()
	var last error
	for _, err := range log.Read(t.Context(), "test-a", 0) {
		last = err
	}
	return last
}

// The official client panics on content that it does not know.
func TestUnknownContentIsAnError(t *testing.T) {
	leavesNothing(t)
	log := against(t, odd{read: func(call streams.Streams_ReadServer) error {
		return call.Send(&streams.ReadResp{Content: &streams.ReadResp_LastStreamPosition{LastStreamPosition: 1}})
	}})
	if err := readError(t, log); err == nil {
		t.Fatal("unknown content was taken for an end")
	}
}

// gRPC's NotFound is not the absence of a stream: a follower answers so.
func TestNotFoundIsNotAMissingStream(t *testing.T) {
	leavesNothing(t)
	log := against(t, odd{read: func(streams.Streams_ReadServer) error {
		return status.Error(codes.NotFound, "Leader info available")
	}})
	if err := readError(t, log); status.Code(err) != codes.NotFound {
		t.Fatalf("got %v", err)
	}
}

// A server that ends a subscription in peace still ends it.
func TestEndedSubscriptionIsAnError(t *testing.T) {
	leavesNothing(t)
	log := against(t, odd{read: func(call streams.Streams_ReadServer) error {
		return call.Send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{Confirmation: &streams.ReadResp_SubscriptionConfirmation{}}})
	}})
	for d, err := range log.Subscribe(t.Context(), 0) {
		if !errors.Is(err, eventstore.ErrUnavailable) {
			t.Fatalf("delivered %+v, %v", d, err)
		}
	}
	for r, err := range log.ReadAll(t.Context(), 0) {
		if err == nil {
			t.Fatalf("read %+v", r)
		}
	}
}

// An operator may have set a lower limit than ours.
func TestServerFindsAnAppendTooLarge(t *testing.T) {
	leavesNothing(t)
	log := against(t, odd{append: status.Error(codes.InvalidArgument, "Maximum Append Size of 1 Exceeded.")})
	if err := appendOne(t.Context(), log, "a"); !errors.Is(err, event.ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
}

func TestOtherRefusalsAreNeitherConflictNorOutage(t *testing.T) {
	leavesNothing(t)
	log := against(t, odd{append: status.Error(codes.PermissionDenied, "no")})
	err := appendOne(t.Context(), log, "a")
	if err == nil || errors.Is(err, event.ErrWrongExpectedRevision) || errors.Is(err, eventstore.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	if _, err := log.Append(t.Context(), "test-a", -2, proposed("a")); err == nil {
		t.Fatal("any revision was accepted")
	}
}

// System events are not ours: they are skipped, and the head is before them.
func TestSystemEventsAreSkipped(t *testing.T) {
	leavesNothing(t)
	node := startNode(t, t.TempDir(), socket(t))
	log := open(t, node.path)
	if head, err := log.Head(t.Context()); head != 0 || err != nil {
		t.Fatalf("head of an empty log: %d, %v", head, err)
	}
	appendSystemEvents(t, node.path, "before")
	if head, err := log.Head(t.Context()); head != 0 || err != nil {
		t.Fatalf("head behind system events alone: %d, %v", head, err)
	}
	ours, err := log.Append(t.Context(), "test-a", event.NoStream, proposed("a"))
	if err != nil {
		t.Fatal(err)
	}
	appendSystemEvents(t, node.path, "after")
	if head, err := log.Head(t.Context()); head != ours.Position || err != nil {
		t.Fatalf("head %d, %v; our last event is at %d", head, err, ours.Position)
	}
	for r, err := range log.ReadAll(t.Context(), 0) {
		if err != nil || r.Stream != "test-a" {
			t.Fatalf("read %+v, %v", r, err)
		}
	}
}

// appendSystemEvents needs no system stream: the type tells.
func appendSystemEvents(t *testing.T, path, stream string) {
	t.Helper()
	config, err := esdb.ParseConnectionString("esdb://localhost?tls=false")
	if err != nil {
		t.Fatal(err)
	}
	config.Address, config.Logger = "unix://"+path, esdb.NoopLogging()
	client, err := esdb.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range 20 {
		_, err := client.AppendToStream(context.Background(), fmt.Sprint(stream, i), esdb.AppendToStreamOptions{}, esdb.EventData{EventType: "$metadata"})
		if err != nil {
			t.Fatal(err)
		}
	}
}
