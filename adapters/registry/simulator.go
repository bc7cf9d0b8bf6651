// Package registry asks the civil registry (domain §5.3). Here is its
// simulator, behind the port of the real one, and able to misbehave.
package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"govahi/commands"
	"govahi/domain/event"
	"govahi/domain/inquiry"
)

// ErrDown reports a registry out of reach: never a mismatch (invariant 11).
var ErrDown = errors.New("registry: out of reach")

// Simulator behaves by the eighth digit of the person's code, so that a story
// can choose its registry without any switch:
//
//	0–4  matched
//	5    mismatch (birth date)
//	6    inconclusive: the person must visit the registry
//	7    deferred once (outside hours), then matched
//	8    down twice, then matched
//	9    down, always
//
// A foreigner's code goes by its tenth digit.
//
// Beside that a test may close it, or let it answer about a person by any message
// code of domain §5.3.
type Simulator struct {
	Hours *Hours           // nil for always
	Clock func() time.Time // of the hours

	mu    sync.Mutex
	asked map[string]int    // by inquiry
	says  map[string]string // message codes by person's code
}

// Says lets the registry answer about a person by a message code from now on; by
// none if it is empty.
func (s *Simulator) Says(personCode, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.says[personCode] = message
}

// told is what it was told to say, or the deferral while it is closed.
func (s *Simulator) told(id, personCode string) (answer commands.RegistryAnswer, is bool, err error) {
	if s.Hours != nil {
		if answer, closed := s.Hours.Deferral(s.Clock()); closed {
			return answer, true, nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	message := s.says[personCode]
	if message == "" {
		return answer, false, nil
	}
	if answer, err = Outcome(message, time.Time{}); answer.Finding != "" {
		answer.TrackingCode = trackingCode(id)
	}
	return answer, true, err
}

// NewSimulator has been asked nothing yet.
func NewSimulator() *Simulator { return &Simulator{asked: map[string]int{}, says: map[string]string{}} }

// Inquire answers as the table says, with a tracking code derived from the
// inquiry, so that a repeated question has the same one (S3.12).
func (s *Simulator) Inquire(_ context.Context, id string, q commands.RegistryQuestion) (commands.RegistryAnswer, error) {
	if answer, is, err := s.told(id, q.PersonCode); is {
		return answer, err
	}
	answer := commands.RegistryAnswer{Matched: true, TrackingCode: trackingCode(id)}
	times := s.count(id)
	switch q.PersonCode[len(q.PersonCode)-3] {
	case '5':
		answer.Matched, answer.Differs = false, []string{"birthDate"}
	case '6':
		return commands.RegistryAnswer{Inconclusive: "result.rec.review"}, nil
	case '7':
		if times == 1 {
			return commands.RegistryAnswer{Deferred: inquiry.OutOfHours}, nil
		}
	case '8':
		if times <= 2 {
			return commands.RegistryAnswer{}, ErrDown
		}
	case '9':
		return commands.RegistryAnswer{}, ErrDown
	}
	return answer, nil
}

func (s *Simulator) count(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[id]++
	return s.asked[id]
}

func trackingCode(id string) string {
	sum := event.DeriveID("registry", id)
	return fmt.Sprintf("SIM-%X", sum[:5])
}
