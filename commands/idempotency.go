package commands

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"govahi/domain/event"
	"govahi/domain/idempotency"
)

// asked is what a command asks, as a keyed digest: the log must not let
// anybody try out national codes on it.
func (a *App) asked(as act) string {
	return hex.EncodeToString(a.Secrets.Derive("question", as.actor(), as.Key, as.name, string(as.Question)))
}

func (a *App) keyStream(c Caller) event.Stream {
	return idempotency.Kind.Stream(hex.EncodeToString(a.Secrets.Derive("idempotency", c.actor(), c.Key)))
}

// repeated finds the first receipt of a command that the stream holds, if it is
// the same question.
func repeated[S any](ctx context.Context, a *App, as act, h history[S]) (Receipt, bool, error) {
	first, ok := h.done(as.commandID(as.name))
	if !ok || as.Policy != "" {
		return first, ok, nil
	}
	claimed, err := load(ctx, a, idempotency.Kind, a.keyStream(as.Caller))
	if err != nil {
		return Receipt{}, false, err
	}
	_, err = idempotency.Claim{Question: a.asked(as)}.Decide(claimed.state)
	return first, true, err
}

// once claims the caller's key before anything of the command is stored, and
// tells the answer if there was one. Two callers with one key and two questions
// meet here, whatever streams they are about; what only claimed its key before
// a crash goes on. Policies need no key: an event leads to one question.
func once[S any](ctx context.Context, a *App, as *act, stream event.Stream, h history[S], nothing bool) (Receipt, bool, error) {
	if as.Policy != "" || as.claimed {
		return h.receipt(stream), nothing, nil
	}
	claim := idempotency.Claim{Question: a.asked(*as), Stream: stream, At: as.at}
	if nothing {
		revision := h.receipt(stream).Revision
		claim.Revision = &revision
	}
	was, at, err := a.claimKey(ctx, *as, claim)
	as.claimed = err == nil
	switch {
	case err != nil:
		return Receipt{}, false, err
	case was.Revision != nil:
		return Receipt{was.Stream, *was.Revision, at}, true, nil
	case was.Stream != stream: // what the question is about was somebody else's then
		return a.answered(ctx, was.Stream, as.commandID(as.name))
	}
	return h.receipt(stream), nothing, nil
}

// claimKey appends the claim to the key's stream, or reads whose it is.
func (a *App) claimKey(ctx context.Context, as act, c idempotency.Claim) (idempotency.Claimed, event.Position, error) {
	stream := a.keyStream(as.Caller)
	meta := as.meta()
	// The log recognises an event by its ID: another claim must have another.
	meta.CommandID = as.commandID("claim") + "/" + c.Question + "/" + string(c.Stream)
	if c.Revision != nil {
		meta.CommandID += fmt.Sprintf("@%d", *c.Revision)
	}
	proposed, err := idempotency.Kind.Encode(ctx, a.Keeper, stream, meta, []event.Event{idempotency.Claimed(c)})
	if err != nil {
		return idempotency.Claimed{}, 0, err
	}
	r, err := a.Log.Append(ctx, stream, event.NoStream, proposed...)
	if !errors.Is(err, event.ErrWrongExpectedRevision) {
		return idempotency.Claimed(c), r.Position, unavailable(err)
	}
	h, err := load(ctx, a, idempotency.Kind, stream)
	if err == nil {
		_, err = c.Decide(h.state)
	}
	return h.state, h.receipt(stream).Position, err
}

// answered finds a command by its ID in another stream than the one at hand.
func (a *App) answered(ctx context.Context, stream event.Stream, commandID string) (r Receipt, found bool, err error) {
	for e, err := range a.Log.Read(ctx, stream, 0) {
		if err != nil {
			return Receipt{}, false, unavailable(err)
		}
		if m, err := e.DecodeMeta(); err == nil && m.CommandID == commandID {
			r, found = Receipt{e.Stream, e.Revision, e.Position}, true
		}
	}
	return r, found, nil
}
