package eventnode_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"govahi/adapters/eventnode"
)

// dial speaks the bare contract: what the official client hides.
func dial(t testing.TB) *grpc.ClientConn {
	t.Helper()
	return dialNode(t, openNode(t, t.TempDir(), eventnode.Options{}))
}

func dialNode(t testing.TB, node *eventnode.Node) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("unix://"+serve(t, node), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func options(o *streams.AppendReq_Options) *streams.AppendReq {
	o.StreamIdentifier = &shared.StreamIdentifier{StreamName: []byte("wire")}
	return &streams.AppendReq{Content: &streams.AppendReq_Options_{Options: o}}
}

func atRevision(r uint64) *streams.AppendReq {
	return options(&streams.AppendReq_Options{ExpectedStreamRevision: &streams.AppendReq_Options_Revision{Revision: r}})
}

func noStream() *streams.AppendReq {
	return options(&streams.AppendReq_Options{ExpectedStreamRevision: &streams.AppendReq_Options_NoStream{NoStream: &shared.Empty{}}})
}

func message(id string, data int, metadata map[string]string) *streams.AppendReq {
	return &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
		Id: &shared.UUID{Value: &shared.UUID_String_{String_: id}}, Metadata: metadata, Data: make([]byte, data),
	}}}
}

const (
	idA = "11111111-2222-4333-8444-555555555555"
	idB = "fedcba98-7654-4210-8fed-cba987654321"
)

func typed() map[string]string {
	return map[string]string{"type": "test.happened.v1", "content-type": "application/octet-stream"}
}

// send makes an append of these messages; it also returns the exception named
// in the trailer.
func send(t *testing.T, conn *grpc.ClientConn, messages ...*streams.AppendReq) (*streams.AppendResp, string, error) {
	t.Helper()
	call, err := streams.NewStreamsClient(conn).Append(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := call.Send(m); err != nil && !errors.Is(err, io.EOF) { // refused already: the answer says why
			t.Fatal(err)
		}
	}
	response, err := call.CloseAndRecv()
	return response, strings.Join(call.Trailer().Get("exception"), ","), err
}

func TestWrongExpectedVersionInBothGenerations(t *testing.T) {
	conn := dial(t)
	response, _, err := send(t, conn, atRevision(7), message(idA, 1, typed()))
	wrong := response.GetWrongExpectedVersion()
	if err != nil || wrong.GetNoStream_20_6_0() == nil || wrong.GetCurrentNoStream() == nil ||
		wrong.GetExpectedRevision_20_6_0() != 7 || wrong.GetExpectedRevision() != 7 {
		t.Fatalf("missing stream: %v, %v", wrong, err)
	}
	if _, _, err := send(t, conn, noStream(), message(idA, 1, typed())); err != nil {
		t.Fatal(err)
	}
	response, _, err = send(t, conn, noStream(), message(idB, 1, typed()))
	wrong = response.GetWrongExpectedVersion()
	_, hasRevision := wrong.GetCurrentRevisionOption_20_6_0().(*streams.AppendResp_WrongExpectedVersion_CurrentRevision_20_6_0)
	_, hasNewRevision := wrong.GetCurrentRevisionOption().(*streams.AppendResp_WrongExpectedVersion_CurrentRevision)
	if err != nil || !hasRevision || !hasNewRevision || wrong.GetExpectedNoStream() == nil ||
		wrong.GetExpectedRevision_20_6_0() != math.MaxUint64 {
		t.Fatalf("existing stream: %v, %v", wrong, err)
	}
}

// longName is an append of small events that all bear the name of their stream.
func longName(length, events int) []*streams.AppendReq {
	first := noStream()
	first.GetOptions().StreamIdentifier.StreamName = make([]byte, length)
	messages := []*streams.AppendReq{first}
	for i := range events {
		messages = append(messages, message(fmt.Sprintf("11111111-2222-4333-8444-%012d", i), 1, typed()))
	}
	return messages
}

func TestRefusedAppends(t *testing.T) {
	conn := dial(t)
	untyped := map[string]string{"content-type": "application/json"}
	for name, test := range map[string]struct {
		messages  []*streams.AppendReq
		exception string
	}{
		"no options":     {[]*streams.AppendReq{message(idA, 1, typed())}, ""},
		"no expectation": {[]*streams.AppendReq{options(&streams.AppendReq_Options{})}, ""},
		"no ID":          {[]*streams.AppendReq{noStream(), message("", 1, typed())}, ""},
		"no type":        {[]*streams.AppendReq{noStream(), message(idA, 1, untyped)}, "missing-required-metadata-property"},
		"too large": {
			[]*streams.AppendReq{noStream(), message(idA, 1<<19, typed()), message(idB, 1<<19, typed())},
			"maximum-append-size-exceeded",
		},
		"far too large": { // larger than what is on its way at once
			[]*streams.AppendReq{noStream(), message(idA, 8<<20, typed()), message(idB, 8<<20, typed())},
			"maximum-append-size-exceeded",
		},
		"a long name, many times": {longName(64<<10, 1000), "maximum-append-size-exceeded"},
	} {
		_, exception, err := send(t, conn, test.messages...)
		if status.Code(err) != codes.InvalidArgument || exception != test.exception {
			t.Errorf("%s: %v, exception %q", name, err, exception)
		}
	}
	if content := readWire(t, conn, true); content[0].GetStreamNotFound() == nil {
		t.Errorf("something was stored: %v", content)
	}
}

func readWire(t *testing.T, conn *grpc.ClientConn, text bool) []*streams.ReadResp {
	t.Helper()
	form := &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_Structured{Structured: &shared.Empty{}}}
	if text {
		form.Content = &streams.ReadReq_Options_UUIDOption_String_{String_: &shared.Empty{}}
	}
	call, err := streams.NewStreamsClient(conn).Read(t.Context(), &streams.ReadReq{Options: &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("wire")},
			RevisionOption:   &streams.ReadReq_Options_StreamOptions_Start{Start: &shared.Empty{}},
		}},
		CountOption: &streams.ReadReq_Options_Count{Count: math.MaxUint64},
		UuidOption:  form,
	}})
	if err != nil {
		t.Fatal(err)
	}
	var content []*streams.ReadResp
	for {
		response, err := call.Recv()
		if err == io.EOF {
			return content
		}
		if err != nil {
			t.Fatal(err)
		}
		content = append(content, response)
	}
}

func TestBothFormsOfIDs(t *testing.T) {
	conn := dial(t)
	if _, _, err := send(t, conn, noStream(), message(idB, 1, typed())); err != nil {
		t.Fatal(err)
	}
	if got := readWire(t, conn, true)[0].GetEvent().GetEvent().GetId().GetString_(); got != idB {
		t.Fatalf("text: %s", got)
	}
	got := readWire(t, conn, false)[0].GetEvent().GetEvent().GetId().GetStructured()
	if uint64(got.GetMostSignificantBits()) != 0xfedcba9876544210 || uint64(got.GetLeastSignificantBits()) != 0x8fedcba987654321 {
		t.Fatalf("structured: %v", got)
	}
}

func TestRefusedReads(t *testing.T) {
	conn := dial(t)
	form := &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_Structured{}}
	start := &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{
		AllOption: &streams.ReadReq_Options_AllOptions_Start{Start: &shared.Empty{}},
	}}
	subscription := &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}}
	filter := func(regex string, multiplier uint32) *streams.ReadReq_Options_Filter {
		return &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{
			Filter: &streams.ReadReq_Options_FilterOptions_EventType{
				EventType: &streams.ReadReq_Options_FilterOptions_Expression{Regex: regex},
			},
			CheckpointIntervalMultiplier: multiplier,
		}}
	}
	for name, o := range map[string]*streams.ReadReq_Options{
		"no form for IDs":            {StreamOption: start, CountOption: subscription},
		"no stream":                  {CountOption: subscription, UuidOption: form},
		"backwards subscription":     {StreamOption: start, CountOption: subscription, UuidOption: form, ReadDirection: streams.ReadReq_Options_Backwards},
		"a filter of nothing":        {StreamOption: start, CountOption: subscription, UuidOption: form, FilterOption: filter("", 1)},
		"a filter without sense":     {StreamOption: start, CountOption: subscription, UuidOption: form, FilterOption: filter("(", 1)},
		"a filter never checkpoints": {StreamOption: start, CountOption: subscription, UuidOption: form, FilterOption: filter("x", 0)},
	} {
		call, err := streams.NewStreamsClient(conn).Read(t.Context(), &streams.ReadReq{Options: o})
		if err == nil {
			_, err = call.Recv()
		}
		if status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGossipAndFeatures(t *testing.T) {
	conn := dial(t)
	info, err := gossip.NewGossipClient(conn).Read(context.Background(), &shared.Empty{})
	if err != nil || len(info.Members) != 1 || !info.Members[0].IsAlive || info.Members[0].State != gossip.MemberInfo_Leader {
		t.Fatalf("gossip: %v, %v", info, err)
	}
	methods, err := serverfeatures.NewServerFeaturesClient(conn).GetSupportedMethods(context.Background(), &shared.Empty{})
	if err != nil || !strings.HasPrefix(methods.EventStoreServerVersion, "24.10.") {
		t.Fatalf("features: %v, %v", methods, err)
	}
}
