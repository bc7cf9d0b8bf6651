package http

import (
	"context"
	"time"

	"govahi/adapters/web"
	"govahi/domain/enrollment"
	"govahi/queries"
)

// Progress is a request, and what its applicant is told of it: who has it, what
// comes next and how it came here (domain §2.5). Codes are for programs; what
// stands beside them is Persian, for people.
type Progress struct {
	queries.Request
	StateName string         `json:"stateName" doc:"The state, in Persian"`
	Now       string         `json:"now" doc:"Who has it in hand, in Persian"`
	Next      string         `json:"next" doc:"What comes next, in Persian"`
	Failure   *string        `json:"failure,omitempty" doc:"Code of why the CA gave it back, until that is mended: confirmed anew, or asked for again"`
	Why       *queries.Words `json:"why,omitempty" doc:"The same in words: what is wrong, and the remedy"`
	Possible  []Possible     `json:"possible" doc:"What may be done to it in this state, and by whom; none once it is over"`
	Timeline  []Stage        `json:"timeline" doc:"Every state that it was in, the first first"`
}

// Possible is something that may be done to a request.
type Possible struct {
	Name string `json:"name" doc:"What, in Persian: it follows «اکنون می‌توان»"`
	By   string `json:"by" doc:"Who does it, in Persian"`
}

// Stage is a state that a request came into.
type Stage struct {
	State string    `json:"state"`
	Name  string    `json:"name" doc:"In Persian"`
	Since time.Time `json:"since"`

	Failure *string        `json:"failure,omitempty" doc:"Code of why the CA gave it back, if that brought it there"`
	Why     *queries.Words `json:"why,omitempty" doc:"The same in words"`

	Attorney *queries.Power `json:"attorney,omitempty" doc:"Of the delivery: by which power an attorney received the token"`
}

// progress reads the timeline of a request that does not exist, too, so that the
// time does not tell one from the other.
func (h House) progress(ctx context.Context, code string) (Progress, error) {
	steps, err := h.Queries.Steps(ctx, code)
	if err != nil {
		return Progress{}, err
	}
	r, err := h.Queries.Request(ctx, code)
	if err != nil {
		return Progress{}, err
	}
	told := standOf(r.State, r.ToAttorney)
	p := Progress{Request: r, StateName: stateLabel(r.State), Now: told.Now, Next: told.Next, Possible: possible(r), Timeline: []Stage{}}
	for _, s := range steps {
		p.Timeline = append(p.Timeline, stageOf(s, r))
	}
	p.giveBack(standing(steps))
	return p, nil
}

// giveBack says of a request that the CA gave it back, and why. Who has it then is
// told so, unless the office has taken it up, or the applicant mends his form.
func (p *Progress) giveBack(failure *string) {
	p.Failure, p.Why = failure, inWords(failure)
	switch enrollment.Status(p.State) {
	case enrollment.StatusControlled, enrollment.StatusConfirmed:
		if failure != nil {
			p.Now, p.Next = web.GivenBack, p.Why.Fa
		}
	}
}

// inWords says why the CA gave a request back, if it did.
func inWords(failure *string) *queries.Words {
	if failure == nil {
		return nil
	}
	return new(whyReturned(*failure))
}

// standing is why the CA gave a request back, as long as that waits for its remedy:
// nothing the office looks at meanwhile is one, but a confirmation anew, or another
// state than those of the desk.
func standing(steps []queries.Step) (failure *string) {
	for _, s := range steps {
		switch enrollment.Status(s.State) {
		case enrollment.StatusUnderControl, enrollment.StatusNeedsCorrection, enrollment.StatusControlled:
			if s.Failure != nil {
				failure = s.Failure
			}
		default:
			failure = s.Failure
		}
	}
	return failure
}

// stageOf puts a step into words; a delivery to an attorney is marked so.
func stageOf(s queries.Step, r queries.Request) Stage {
	g := Stage{State: s.State, Name: stateLabel(s.State), Since: s.Since, Failure: s.Failure, Why: inWords(s.Failure)}
	if r.ToAttorney && s.State == string(enrollment.StatusDelivered) {
		g.Name, g.Attorney = g.Name+" به وکیل", r.Attorney
	}
	return g
}

// standOf says who has the matter, and the token, now.
func standOf(state string, toAttorney bool) web.Stand {
	if toAttorney {
		return web.StandByAttorney(state)
	}
	return web.StandOf(state)
}

// possible reads the life of a request. What only views compute is of none, and
// of the two ways to submit one is the request's channel's.
func possible(r queries.Request) []Possible {
	acts := []Possible{}
	for _, a := range enrollment.Kind.Life[r.State].Now {
		_, office := a.Command.(enrollment.Submit)
		_, unit := a.Command.(enrollment.SubmitToUnit)
		if inside := r.Channel == string(enrollment.Inside); office && inside || unit && !inside {
			continue
		}
		acts = append(acts, Possible{a.Name.Fa, a.By.Fa})
	}
	return acts
}
