package eventnode_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// fill appends so many events of a type to a new stream, and tells where they
// are in $all.
func fill(t *testing.T, conn *grpc.ClientConn, stream, kind string, n int) (positions []uint64) {
	t.Helper()
	b := openBatch(t, conn)
	for i := range n {
		r := part(idA, toAny(stream), true, fmt.Sprintf("%08x-0000-4000-8000-%012d", len(stream), i))
		r.ProposedMessages[0].Metadata["type"] = kind
		b.send(r)
	}
	for range n {
		positions = append(positions, b.next().GetSuccess().GetPosition().GetCommitPosition())
	}
	b.end()
	return positions
}

// options of reads of $all and of a stream.
func all(at *streams.ReadReq_Options_AllOptions) *streams.ReadReq_Options {
	return &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_All{All: at},
		CountOption:  &streams.ReadReq_Options_Count{Count: math.MaxUint64},
		UuidOption:   &streams.ReadReq_Options_UUIDOption{},
	}
}

func atStart() *streams.ReadReq_Options_AllOptions {
	return &streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Start{}}
}

func atEnd() *streams.ReadReq_Options_AllOptions {
	return &streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_End{}}
}

func at(commit, prepare uint64) *streams.ReadReq_Options_AllOptions {
	return &streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Position{
		Position: &streams.ReadReq_Options_Position{CommitPosition: commit, PreparePosition: prepare},
	}}
}

func backwards(o *streams.ReadReq_Options) *streams.ReadReq_Options {
	o.ReadDirection = streams.ReadReq_Options_Backwards
	return o
}

func subscribing(o *streams.ReadReq_Options) *streams.ReadReq_Options {
	o.CountOption = &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}}
	return o
}

func streamFrom(revision uint64) *streams.ReadReq_Options {
	o := readOf("wire").Options
	o.GetStream().RevisionOption = &streams.ReadReq_Options_StreamOptions_Revision{Revision: revision}
	return o
}

type expression = streams.ReadReq_Options_FilterOptions_Expression

func filtered(o *streams.ReadReq_Options, f *streams.ReadReq_Options_FilterOptions) *streams.ReadReq_Options {
	o.FilterOption = &streams.ReadReq_Options_Filter{Filter: f}
	return o
}

func byKind(e *expression) *streams.ReadReq_Options_FilterOptions {
	return &streams.ReadReq_Options_FilterOptions{Filter: &streams.ReadReq_Options_FilterOptions_EventType{EventType: e}}
}

func byName(e *expression) *streams.ReadReq_Options_FilterOptions {
	return &streams.ReadReq_Options_FilterOptions{Filter: &streams.ReadReq_Options_FilterOptions_StreamIdentifier{StreamIdentifier: e}}
}

// contents are what a read brings, in short: an event's stream and revision, or
// another content's name and number.
func contents(t *testing.T, conn *grpc.ClientConn, o *streams.ReadReq_Options) (string, error) {
	t.Helper()
	call, err := streams.NewStreamsClient(conn).Read(soon(t), &streams.ReadReq{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for {
		response, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return strings.Join(words, " "), nil
		}
		if err != nil {
			return "", err
		}
		words = append(words, word(response))
		if response.GetCaughtUp() != nil {
			return strings.Join(words, " "), nil
		}
	}
}

func word(r *streams.ReadResp) string {
	switch c := r.GetContent().(type) {
	case *streams.ReadResp_Event:
		e := c.Event.GetEvent()
		return fmt.Sprintf("%s@%d", e.GetStreamIdentifier().GetStreamName(), e.GetStreamRevision())
	case *streams.ReadResp_Checkpoint_:
		return fmt.Sprintf("checkpoint:%d", c.Checkpoint.GetCommitPosition())
	case *streams.ReadResp_LastStreamPosition:
		return fmt.Sprintf("last:%d", c.LastStreamPosition)
	case *streams.ReadResp_Confirmation:
		return "confirmed"
	case *streams.ReadResp_CaughtUp_:
		return "live"
	}
	return fmt.Sprintf("%T", r.GetContent())
}

func TestReads(t *testing.T) {
	conn := dial(t)
	wire := fill(t, conn, "wire", "red.v1", 3)
	fill(t, conn, "wired", "blue.v1", 2)
	fill(t, conn, "other", "red.v2", 1)
	two := all(atStart())
	two.CountOption = &streams.ReadReq_Options_Count{Count: 2}
	none := all(atStart())
	none.CountOption = &streams.ReadReq_Options_Count{}
	linked := all(at(wire[2], wire[2]))
	linked.ResolveLinks = true
	knowing := func(o *streams.ReadReq_Options) *streams.ReadReq_Options {
		o.ControlOption = &streams.ReadReq_Options_ControlOption{Compatibility: 1}
		return o
	}
	firstTwo := knowing(streamFrom(0))
	firstTwo.CountOption = &streams.ReadReq_Options_Count{Count: 2}
	for name, test := range map[string]struct {
		options *streams.ReadReq_Options
		want    string
	}{
		"all":                           {all(atStart()), "wire@0 wire@1 wire@2 wired@0 wired@1 other@0"},
		"all backwards":                 {backwards(all(atEnd())), "other@0 wired@1 wired@0 wire@2 wire@1 wire@0"},
		"all from the greatest number":  {backwards(all(at(math.MaxUint64, math.MaxUint64))), "other@0 wired@1 wired@0 wire@2 wire@1 wire@0"},
		"all from a position":           {linked, "wire@2 wired@0 wired@1 other@0"},
		"all before a position":         {backwards(all(at(wire[1], wire[1]))), "wire@1 wire@0"},
		"all behind the end":            {all(at(1<<40, 1<<40)), ""},
		"two":                           {two, "wire@0 wire@1"},
		"none":                          {none, ""},
		"a stream":                      {streamFrom(0), "wire@0 wire@1 wire@2"},
		"a stream backwards":            {backwards(streamFrom(1)), "wire@1 wire@0"},
		"a stream from its end":         {backwards(streamFrom(math.MaxUint64)), "wire@2 wire@1 wire@0"},
		"a stream behind its end":       {streamFrom(7), ""},
		"a stream with its end":         {knowing(streamFrom(1)), "wire@1 wire@2 last:2"},
		"a stream behind its known end": {knowing(streamFrom(7)), "last:2"},
		"a part of a stream":            {firstTwo, "wire@0 wire@1"},
		"all with nothing but events":   {knowing(all(at(wire[2], wire[2]))), "wire@2 wired@0 wired@1 other@0"},
		"types by prefix":               {filtered(all(atStart()), byKind(&expression{Prefix: []string{"red.", "x"}})), "wire@0 wire@1 wire@2 other@0"},
		"types by regex, backwards":     {filtered(backwards(all(atEnd())), byKind(&expression{Regex: `\.v1$`})), "wired@1 wired@0 wire@2 wire@1 wire@0"},
		"streams by prefix":             {filtered(all(atStart()), byName(&expression{Prefix: []string{"wired", "o"}})), "wired@0 wired@1 other@0"},
		"streams by regex":              {filtered(all(atStart()), byName(&expression{Regex: "^wire$"})), "wire@0 wire@1 wire@2"},
		"a regex before prefixes":       {filtered(all(atStart()), byName(&expression{Regex: "^o", Prefix: []string{"wire"}})), "other@0"},
		"a missing stream":              {readOf("none").Options, "*streams.ReadResp_StreamNotFound_"},
	} {
		if got, err := contents(t, conn, test.options); got != test.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", name, got, err, test.want)
		}
	}
}

func TestSubscriptionsFromHere(t *testing.T) {
	conn := dial(t)
	wire := fill(t, conn, "wire", "red.v1", 3)
	o := fill(t, conn, "other", "red.v2", 1)[0]
	for name, test := range map[string]struct {
		options *streams.ReadReq_Options
		want    string
	}{
		"all":                    {subscribing(all(atStart())), "confirmed wire@0 wire@1 wire@2 other@0 live"},
		"all after a position":   {subscribing(all(at(wire[1], wire[1]))), "confirmed wire@2 other@0 live"},
		"what is new":            {subscribing(all(atEnd())), "confirmed live"},
		"what is new, by number": {subscribing(all(at(math.MaxUint64, math.MaxUint64))), "confirmed live"},
		"a stream after":         {subscribing(streamFrom(0)), "confirmed wire@1 wire@2 live"},
		"a stream's news":        {subscribing(streamFrom(math.MaxUint64)), "confirmed live"},
		"a missing stream":       {subscribing(readOf("none").Options), "confirmed live"},
	} {
		if got, err := contents(t, conn, test.options); got != test.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", name, got, err, test.want)
		}
	}
	// One checkpoint for each window of two events looked at, none twice.
	windowed := func(e *expression, window, times uint32) *streams.ReadReq_Options {
		f := byKind(e)
		f.Window, f.CheckpointIntervalMultiplier = &streams.ReadReq_Options_FilterOptions_Max{Max: window}, times
		return filtered(subscribing(all(atStart())), f)
	}
	second := fmt.Sprintf("checkpoint:%d", wire[1])
	last := fmt.Sprintf("checkpoint:%d", o)
	for name, test := range map[string]struct {
		options *streams.ReadReq_Options
		want    string
	}{
		"each two":        {windowed(&expression{Prefix: []string{"red.v1"}}, 2, 1), "confirmed wire@0 wire@1 " + second + " wire@2 " + last + " live"},
		"each two ones":   {windowed(&expression{Prefix: []string{"none"}}, 1, 2), "confirmed " + second + " " + last + " live"},
		"only at the end": {windowed(&expression{Regex: "v2"}, 32, 2), "confirmed other@0 " + last + " live"},
	} {
		if got, err := contents(t, conn, test.options); got != test.want || err != nil {
			t.Errorf("checkpoints, %s: %q, %v; want %q", name, got, err, test.want)
		}
	}
}

// While a subscription is live, checkpoints go on: one for each window.
func TestLiveCheckpoints(t *testing.T) {
	conn := dial(t)
	f := byKind(&expression{Prefix: []string{"none"}})
	f.Window, f.CheckpointIntervalMultiplier = &streams.ReadReq_Options_FilterOptions_Max{Max: 3}, 1
	call, err := streams.NewStreamsClient(conn).Read(soon(t), &streams.ReadReq{Options: filtered(subscribing(all(atStart())), f)})
	if err != nil {
		t.Fatal(err)
	}
	next := func() string {
		response, err := call.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return word(response)
	}
	if got := next() + " " + next(); got != "confirmed live" {
		t.Fatalf("on an empty log: %s", got)
	}
	for i := range 3 {
		at := fill(t, conn, fmt.Sprint("wire", i), "red", 3)[2]
		want := fmt.Sprintf("checkpoint:%d", at)
		got := next()
		for got == "live" || got != want && strings.HasPrefix(got, "checkpoint:") { // it may have fallen behind, and caught up
			got = next()
		}
		if got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}

func TestRefusedPositionsAndFilters(t *testing.T) {
	conn := dial(t)
	last := fill(t, conn, "wire", "red.v1", 3)[2]
	ahead := `(?=wire)`
	for name, test := range map[string]struct {
		options *streams.ReadReq_Options
		says    string
	}{
		"prepare behind commit":          {all(at(last, last+1)), "no position"},
		"a position out of range":        {all(at(1<<63, 0)), "no position"},
		"a subscription from the future": {subscribing(all(at(last+1, last+1))), fmt.Sprintf("the log ends at %d", last)},
		"a revision out of range":        {streamFrom(1 << 63), "out of range"},
		"no position":                    {all(&streams.ReadReq_Options_AllOptions{}), "no position"},
		"a filtered stream":              {filtered(streamFrom(0), byName(&expression{Prefix: []string{"w"}})), "only $all"},
		"look-ahead, which Go lacks":     {filtered(all(atStart()), byName(&expression{Regex: ahead})), ahead},
		"a very long regex":              {filtered(all(atStart()), byName(&expression{Regex: strings.Repeat("x", 1<<20)})), "longer"},
		"no filter in the filter":        {filtered(all(atStart()), &streams.ReadReq_Options_FilterOptions{}), "prefixes"},
	} {
		if _, err := contents(t, conn, test.options); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefusedStreams(t *testing.T) {
	conn := dial(t)
	for name, test := range map[string]struct {
		code      codes.Code
		exception string
	}{
		"$system":    {codes.PermissionDenied, "access-denied"},
		"$$anything": {codes.Unimplemented, ""},
	} {
		first := anyRevision()
		first.GetOptions().StreamIdentifier = &shared.StreamIdentifier{StreamName: []byte(name)}
		_, exception, err := send(t, conn, first, message(idA, 1, typed()))
		if status.Code(err) != test.code || exception != test.exception {
			t.Errorf("%s: %v, exception %q", name, err, exception)
		}
	}
}
