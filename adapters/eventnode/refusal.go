package eventnode

import (
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// refusal is an error in both shapes of the contract (event-log §1.9): a status
// with trailers for a call, or a status with a detail for one append of many.
type refusal struct {
	code      codes.Code
	text      string
	exception []string      // the trailers, names and values in turn; ASCII
	detail    proto.Message // nil is none
}

func (r *refusal) Error() string { return r.text }

// GRPCStatus is the status of a call that ends so.
func (r *refusal) GRPCStatus() *status.Status { return status.New(r.code, r.text) }

// trailers are those of a refusal; other errors have none.
func trailers(err error) metadata.MD {
	var r *refusal
	if errors.As(err, &r) {
		return metadata.Pairs(r.exception...)
	}
	return nil
}
