package eventnode

import (
	"errors"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/emptypb"
)

// reply answers one append of many, and repeats what it expected.
func reply(a *batched, result answer) *streams.BatchAppendResp {
	r := &streams.BatchAppendResp{CorrelationId: a.correlation, StreamIdentifier: a.options.GetStreamIdentifier()}
	if r.StreamIdentifier == nil {
		r.StreamIdentifier = &shared.StreamIdentifier{} // clients read it without looking
	}
	switch expected := a.options.GetExpectedStreamPosition().(type) {
	case *streams.BatchAppendReq_Options_StreamPosition:
		r.ExpectedStreamPosition = &streams.BatchAppendResp_StreamPosition{StreamPosition: expected.StreamPosition}
	case *streams.BatchAppendReq_Options_NoStream:
		r.ExpectedStreamPosition = &streams.BatchAppendResp_NoStream{NoStream: &emptypb.Empty{}}
	case *streams.BatchAppendReq_Options_StreamExists:
		r.ExpectedStreamPosition = &streams.BatchAppendResp_StreamExists{StreamExists: &emptypb.Empty{}}
	case *streams.BatchAppendReq_Options_Any:
		r.ExpectedStreamPosition = &streams.BatchAppendResp_Any{Any: &emptypb.Empty{}}
	}
	switch {
	case result.err != nil:
		r.Result = failure(result.err)
	case result.wrong:
		r.Result = failure(wrongVersion(a.expected, result.head))
	default:
		r.Result = &streams.BatchAppendResp_Success_{Success: batchedSuccess(a, result.head)}
	}
	return r
}

func batchedSuccess(a *batched, h head) *streams.BatchAppendResp_Success {
	ok := &streams.BatchAppendResp_Success{
		CurrentRevisionOption: &streams.BatchAppendResp_Success_NoStream{NoStream: &emptypb.Empty{}},
		PositionOption:        &streams.BatchAppendResp_Success_NoPosition{NoPosition: &emptypb.Empty{}},
	}
	if h.exists {
		ok.CurrentRevisionOption = &streams.BatchAppendResp_Success_CurrentRevision{CurrentRevision: h.revision}
	}
	if len(a.ids) > 0 {
		ok.PositionOption = &streams.BatchAppendResp_Success_Position{
			Position: &shared.AllStreamPosition{CommitPosition: h.position, PreparePosition: h.position},
		}
	}
	return ok
}

// failure is an error within a call that goes on (event-log §1.9). It always has
// a detail: clients do not look whether there is one.
func failure(err error) *streams.BatchAppendResp_Error {
	of := status.Convert(err)
	var detail proto.Message = &shared.Unknown{}
	var r *refusal
	switch {
	case errors.As(err, &r) && r.detail != nil:
		detail = r.detail
	case of.Code() == codes.InvalidArgument || of.Code() == codes.Unimplemented:
		detail = &shared.BadRequest{Message: of.Message()}
	}
	if detailed, err := of.WithDetails(protoadapt.MessageV1Of(detail)); err == nil {
		of = detailed
	}
	return &streams.BatchAppendResp_Error{Error: of.Proto()}
}

func wrongVersion(expected int64, h head) *refusal {
	wrong := &shared.WrongExpectedVersion{
		CurrentStreamRevisionOption: &shared.WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &emptypb.Empty{}},
	}
	if h.exists {
		wrong.CurrentStreamRevisionOption = &shared.WrongExpectedVersion_CurrentStreamRevision{CurrentStreamRevision: h.revision}
	}
	switch expected {
	case noStream:
		wrong.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &emptypb.Empty{}}
	case streamExists:
		wrong.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &emptypb.Empty{}}
	case anyRevision:
		wrong.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedAny{ExpectedAny: &emptypb.Empty{}}
	default:
		wrong.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedStreamPosition{ExpectedStreamPosition: uint64(expected)}
	}
	return &refusal{code: codes.AlreadyExists, text: "Wrong expected version.", detail: wrong}
}
