package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"govahi/domain/event"
	"govahi/projections"
)

// standing is how far something that follows the log has come.
type standing struct{ position, lagEvents, lagSeconds family }

func standingOf(what, whose string, labels ...string) standing {
	return standing{
		gauge("govahi_"+what+"_position", "Position of the log up to which "+whose+" done everything.", labels...),
		gauge("govahi_"+what+"_lag_events", "Events of the log behind that position, counted up to 500.", labels...),
		gauge("govahi_"+what+"_lag_seconds", "Age of the oldest of those events; 0 if there is none.", labels...),
	}
}

func (s standing) families() []family { return []family{s.position, s.lagEvents, s.lagSeconds} }

var (
	logHead = gauge("govahi_log_head_position",
		"Position of the log's last event. Positions grow, but are no counts.")
	ofProjection = standingOf("projection", "the projection has", "projection")
	ofPolicy     = standingOf("policy", "the policies have", "policy")
	ofRelay      = standingOf("relay", "the relay has")

	projectionState = gauge("govahi_projection_state",
		"1 for the state in which the projection is, 0 for the others.", "projection", "state")
	relayTrouble = gauge("govahi_relay_trouble",
		"1 while the relay can confirm nothing.")

	progressFamilies = slices.Concat([]family{logHead, projectionState, relayTrouble},
		ofProjection.families(), ofPolicy.families(), ofRelay.families())
)

// projectionStates bound the values of a label.
var projectionStates = []projections.State{
	projections.Starting, projections.Building, projections.Following, projections.Waiting, projections.Superseded,
}

// follower is what follows the log: a projection, policies, the relay.
type follower struct {
	standing
	labels []string
	at     event.Position
}

// tellProgress asks for the head first, so that nobody looks behind who has
// since done more.
func (h *house) tellProgress(ctx context.Context, is tell) {
	head, err := h.log.Head(ctx)
	if err == nil {
		is(logHead, float64(head))
	}
	all := slices.DeleteFunc(h.followers(ctx, is), func(f follower) bool {
		return f.at == 0 && (err != nil || head > 0) // it does not know yet where it stands
	})
	for _, f := range all {
		is(f.position, float64(f.at), f.labels...)
	}
	if err == nil {
		tellLags(ctx, h.log, all, head, is)
	}
}

func (h *house) followers(ctx context.Context, is tell) (all []follower) {
	if h.runner != nil {
		list, _ := h.runner.Status(ctx) // its error is the log's
		for _, s := range list {
			all = append(all, follower{ofProjection, []string{s.Name}, s.Position})
			for _, state := range projectionStates {
				is(projectionState, one(s.State == state), s.Name, string(state))
			}
		}
	}
	for _, r := range h.policies {
		at, _ := r.Status()
		all = append(all, follower{ofPolicy, []string{r.Name}, at})
	}
	if h.relay != nil {
		at, err := h.relay.Status()
		is(relayTrouble, one(err != nil))
		all = append(all, follower{ofRelay, nil, at})
	}
	return all
}

// tellLags reads only what somebody has not done, once for all who stand at the
// same place, abreast.
func tellLags(ctx context.Context, log event.Log, all []follower, head event.Position, is tell) {
	at := map[event.Position][]follower{}
	for _, f := range all {
		at[f.at] = append(at[f.at], f)
	}
	var asks sync.WaitGroup
	for place, here := range at {
		asks.Go(func() {
			lag, err := lagBehind(ctx, log, place, head)
			for _, f := range here {
				if err == nil {
					is(f.lagEvents, float64(lag.events), f.labels...)
					is(f.lagSeconds, lag.age.Seconds(), f.labels...)
				}
			}
		})
	}
	asks.Wait()
}

// countUpTo bounds what a scrape reads for a follower that is far behind.
const countUpTo = 500

// lag is what a follower has not done yet.
type lag struct {
	events int           // counted up to countUpTo
	age    time.Duration // of the oldest, by the log's clock
}

func lagBehind(ctx context.Context, log event.Log, place, head event.Position) (lag, error) {
	if place >= head {
		return lag{}, nil
	}
	events, err := event.ReadBatch(ctx, log, place, countUpTo)
	if err != nil || len(events) == 0 {
		return lag{}, err
	}
	return lag{len(events), max(0, time.Since(events[0].Created))}, nil
}
