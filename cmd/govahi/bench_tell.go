package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"govahi/domain/event"
)

// sideBySide is how many lives go on side by side, so that the log has them mixed.
const sideBySide = 128

// tellLives appends lives over one BatchAppend call, which the official client has
// not: a call for each append would take far longer.
func tellLives(ctx context.Context, socket string, lives <-chan []appending, shown *progress) error {
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	both, ctx := errgroup.WithContext(ctx)
	call, err := streams.NewStreamsClient(conn).BatchAppend(ctx)
	if err != nil {
		return err
	}
	both.Go(func() error { return hearAnswers(call) })
	both.Go(func() error {
		var slots [sideBySide][]appending
		for open := true; open; {
			open = false
			for n := range slots {
				if len(slots[n]) == 0 {
					slots[n] = <-lives // none, once all are told
				}
				if len(slots[n]) == 0 {
					continue
				}
				open = true
				next := slots[n][0]
				slots[n] = slots[n][1:]
				if err := call.Send(batched(next)); err != nil {
					return nil // the answers say why
				}
				shown.add(int64(len(next.events)))
			}
		}
		return call.CloseSend()
	})
	return both.Wait()
}

func hearAnswers(call streams.Streams_BatchAppendClient) error {
	for {
		answer, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if refused := answer.GetError(); refused != nil {
			return fmt.Errorf("append to %s: %s", answer.GetStreamIdentifier().GetStreamName(), refused)
		}
	}
}

// batched is an append as one message.
func batched(a appending) *streams.BatchAppendReq {
	options := &streams.BatchAppendReq_Options{
		StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte(a.stream)},
		ExpectedStreamPosition: &streams.BatchAppendReq_Options_StreamPosition{StreamPosition: uint64(a.expected)},
	}
	if a.expected == event.NoStream {
		options.ExpectedStreamPosition = &streams.BatchAppendReq_Options_NoStream{}
	}
	request := &streams.BatchAppendReq{CorrelationId: textID(uuid.NewString()), Options: options, IsFinal: true}
	for _, e := range a.events {
		request.ProposedMessages = append(request.ProposedMessages, &streams.BatchAppendReq_ProposedMessage{
			Id: textID(e.ID.String()), Metadata: map[string]string{"type": e.Type, "content-type": "application/json"},
			Data: e.Data, CustomMetadata: e.Meta,
		})
	}
	return request
}

func textID(id string) *shared.UUID { return &shared.UUID{Value: &shared.UUID_String_{String_: id}} }
