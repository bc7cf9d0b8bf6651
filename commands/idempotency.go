package commands

import (
	"context"
	"encoding/hex"
	"fmt"

	"govahi/domain/event"
	"govahi/domain/idempotency"
	"govahi/domain/iran"
)

// digest is what a command asks, as a keyed digest: the log must not let
// anybody try out national codes on it.
func (a *App) digest(as act) string {
	return hex.EncodeToString(a.Secrets.Derive("question", as.actor(), as.Key, as.name, string(as.Question)))
}

func (a *App) keyStream(c Caller) event.Stream {
	return idempotency.Kind.Stream(hex.EncodeToString(a.Secrets.Derive("idempotency", c.actor(), c.Key)))
}

// repeated finds the first answer to a command: the receipt that the stream
// holds, or that there was nothing to do, whatever there were today. Of a person
// it must be the same question.
func repeated[S any](ctx context.Context, a *App, as act, h history[S]) (Receipt, bool, error) {
	first, ok := h.done(as.commandID(as.name))
	if as.Policy != "" {
		return first, ok, nil
	}
	key, err := load(ctx, a, idempotency.Kind, a.keyStream(as.Caller))
	if err == nil {
		_, err = idempotency.Claim{Question: a.digest(as)}.Decide(key.state)
	}
	if was := key.state; err == nil && !ok && was.Revision != nil {
		return Receipt{was.Stream, *was.Revision, key.receipt("").Position}, true, nil
	}
	return first, ok, err
}

// once claims the caller's key before anything of the command is stored, and
// tells the answer if there was one. Two callers with one key and two questions
// meet here, whatever streams they are about; what only claimed its key before
// a crash goes on. Policies need no key: an event leads to one question.
func once[S any](ctx context.Context, a *App, as *act, stream event.Stream, h history[S], nothing bool) (Receipt, bool, error) {
	if as.Policy != "" || as.claimed && !nothing {
		return h.receipt(stream), nothing, nil
	}
	claim := idempotency.Claim{Question: a.digest(*as), Stream: stream, At: as.at}
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

// claimKey appends the claim to the key's stream, or tells whose it is. The log
// takes a repeated claim for the first one, and does not tell what was added to
// that since: repeated has looked, and looks again if the command's stream moved.
func (a *App) claimKey(ctx context.Context, as act, c idempotency.Claim) (was idempotency.Claimed, at event.Position, err error) {
	stream, meta := a.keyStream(as.Caller), as.meta()
	// The log recognises an event by its ID: another claim must have another.
	meta.CommandID = as.commandID("claim") + "/" + c.Question + "/" + string(c.Stream)
	if c.Revision != nil {
		meta.CommandID += fmt.Sprintf("@%d", *c.Revision)
	}
	free := history[idempotency.Claimed]{} // most often
	r, err := insist(ctx, a, idempotency.Kind, stream, free, func(h history[idempotency.Claimed]) (Receipt, error) {
		events, err := c.Decide(h.state)
		if was = h.state; len(events) > 0 {
			was = idempotency.Claimed(c)
		}
		if err != nil {
			return Receipt{}, err
		}
		return appendTo(ctx, a, idempotency.Kind, stream, h, meta, events)
	})
	return was, r.Position, err
}

// meant is the stream that the caller's key was claimed for, if it was. What
// names a stream may change, like the year or who has a national code: a
// repetition goes where the command went.
func (a *App) meant(ctx context.Context, c Caller, category string) (event.Stream, error) {
	h, err := load(ctx, a, idempotency.Kind, a.keyStream(c))
	if h.state.Stream.Category() != category {
		return "", err
	}
	return h.state.Stream, err
}

// answered finds a command by its ID in another stream than the one at hand. One
// that was not begun yet will be by the first try, or by a later one.
func (a *App) answered(ctx context.Context, stream event.Stream, commandID string) (r Receipt, found bool, err error) {
	begun := false
	for e, err := range a.Log.Read(ctx, stream, 0) {
		if err != nil {
			return Receipt{}, false, unavailable(err)
		}
		begun = true
		if m, err := e.DecodeMeta(); err == nil && m.CommandID == commandID {
			r, found = Receipt{e.Stream, e.Revision, e.Position}, true
		}
	}
	if !begun {
		return Receipt{}, false, ErrBusy
	}
	return r, found, nil
}

// numberFor is that of the thing that this caller meant to open with this key,
// or a free number.
func (a *App) numberFor(ctx context.Context, c Caller, purpose, command, category string) (string, error) {
	meant, err := a.meant(ctx, c, category)
	if meant != "" || err != nil {
		return meant.ID(), err
	}
	year := iran.FromTime(a.Clock()).Year
	for n := 0; ; n++ {
		number := a.trackingCode(c, purpose, year, n)
		free, err := a.freeFor(ctx, event.NewStream(category, number), c.commandID(command))
		if free || err != nil {
			return number, err
		}
	}
}

// freeFor tells whether a stream is not begun, or by this very command.
func (a *App) freeFor(ctx context.Context, stream event.Stream, command string) (bool, error) {
	for r, err := range a.Log.Read(ctx, stream, 0) {
		if err != nil {
			return false, unavailable(err)
		}
		m, err := r.DecodeMeta()
		return err == nil && m.CommandID == command, err
	}
	return true, nil
}
