package http

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"govahi/domain/event"
)

// Health knows how the parts of the house do.
type Health interface {
	Parts(ctx context.Context) []Part
}

// PartState is how a part does.
type PartState string

// The states of a part.
const (
	Ready    PartState = "ready"
	Starting PartState = "starting"
	Failed   PartState = "failed"
)

// Part is one part of the house: the log, the signer, a projection.
type Part struct {
	Name   string    `json:"name"`
	State  PartState `json:"state" enum:"ready,starting,failed"`
	Detail string    `json:"detail,omitempty" doc:"For operators; nothing personal"`
	Lag    *Lag      `json:"lag,omitempty" doc:"Of a projection"`

	Outside bool `json:"outside,omitempty" doc:"Not of this house: it serves on without this part"`
}

// Lag is how far a projection is behind the log. Positions are not counts.
type Lag struct {
	At   event.Position `json:"at"`   // what it shows
	Head event.Position `json:"head"` // the log's end
}

// Readiness is the state of the house and of each part.
type Readiness struct {
	State PartState `json:"state" enum:"ready,starting,failed"`
	Parts []Part    `json:"parts"`
}

type readinessAnswer struct {
	Status int
	Body   Readiness
}

func (s *Server) declareHealth() {
	live := Operation{
		ID: "get-live", Method: "GET", Path: "/health/live", Tag: "Health",
		Summary: "Tell that the process answers", Status: fiber.StatusNoContent,
	}
	declare(s, describe(live), func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	ready := Operation{
		ID: "get-ready", Method: "GET", Path: "/health/ready", Tag: "Health",
		Summary: "Tell how each part does", Text: "200 if all parts are ready, else 503.",
	}
	declare(s, describe(ready), s.ready)
}

func (s *Server) ready(ctx context.Context, _ *struct{}) (*readinessAnswer, error) {
	parts := s.Health.Parts(ctx)
	answer := readinessAnswer{Status: fiber.StatusOK, Body: Readiness{State: worst(parts), Parts: parts}}
	if answer.Body.State != Ready {
		answer.Status = fiber.StatusServiceUnavailable
	}
	return &answer, nil
}

// worst is failed before starting before ready, of the parts of this house.
func worst(parts []Part) PartState {
	state := Ready
	for _, p := range parts {
		if !p.Outside && (p.State == Failed || state == Ready) {
			state = p.State
		}
	}
	return state
}
