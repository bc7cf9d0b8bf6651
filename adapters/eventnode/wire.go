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

// written is the response that brings a record.
func (r record) written(textID bool) written {
	e := make([]byte, 0, 320+len(r.stream)+len(r.kind)+len(r.meta)+len(r.data))
	e = appendMessage(e, recordedID, r.id.written(textID))
	e = appendMessage(e, recordedStream, appendMessage(nil, identifierName, []byte(r.stream)))
	e = appendNumber(e, recordedRevision, r.revision)
	e = appendNumber(e, recordedPrepare, r.position)
	e = appendNumber(e, recordedCommit, r.position)
	e = appendEntry(e, "type", r.kind)
	e = appendEntry(e, "content-type", contentType[r.json])
	e = appendEntry(e, "created", strconv.FormatInt(r.created, 10)) // without it the official client ends its process
	e = appendMessage(e, recordedCustom, r.meta)
	e = appendMessage(e, recordedData, r.data)
	position := appendNumber(make([]byte, 0, 12), eventCommitPosition, r.position)
	inner := 1 + protowire.SizeBytes(len(e)) + len(position)
	w := make(written, 0, 1+protowire.SizeBytes(inner))
	w = protowire.AppendVarint(protowire.AppendTag(w, respEvent, protowire.BytesType), uint64(inner))
	return append(appendMessage(w, eventRecorded, e), position...)
}

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
