package signer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// maxBody bounds a request that is JSON.
const maxBody = 1 << 20

type signRequest struct {
	Stream   event.Stream `json:"stream"`
	Revision uint64       `json:"revision"`
	TBS      []byte       `json:"tbs"`
	Officer  []byte       `json:"officer,omitempty"` // certificate of who confirmed, DER: the log has it sealed
}

type signReply struct {
	DER    []byte `json:"der"`
	Signer string `json:"signer"`
}

type crlReply struct {
	Signature []byte `json:"signature"`
	Signer    string `json:"signer"`
}

type digestRequest struct {
	Digest []byte `json:"digest"`
	Hash   uint   `json:"hash"` // crypto.Hash
}

type (
	bytesRequest struct {
		Data []byte `json:"data"`
	}
	bytesReply struct {
		Data []byte `json:"data"`
	}
)

type infoReply struct {
	Signer       string   `json:"signer"`
	Issuers      [][]byte `json:"issuers"`      // certificates, DER
	ResponderKey []byte   `json:"responderKey"` // SubjectPublicKeyInfo, DER
}

// wireFault is a fault.Fault on its way between the processes.
type wireFault struct {
	Kind  fault.Kind `json:"kind"`
	Code  string     `json:"code"`
	Field string     `json:"field,omitempty"`
	Fa    string     `json:"fa"`
	En    string     `json:"en"`

	Untried bool `json:"untried,omitempty"` // nothing was begun
}

// answer turns a typed function into a handler. A refusal travels as a fault;
// what else went wrong as ErrFailed, for its text may name what it should not.
func answer[Q, A any](do func(context.Context, Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err == nil {
			err = json.Unmarshal(body, &q)
		}
		if err != nil {
			refuse(w, ErrMalformed)
			return
		}
		a, err := do(r.Context(), q)
		if err != nil {
			slog.Warn("signer: refused or failed", "path", r.URL.Path, "error", err)
			refuse(w, err)
			return
		}
		_ = json.NewEncoder(w).Encode(a)
	}
}

func refuse(w http.ResponseWriter, err error) {
	f, ok := fault.Of(err)
	if !ok {
		f = ErrFailed
	}
	w.WriteHeader(http.StatusConflict)
	_ = json.NewEncoder(w).Encode(wireFault{f.Kind, f.Code, f.Field, f.Text.Fa, f.Text.En, errors.Is(err, ErrUnavailable)})
}
