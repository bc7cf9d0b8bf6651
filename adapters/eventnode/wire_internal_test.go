package eventnode

import (
	"strconv"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// What is written by hand is what the protocol's own types say.
func TestWrittenEventsAreThoseOfTheProtocol(t *testing.T) {
	text := rapid.SliceOfN(rapid.Byte(), 0, 300)
	rapid.Check(t, func(t *rapid.T) {
		r := record{
			position: rapid.Uint64().Draw(t, "position"), revision: rapid.Uint64().Draw(t, "revision"),
			created: rapid.Int64().Draw(t, "created"), id: eventID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")),
			json: rapid.Bool().Draw(t, "json"), stream: []byte(rapid.String().Draw(t, "stream")), kind: []byte(rapid.String().Draw(t, "type")),
			meta: text.Draw(t, "metadata"), data: text.Draw(t, "data"),
		}
		id, inText := structuredID(r.id), rapid.Bool().Draw(t, "text")
		if inText {
			id = &shared.UUID{Value: &shared.UUID_String_{String_: uuid.UUID(r.id).String()}}
		}
		content := "application/octet-stream"
		if r.json {
			content = "application/json"
		}
		want := &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
			Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: r.position},
			Event: &streams.ReadResp_ReadEvent_RecordedEvent{
				Id: id, StreamIdentifier: &shared.StreamIdentifier{StreamName: r.stream},
				StreamRevision: r.revision, PreparePosition: r.position, CommitPosition: r.position,
				Metadata:       map[string]string{"type": string(r.kind), "content-type": content, "created": strconv.FormatInt(r.created, 10)},
				CustomMetadata: r.meta, Data: r.data,
			},
		}}}
		var got streams.ReadResp
		if err := proto.Unmarshal(r.written(inText), &got); err != nil || !proto.Equal(&got, want) {
			t.Fatalf("%v\n%v\n%v", err, &got, want)
		}
	})
}
