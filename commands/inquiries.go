package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/inquiry"
)

// CivilRegistry answers who somebody is (S1.30, domain §5.3). An error is a
// registry out of reach: never a mismatch (invariant 11).
type CivilRegistry interface {
	Inquire(ctx context.Context, inquiry string, p RegistryQuestion) (RegistryAnswer, error)
}

// RegistryQuestion is what is compared; no more is asked than is needed.
type RegistryQuestion struct{ PersonCode, BirthDate, GivenName, Surname string }

// RegistryAnswer is one of: answered, deferred (with a cause), inconclusive
// (with the registry's code).
type RegistryAnswer struct {
	Matched      bool
	Differs      []string        // names of fields
	TrackingCode string          // the registry's, with every answer (S3.12)
	Finding      inquiry.Finding // if not matched; empty for a mismatch
	Deferred     inquiry.Cause   // empty if it answered
	RetryAt      time.Time       // of a deferral, where the registry's hours are known
	Inconclusive string          // the registry's message code, or empty
}

func inquiryOf(code string, formVersion int) string { return fmt.Sprintf("%s-%d", code, formVersion) }

// RequestInquiry opens the inquiry that the record names; a policy asks.
func (a *App) RequestInquiry(ctx context.Context, c Caller, request event.Stream, e enrollment.IdentityInquired) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil {
		return err
	}
	as := a.do(c, "RequestInquiry", "policy", request.ID())
	ask := inquiry.Request{Requested: inquiry.Requested{
		Inquiry: e.Inquiry, Request: request, FormVersion: e.FormVersion, Subject: h.state.Form.Person,
		Purpose: inquiry.ForIssuance, LegalBasis: inquiry.CivilRegistrationAct, By: e.By, At: as.at,
	}}
	_, err = transact(ctx, a, inquiry.Kind, inquiry.Kind.Stream(e.Inquiry), as, just[inquiry.Inquiry](ask))
	return err
}

// RepeatInquiry asks again after an inconclusive answer, at an officer's wish.
func (a *App) RepeatInquiry(ctx context.Context, c Caller, code string) (Receipt, error) {
	h, authority, err := a.ours(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "RepeatInquiry", authority, code)
	stream := inquiry.Kind.Stream(inquiryOf(code, h.state.Form.Version))
	return transact(ctx, a, inquiry.Kind, stream, as, func(q history[inquiry.Inquiry]) ([]event.Event, error) {
		if err := h.state.AtDesk(); err != nil { // not asked of a repetition: the request moved on since
			return nil, err
		}
		return inquiry.Repeat{By: c.Person, At: as.at}.Decide(q.state)
	})
}

// AskRegistry puts a due inquiry to the registry and records what came back.
// It may be called twice for one: the log takes the first answer.
func (a *App) AskRegistry(ctx context.Context, c Caller, id string) error {
	stream := inquiry.Kind.Stream(id)
	h, err := load(ctx, a, inquiry.Kind, stream)
	if err != nil || !h.state.IsDue(a.Clock()) {
		return err
	}
	answer, err := a.ask(ctx, id, h.state.Request)
	if err != nil {
		return err
	}
	c.Key = fmt.Sprintf("%s@%d", id, len(h.records)) // one act for each state of the inquiry
	as := a.do(c, "AskRegistry", "policy", h.state.Request.Request.ID())
	_, err = transact(ctx, a, inquiry.Kind, stream, as, just(answer.command(as)))
	return err
}

// ask ends the inquiry about a person who was erased: there is nothing left to
// ask with, and what stays due is tried for ever.
func (a *App) ask(ctx context.Context, id string, r inquiry.Requested) (RegistryAnswer, error) {
	question, err := a.question(ctx, r)
	switch {
	case errors.Is(err, event.ErrErased):
		return RegistryAnswer{Inconclusive: event.ErrErased.Code}, nil
	case errors.Is(err, errNotNeeded):
		return RegistryAnswer{Inconclusive: errNotNeeded.Code}, nil
	case err != nil:
		return RegistryAnswer{}, err
	}
	answer, err := a.Registry.Inquire(ctx, id, question)
	if err != nil {
		return RegistryAnswer{Deferred: inquiry.Down}, nil
	}
	return answer, nil
}

func (r RegistryAnswer) command(as act) event.Command[inquiry.Inquiry] {
	switch {
	case r.Deferred != "":
		return inquiry.Defer{Cause: r.Deferred, RetryAt: r.RetryAt, At: as.at}
	case r.Inconclusive != "":
		return inquiry.NoteInconclusive{Code: r.Inconclusive, At: as.at}
	case strings.TrimSpace(r.TrackingCode) == "": // S3.12: an answer has one
		return inquiry.Defer{Cause: inquiry.Down, At: as.at}
	}
	return inquiry.Answer{Finding: r.finding(), Differs: r.Differs, TrackingCode: r.TrackingCode, At: as.at}
}

func (r RegistryAnswer) finding() inquiry.Finding {
	if r.Matched {
		return inquiry.Matched
	}
	return cmp.Or(r.Finding, inquiry.Mismatch)
}

// errNotNeeded ends an inquiry whose purpose is gone (invariant 10).
var errNotNeeded = fault.New(fault.Conflict, "no-longer-needed",
	"این استعلام دیگر لازم نیست.", "This inquiry is no longer needed.")

func (a *App) question(ctx context.Context, r inquiry.Requested) (RegistryQuestion, error) {
	h, err := load(ctx, a, enrollment.Kind, r.Request)
	if err != nil {
		return RegistryQuestion{}, err
	}
	needed := !h.state.Status.Over()
	if r.Purpose == inquiry.ForReinquiry {
		if needed, err = a.inForce(ctx, h.state.Serial); err != nil {
			return RegistryQuestion{}, err
		}
	}
	if !needed || h.state.Form.Version != r.FormVersion {
		return RegistryQuestion{}, errNotNeeded
	}
	f, err := h.state.Form.Form.Open(ctx, a.Keeper)
	return RegistryQuestion{f.PersonCode, f.BirthDate, f.GivenName, f.Surname}, err
}

// NoteAnswer takes the registry's answer into the record; a policy asks.
func (a *App) NoteAnswer(ctx context.Context, c Caller, e inquiry.Answered) error {
	as := a.do(c, "NoteAnswer", "policy", e.Request.ID())
	answer := enrollment.AnswerIdentity{
		Inquiry: e.Inquiry, Matched: e.Matched, TrackingCode: e.TrackingCode, AskedBy: e.AskedBy, At: as.at,
	}
	_, err := transact(ctx, a, enrollment.Kind, e.Request, as, just[enrollment.Enrollment](answer))
	return err
}
