package auditor

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math/big"
	"time"

	"govahi/domain/event"
)

// OCSP is a responder's answer that is not what the log says.
const OCSP = "ocsp"

// codes are the reasons of RFC 5280 §5.3.1.
var codes = map[string]int{
	"keyCompromise": 1, "affiliationChanged": 3, "superseded": 4, "cessationOfOperation": 5, "certificateHold": 6, "privilegeWithdrawn": 9,
}

// stateOf is what relying parties must be told of a serial. What was abandoned is
// revoked, too; what is on hold is told so until it is lifted.
func stateOf(s facts) Answer {
	now := Answer{State: Unknown}
	for _, f := range s {
		now = now.after(f)
	}
	return now
}

func (a Answer) after(f fact) Answer {
	switch f.name {
	case "issued":
		a.State = Good
	case "suspended":
		a = Answer{State: Revoked, Reason: codes["certificateHold"], At: f.data.time("at")}
	case "suspension-lifted":
		a = Answer{State: Good}
	case "revoked":
		at := f.data.time("at")
		if a.State == Revoked && a.Reason != codes["certificateHold"] { // a worse reason does not make trust end later
			at = a.At
		}
		a = Answer{State: Revoked, Reason: codes[f.data.text("reason")], At: at}
	}
	return a
}

// is compares to the second, as answers and lists have it.
func (a Answer) is(b Answer) bool {
	return a.State == b.State && a.Reason == b.Reason && second(a.At).Equal(second(b.At))
}

func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func (a Answer) String() string {
	if a.State != Revoked {
		return string(a.State)
	}
	return fmt.Sprintf("revoked for reason %d since %s", a.Reason, second(a.At).Format(time.RFC3339))
}

// mostSilence is how many times in a row a responder may say nothing until it is
// asked no more.
const mostSilence = 3

// askStatus compares the responder's answer with the log. What changed since the
// audit began is looked up; a change has a minute to be told.
func (c *subject) askStatus(ctx context.Context) error {
	expected := stateOf(c.facts)
	number, _ := hex.DecodeString(c.id)
	if c.by.Published == nil || !c.sampled(expected) || c.deaf(c.by) {
		return nil
	}
	c.count(&c.summary.Asked)
	found, err := c.by.Published.Status(ctx, new(big.Int).SetBytes(number))
	if err != nil {
		c.hear(c.by, false)
		return ctx.Err()
	}
	c.hear(c.by, true)
	if !found.is(expected) {
		now, err := c.readPresent(ctx, event.NewStream("certificate", c.id))
		if err != nil {
			return err
		}
		if expected = stateOf(now); !c.wasLately(found, now) {
			c.differs(OCSP, expected.String(), found.String())
		}
	}
	if found.State != Unknown {
		c.answeredBy(c.by, found.By)
	}
	return nil
}

// answersWithin is how long an answer may be behind the log.
const answersWithin = time.Minute

// wasLately tells whether an answer is what the log says, or said until just now.
func (c *subject) wasLately(found Answer, s facts) bool {
	for n := len(s); n >= 0; n-- {
		if found.is(stateOf(s[:n])) {
			return true
		}
		if n > 0 && c.Clock().Sub(s[n-1].data.time("at")) > answersWithin {
			return false
		}
	}
	return false
}

// sampled leaves out good ones by turns, another part of them each day.
func (c *subject) sampled(a Answer) bool {
	if c.Every <= 1 || a.State == Revoked {
		return true
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(c.id))
	return (int64(h.Sum32())+c.now.Unix()/86400)%int64(c.Every) == 0
}

func (r *run) deaf(i *issuer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return i.silent >= mostSilence
}

// hear counts silence. Who answers for an issuer that made its last list may have
// no certificate any more: the list says all, for ever.
func (r *run) hear(i *issuer, heard bool) {
	r.mu.Lock()
	i.silent++
	if heard {
		i.silent = 0
	}
	gone := i.silent == mostSilence && !i.lastList()
	r.mu.Unlock()
	if gone {
		r.tellOf(i, OCSP, "a responder that answers", "none")
	}
}

// answeredBy remembers by which certificates was answered.
func (r *run) answeredBy(i *issuer, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i.responders[id] = true
}
