package eventnode_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
)

// fuzzed is a node under requests that anybody may have made up. After each it
// reads on from where it was, so that all of the log is looked at once.
type fuzzed struct {
	streams.StreamsClient
	next map[string]uint64 // the revision that each stream must go on with
	last uint64            // position
}

func newFuzzed(f *testing.F) *fuzzed {
	z := &fuzzed{streams.NewStreamsClient(dial(f)), map[string]uint64{}, 0}
	for _, content := range []string{"a", "b", "c"} { // something to be read
		call, err := z.Append(f.Context())
		if err != nil {
			f.Fatal(err)
		}
		for _, m := range []*streams.AppendReq{anyRevision(), message(strings.Replace(idA, "1", content, 1), 3, typed())} {
			if err := call.Send(m); err != nil {
				f.Fatal(err)
			}
		}
		if _, err := call.CloseAndRecv(); err != nil {
			f.Fatal(err)
		}
	}
	return z
}

func anyRevision() *streams.AppendReq {
	return options(&streams.AppendReq_Options{ExpectedStreamRevision: &streams.AppendReq_Options_Any{Any: &shared.Empty{}}})
}

// delimited is messages, each behind its length.
func delimited[M proto.Message](f *testing.F, messages ...M) []byte {
	var b bytes.Buffer
	for _, m := range messages {
		if _, err := protodelim.MarshalTo(&b, m); err != nil {
			f.Fatal(err)
		}
	}
	return b.Bytes()
}

// undelimited reads as many messages as there are; gRPC itself refuses others.
func undelimited[M any, P interface {
	*M
	proto.Message
}](b []byte) (messages []P) {
	for r := bytes.NewReader(b); ; {
		m := P(new(M))
		if err := protodelim.UnmarshalFrom(r, m); err != nil {
			return messages
		}
		messages = append(messages, m)
	}
}

// soon is more than any answer takes.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// blames fails if an error blames anyone but the caller.
func blames(t *testing.T, err error) {
	t.Helper()
	switch status.Code(err) {
	case codes.OK, codes.InvalidArgument, codes.Unimplemented, codes.PermissionDenied, codes.ResourceExhausted:
	default:
		t.Fatalf("answered with %v", err)
	}
}

// look checks what was appended since the last look, and counts it.
func (z *fuzzed) look(t *testing.T, stream string) (events int) {
	t.Helper()
	call, err := z.Read(soon(t), &streams.ReadReq{Options: &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{
			AllOption: &streams.ReadReq_Options_AllOptions_Position{Position: &streams.ReadReq_Options_Position{CommitPosition: z.last + 1}},
		}},
		CountOption: &streams.ReadReq_Options_Count{Count: math.MaxInt64},
		UuidOption:  &streams.ReadReq_Options_UUIDOption{},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for {
		response, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		e := response.GetEvent().GetEvent()
		name := string(e.GetStreamIdentifier().GetStreamName())
		if e.GetCommitPosition() <= z.last || e.GetStreamRevision() != z.next[name] {
			t.Fatalf("revision %d at %d; %d expected, behind %d", e.GetStreamRevision(), e.GetCommitPosition(), z.next[name], z.last)
		}
		z.last, z.next[name] = e.GetCommitPosition(), e.GetStreamRevision()+1
		if events++; stream != "" && name != stream {
			t.Fatalf("an event in %q, of an append to %q", name, stream)
		}
	}
}

func FuzzAppend(f *testing.F) {
	for _, messages := range [][]*streams.AppendReq{
		{noStream(), message(idA, 1, typed())},
		{atRevision(7), message(idA, 0, typed())},
		{atRevision(1), message(idA, 3, typed()), message(idB, 3, typed())},
		{anyRevision(), message(idB, 1000, map[string]string{"type": "t", "content-type": "application/json"})},
		{options(&streams.AppendReq_Options{ExpectedStreamRevision: &streams.AppendReq_Options_StreamExists{}})},
		{noStream(), message("", 1, nil)},
		{message(idA, 1, typed()), noStream()},
	} {
		f.Add(delimited(f, messages...))
	}
	z := newFuzzed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		messages := undelimited[streams.AppendReq](b)
		z.look(t, "")
		call, err := z.Append(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if call.Send(m) != nil {
				break // refused already: the answer says why
			}
		}
		response, err := call.CloseAndRecv()
		blames(t, err)
		stored := 0
		if response.GetSuccess() != nil {
			stored = len(messages) - 1
		}
		if n := z.look(t, string(messagesStream(messages))); n != 0 && n != stored {
			t.Fatalf("%d of %d events were stored, and answered with %v, %v", n, len(messages)-1, response, err)
		}
	})
}

func messagesStream(messages []*streams.AppendReq) []byte {
	if len(messages) == 0 {
		return nil
	}
	return messages[0].GetOptions().GetStreamIdentifier().GetStreamName()
}

// FuzzBatchAppend checks that each append is answered at most once, and that as
// many events are stored as the answers say.
func FuzzBatchAppend(f *testing.F) {
	expects := func(o *streams.BatchAppendReq_Options) *streams.BatchAppendReq_Options {
		o.StreamIdentifier = &shared.StreamIdentifier{StreamName: []byte("wire")}
		return o
	}
	whatever := func() *streams.BatchAppendReq_Options {
		return expects(&streams.BatchAppendReq_Options{ExpectedStreamPosition: &streams.BatchAppendReq_Options_Any{}})
	}
	exists := expects(&streams.BatchAppendReq_Options{ExpectedStreamPosition: &streams.BatchAppendReq_Options_StreamExists{}})
	late := whatever()
	late.DeadlineOption = &streams.BatchAppendReq_Options_Deadline{}
	for _, requests := range [][]*streams.BatchAppendReq{
		{part(idA, whatever(), true, idB)},
		{part(idA, whatever(), false, idA), part(idB, exists, true, idB), part(idA, nil, true)},
		{part(idA, late, true, idB), part(idA, nil, true, idB)},
		{part(idA, expects(&streams.BatchAppendReq_Options{}), false, ""), part(idA, whatever(), true, idA)},
	} {
		f.Add(delimited(f, requests...))
	}
	z := newFuzzed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		z.look(t, "")
		call, err := z.BatchAppend(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		begun, finals := map[string]int{}, map[string]int{}
		for _, m := range undelimited[streams.BatchAppendReq](b) {
			id := m.GetCorrelationId().String()
			begun[id] += len(m.GetProposedMessages())
			if m.GetIsFinal() {
				finals[id]++
			}
			if call.Send(m) != nil {
				break
			}
		}
		if err := call.CloseSend(); err != nil {
			t.Fatal(err)
		}
		most := 0
		for {
			response, err := call.Recv()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					blames(t, err)
				}
				break
			}
			id := response.GetCorrelationId().String()
			if finals[id]--; finals[id] < -1 { // a refusal may come before an end that never comes
				t.Fatalf("%s was answered too often", id)
			}
			if response.GetSuccess() != nil {
				most += begun[id]
			}
		}
		if n := z.look(t, ""); n > most {
			t.Fatalf("%d events were stored, %d at most were acknowledged", n, most)
		}
	})
}

// part is a part of one append of many: its events have these IDs.
func part(correlation string, options *streams.BatchAppendReq_Options, final bool, ids ...string) *streams.BatchAppendReq {
	r := &streams.BatchAppendReq{CorrelationId: textID(correlation), Options: options, IsFinal: final}
	for _, id := range ids {
		r.ProposedMessages = append(r.ProposedMessages, &streams.BatchAppendReq_ProposedMessage{
			Id: textID(id), Metadata: typed(), Data: []byte("x"),
		})
	}
	return r
}

func textID(id string) *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_String_{String_: id}}
}

// readSeeds are well-formed reads; subscribing is reading without an end.
func readSeeds(f *testing.F) {
	all := func(at *streams.ReadReq_Options_AllOptions) *streams.ReadReq_Options_All {
		return &streams.ReadReq_Options_All{All: at}
	}
	start := all(&streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Start{}})
	end := all(&streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_End{}})
	position := all(&streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Position{
		Position: &streams.ReadReq_Options_Position{CommitPosition: 40, PreparePosition: 40},
	}})
	stream := &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
		StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("wire")},
		RevisionOption:   &streams.ReadReq_Options_StreamOptions_Revision{Revision: 1},
	}}
	filter := &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{
		Filter: &streams.ReadReq_Options_FilterOptions_EventType{
			EventType: &streams.ReadReq_Options_FilterOptions_Expression{Prefix: []string{"test.", "x"}},
		},
		Window: &streams.ReadReq_Options_FilterOptions_Max{Max: 2}, CheckpointIntervalMultiplier: 1,
	}}
	regex := &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{
		Filter: &streams.ReadReq_Options_FilterOptions_StreamIdentifier{
			StreamIdentifier: &streams.ReadReq_Options_FilterOptions_Expression{Regex: "^w[a-z]+$"},
		},
		Window: &streams.ReadReq_Options_FilterOptions_Count{}, CheckpointIntervalMultiplier: 4,
	}}
	ten := &streams.ReadReq_Options_Count{Count: 10}
	live := &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}}
	form := &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_String_{}}
	for _, o := range []*streams.ReadReq_Options{
		{StreamOption: start, CountOption: ten, UuidOption: form},
		{StreamOption: end, CountOption: ten, UuidOption: form, ReadDirection: streams.ReadReq_Options_Backwards},
		{StreamOption: position, CountOption: live, UuidOption: form},
		{StreamOption: stream, CountOption: live, UuidOption: form},
		{StreamOption: stream, CountOption: ten, UuidOption: form, ResolveLinks: true},
		{StreamOption: start, CountOption: live, UuidOption: form, FilterOption: filter},
		{StreamOption: end, CountOption: live, UuidOption: form, FilterOption: regex},
		{},
	} {
		b, err := proto.Marshal(&streams.ReadReq{Options: o})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

func FuzzRead(f *testing.F) {
	readSeeds(f)
	z := newFuzzed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		request := &streams.ReadReq{}
		if proto.Unmarshal(b, request) != nil {
			return
		}
		ctx, cancel := context.WithCancel(soon(t))
		defer cancel()
		call, err := z.Read(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		for {
			response, err := call.Recv()
			if !errors.Is(err, io.EOF) {
				blames(t, err)
			}
			if err != nil || response.GetCaughtUp() != nil {
				return
			}
		}
	})
}
