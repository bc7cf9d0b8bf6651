package eventnode

import (
	"encoding/binary"
	"strconv"

	"github.com/google/uuid"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// written is a message that was encoded already.
type written []byte

// codec is gRPC's own, but for what was encoded already: events, which are most of
// what a node sends. The general way costs several times as much, for each has a
// map in it.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

// Marshal takes a message or what is written of it.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if w, ok := v.(written); ok {
		return mem.BufferSlice{mem.SliceBuffer(w)}, nil
	}
	return c.CodecV2.Marshal(v)
}

// The fields of ReadResp.event, and of what is in it (streams.proto, shared.proto).
const (
	respEvent = 1

	eventRecorded       = 1
	eventCommitPosition = 3

	recordedID       = 1
	recordedStream   = 2
	recordedRevision = 3
	recordedPrepare  = 4
	recordedCommit   = 5
	recordedMetadata = 6
	recordedCustom   = 7
	recordedData     = 8

	identifierName = 3

	uuidStructured = 1
	uuidText       = 2
)

// written is the response that brings a record. How long its parts are stands before
// them and is known after them: room is left for that.
func (r record) written(textID bool) written {
	w := make(written, headRoom, headRoom+fixedSize+len(r.stream)+len(r.kind)+len(r.meta)+len(r.data))
	w = appendMessage(w, recordedID, r.id.written(textID))
	w = protowire.AppendVarint(protowire.AppendTag(w, recordedStream, protowire.BytesType), uint64(1+protowire.SizeBytes(len(r.stream))))
	w = appendMessage(w, identifierName, r.stream)
	w = appendNumber(w, recordedRevision, r.revision)
	w = appendNumber(w, recordedPrepare, r.position)
	w = appendNumber(w, recordedCommit, r.position)
	w = appendEntry(w, "type", string(r.kind))
	w = appendEntry(w, "content-type", contentType[r.json])
	w = appendEntry(w, "created", strconv.FormatInt(r.created, 10)) // without it the official client ends its process
	w = appendMessage(w, recordedCustom, r.meta)
	w = appendMessage(w, recordedData, r.data)
	recorded := len(w) - headRoom
	w = appendNumber(w, eventCommitPosition, r.position)
	inner := len(w) - headRoom + 1 + protowire.SizeVarint(uint64(recorded))
	head := make([]byte, 0, headRoom)
	head = protowire.AppendVarint(protowire.AppendTag(head, respEvent, protowire.BytesType), uint64(inner))
	head = protowire.AppendVarint(protowire.AppendTag(head, eventRecorded, protowire.BytesType), uint64(recorded))
	w = w[headRoom-len(head):]
	copy(w, head)
	return w
}

const (
	headRoom  = 12  // two tags and lengths
	fixedSize = 224 // at most, of everything but texts and bytes
)

var contentType = map[bool]string{true: "application/json", false: "application/octet-stream"}

func (id eventID) written(text bool) []byte {
	if text {
		return appendMessage(nil, uuidText, []byte(uuid.UUID(id).String()))
	}
	bits := appendNumber(make([]byte, 0, 22), 1, binary.BigEndian.Uint64(id[:]))
	return appendMessage(nil, uuidStructured, appendNumber(bits, 2, binary.BigEndian.Uint64(id[8:])))
}

func appendNumber(b []byte, field protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

func appendMessage(b []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), message)
}

// appendEntry adds an entry of the metadata, which is a map.
func appendEntry(b []byte, key, value string) []byte {
	b = protowire.AppendTag(b, recordedMetadata, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(2+protowire.SizeBytes(len(key))+protowire.SizeBytes(len(value))))
	b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), key)
	return protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), value)
}
