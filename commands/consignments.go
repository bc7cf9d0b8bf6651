package commands

import (
	"context"
	"slices"
	"time"

	"govahi/domain/consignment"
	"govahi/domain/event"
)

// CutOff is how long a consignment may have its dossiers and not be sent: after
// that its command is taken for dead, and another may take them.
const CutOff = time.Minute

// dispatch claims each dossier before the bag is sent: the requests learn of it
// only later, and until then another bag would find them where they were. It
// looks at them again when it has them, for another bag may have taken one, and
// its request may have followed, before the claim.
func (a *App) dispatch(ctx context.Context, as act, dispatch consignment.Dispatch) (Receipt, error) {
	stream := consignment.Kind.Stream(dispatch.Number)
	return transactClaiming(ctx, a, consignment.Kind, stream, as, func(h history[consignment.Consignment]) ([]event.Event, error) {
		events, err := dispatch.Decide(h.state)
		if err == nil && len(events) > 0 {
			err = a.dispatchable(ctx, dispatch.From, dispatch.Dossiers)
		}
		return events, err
	}, func() (pack func() error, err error) { return a.packable(ctx, as, dispatch) })
}

// packable is claimable for all dossiers of a bag. They are taken in one order:
// of two bags that share some, one has them all.
func (a *App) packable(ctx context.Context, as act, d consignment.Dispatch) (pack func() error, err error) {
	var takes []func() error
	for _, code := range slices.Sorted(slices.Values(d.Dossiers)) {
		take, err := a.packableOne(ctx, as, d, code)
		if err != nil {
			return nil, err
		}
		takes = append(takes, take)
	}
	return func() error {
		for _, take := range takes {
			if err := take(); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// packableOne takes a dossier that is free, or that a consignment has which will
// never be sent. That one is called off first: if its command should still live,
// it finds its own stream begun and cannot send what another took.
func (a *App) packableOne(ctx context.Context, as act, d consignment.Dispatch, code string) (take func() error, err error) {
	stream := consignment.Packing.Stream(code)
	packed, err := load(ctx, a, consignment.Packing, stream)
	if err != nil {
		return nil, err
	}
	claim := consignment.TakePacking{Consignment: d.Number, At: d.At}
	holder := packed.state.Consignment
	if holder == "" || holder == d.Number {
		return claimable(ctx, a, consignment.Packing, stream, as, d.Number, claim)
	}
	dead, err := a.cutOff(ctx, packed.state, d.At)
	if err != nil {
		return nil, err
	}
	if dead {
		claim.Instead = holder
	}
	instead, err := claimable(ctx, a, consignment.Packing, stream, as, d.Number, claim)
	return func() error {
		if err := a.callOff(ctx, as, holder, d); err != nil {
			return err
		}
		return instead()
	}, err
}

// cutOff tells whether the consignment that has a dossier will not be sent.
func (a *App) cutOff(ctx context.Context, packed consignment.Packed, now time.Time) (bool, error) {
	h, err := load(ctx, a, consignment.Kind, consignment.Kind.Stream(packed.Consignment))
	begun := h.state.Status != consignment.None
	return h.state.Status == consignment.NotSent || !begun && now.Sub(packed.Since) >= CutOff, err
}

// callOff makes sure that a consignment will never be sent.
func (a *App) callOff(ctx context.Context, as act, number string, by consignment.Dispatch) error {
	return claim(ctx, a, consignment.Kind, consignment.Kind.Stream(number), as, by.Number, consignment.CallOff{For: by.Number, By: by.By, At: by.At})
}

// unpack lets go of a consignment's dossiers whose requests have followed, or will
// not any more: each says by itself from then on where its dossier is.
func (a *App) unpack(ctx context.Context, c Caller, number string, dossiers []string) error {
	for _, code := range dossiers {
		as := a.do(c, "ReleaseDossier", asPolicy, code)
		release := consignment.ReleasePacking{Consignment: number, At: as.at}
		if err := claim(ctx, a, consignment.Packing, consignment.Packing.Stream(code), as, number, release); err != nil {
			return err
		}
	}
	return nil
}
