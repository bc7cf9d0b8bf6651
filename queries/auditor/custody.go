package auditor

import (
	"context"
	"fmt"
	"slices"

	"govahi/domain/event"
)

// The kinds of differences about the token (invariants 5 and 6).
const (
	Token    = "token"    // another token than reserved for the request, or with another certificate
	Custody  = "custody"  // not with exactly one holder, or a hand-over and its receipt do not match
	PIN      = "pin"      // its PIN went by a place that has the token, or had no way of its own
	Delivery = "delivery" // delivered to somebody else, or without a delivery of the request
)

// custody follows the token from the stock to the applicant.
func (a *application) custody(ctx context.Context) error {
	serial := a.intent.data.text("token")
	s, err := a.read(ctx, event.NewStream("token", serial))
	if err != nil {
		return err
	}
	a.endedWith(s)
	if a.follows.basis == onOwnToken {
		a.ownToken(s)
		return nil
	}
	reserved, ok := s.before(a.intent.Position).last("reserved")
	if !ok || reserved.data.text("request") != string(a.stream) {
		a.differs(Token, serial+" reserved for "+string(a.stream), or(reserved.data.text("request")))
		return nil
	}
	w := way{application: a}
	for _, f := range s {
		w.follow(f)
	}
	a.delivered(w)
	return nil
}

// endedWith wants nothing in force whose token is gone: from none of this does a
// token come back (domain §2.6, invariant 5).
func (a *application) endedWith(token facts) {
	gone, ok := token.last("lost", "found-defective", "returned", "destroyed")
	over := a.now.After(a.issued.data.time("notAfter"))
	if ok && !over && stateOf(a.facts).State == Good && a.now.Sub(gone.data.time("at")) > patience {
		a.differs(Custody, "revoked, for its token is "+gone.name, string(Good))
	}
}

// way is where the token is.
type way struct {
	*application
	holder    string // a place, or the person
	status    string
	to        string   // of a hand-over without a receipt
	route     []string // the places that had it
	via       string   // of its PIN
	delivered fact
}

func (w *way) follow(f fact) {
	switch f.name {
	case "received-in-stock":
		w.wants(w.status == "", f)
		w.at(f.data.text("office"), "in-stock")
	case "reserved":
		w.wants(w.status == "in-stock" || w.status == "reserved", f) // kept for one that did without it
		w.status = "reserved"
	case "personalised":
		w.wants(w.status == "reserved", f)
		w.same(Token, "certificate", w.id, f.data.text("certificate"))
		w.status = "here"
	case "pin-issued":
		if via := f.data.text("via"); via == w.to || slices.Contains(w.route, via) {
			w.differs(PIN, "by a place that the token does not pass", via)
		}
		w.via = f.data.text("via")
	case "handed-over":
		w.handOver(f)
	case "received":
		w.receive(f)
	default:
		w.end(f)
	}
}

// receive: what ended on its way remains so.
func (w *way) receive(f fact) {
	w.wants(w.receivable(f), f)
	status := "here"
	switch {
	case !f.data.yes("sealIntact"):
		status = "compromised"
	case slices.Contains([]string{"lost", "found-defective", "recalled"}, w.status):
		status = w.status
	}
	w.at(f.data.text("place"), status)
}

// receivable: at its destination; and who has it may say later that its seal was
// broken.
func (w *way) receivable(f fact) bool {
	place := f.data.text("place")
	if w.to != "" {
		return place == w.to
	}
	return (w.status == "here" || w.status == "recalled") && place == w.holder && !f.data.yes("sealIntact")
}

func (w *way) handOver(f fact) {
	w.wants(w.status == "here" && f.data.text("from") == w.holder, f)
	w.to, w.status = f.data.text("to"), "on-its-way"
	if w.via == "" || w.via == w.to {
		w.differs(PIN, "the PIN by a way of its own before the token goes to "+w.to, or(w.via))
	}
}

func (w *way) end(f fact) {
	switch f.name {
	case "delivered":
		w.wants(w.status == "here", f)
		w.delivered, w.holder, w.status = f, f.data.text("to"), "delivered"
	case "pin-activated":
		w.wants(w.status == "delivered" && f.data.text("by") == w.holder, f)
		w.status = "activated"
	case "lost", "found-defective", "recalled":
		w.status = f.name
	case "returned":
		w.wants(slices.Contains([]string{"compromised", "lost", "found-defective", "recalled"}, w.status), f)
		w.at(f.data.text("office"), "returned")
	case "destroyed":
		w.wants(w.status == "returned", f)
		w.holder, w.status = "", "destroyed"
	}
}

func (w *way) at(place, status string) {
	w.holder, w.to, w.status = place, "", status
	w.route = append(w.route, place)
}

// wants reports an event that cannot follow from where the token was.
func (w *way) wants(so bool, f fact) {
	if !so {
		w.differs(Custody, "what can follow "+or(w.status), fmt.Sprintf("%s at revision %d", f.name, f.Revision))
	}
}

// delivered compares the token's delivery with the request's: to the applicant,
// or to an attorney who is marked as one there.
func (a *application) delivered(w way) {
	if w.delivered.Type == "" {
		return
	}
	if w.delivered.data.text("to") != a.intent.data.text("subject") {
		a.differs(Delivery, "to the subject of the certificate", "to somebody else")
	}
	handed, ok := a.all.before(w.delivered.Position).last("delivered")
	switch {
	case !ok:
		a.differs(Delivery, "a delivery in the request before the token's", "none")
	case handed.data.text("by") == a.intent.data.text("subject"):
		a.differs(Delivery, "by an officer", "by the applicant himself")
	case !slices.Contains([]string{"national-card", "passport", "birth-certificate"}, handed.data.text("identityChecked")):
		a.differs(Delivery, "the receiver's identity checked by an original", or(handed.data.text("identityChecked")))
	}
}
