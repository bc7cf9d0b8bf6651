package auditor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"govahi/domain/event"
)

// The kinds of differences about the request.
const (
	Record       = "record"       // the confirmed record is another than the request's stream
	Confirmation = "confirmation" // there is no confirmation, or a later event took it back
	Control      = "control"      // confirmed before every control was passed (invariant 1)
	FourEyes     = "four-eyes"    // confirmed by somebody who had a part in it (invariant 2)
	Request      = "request"      // the request does not know of this certificate
)

// application is a request's stream, as far as a certificate cites it.
type application struct {
	*subject
	stream    event.Stream
	all       facts // the whole stream
	confirmed fact
	seen      facts // what the officer saw
	paper     dossier
	follows   renewal
}

// request checks a certificate that an applicant asked for.
func (c *subject) request(ctx context.Context) error {
	record, confirmation := c.intent.data.inner("record"), c.intent.data.inner("confirmation")
	a := &application{subject: c, stream: event.Stream(record.text("stream"))}
	if a.stream.Category() != "enrollment" || confirmation.text("stream") != string(a.stream) {
		c.differs(Record, "the stream of a request", or(record.text("stream")))
		return nil
	}
	var err error
	if a.all, err = c.read(ctx, a.stream); err != nil {
		return err
	}
	if a.findConfirmation(confirmation.number("revision")) {
		a.record(record)
		a.paper = folded(a.seen)
		a.controls()
		if err := a.officer(ctx); err != nil {
			return err
		}
	}
	a.asked()
	a.follows = renewalOf(a.all)
	c.renews = a.follows.basis == onOwnToken
	for _, part := range []func(context.Context) error{a.renewed, a.keyOfRequest, a.fee, a.custody} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// findConfirmation finds the cited one, which nothing took back before the intent.
func (a *application) findConfirmation(revision int64) bool {
	if revision <= 0 || revision >= int64(len(a.all)) || a.all[revision].name != "information-confirmed" {
		a.differs(Confirmation, fmt.Sprintf("at %s@%d", a.stream, revision), "none")
		return false
	}
	a.confirmed, a.seen = a.all[revision], a.all[:revision]
	if a.confirmed.Position > a.intent.Position {
		a.differs(Confirmation, "before the intent", "after it")
	}
	for _, f := range a.all[revision+1:].before(a.intent.Position) {
		if slices.Contains(voiding, f.name) || f.name == "issuance-failed" && f.data.yes("unconfirmed") {
			a.differs(Confirmation, "in force when it was intended", "taken back by "+f.Type)
		}
	}
	return true
}

// voiding are the events after which a record must be confirmed anew (S1.10), or
// the request is over.
var voiding = []string{
	"form-completed", "document-sighted", "identity-inquired", "identity-answered", "fee-settled", "control-required",
	"control-closed", "correction-requested", "rejected", "withdrawn", "information-confirmed", "revoked",
}

// record holds the hash that the officer signed against the stream that stood
// before his word: a chain of SHA-256 over name and stored data of each event,
// which an erasure leaves as it was.
func (a *application) record(cited told) {
	found, revision := chain(a.seen), int64(len(a.seen)-1)
	a.same(Record, "hash", cited.text("hash"), found)
	a.same(Record, "hash", a.confirmed.data.text("recordHash"), found)
	if cited.number("revision") != revision || a.confirmed.data.number("recordRevision") != revision {
		a.differs(Record, fmt.Sprintf("the whole stream up to revision %d", revision), fmt.Sprint(cited.number("revision")))
	}
}

func chain(s facts) string {
	var link [sha256.Size]byte
	for _, f := range s {
		data := sha256.Sum256(f.Data)
		link = sha256.Sum256(slices.Concat(link[:], []byte(f.Type), []byte{0}, data[:]))
	}
	return hex.EncodeToString(link[:])
}

// controls holds invariants 1 and 2 against the bare history.
func (a *application) controls() {
	if missing := a.paper.missing(); len(missing) > 0 {
		a.differs(Control, "every control passed", "missing: "+strings.Join(missing, ", "))
	}
	by := a.confirmed.data.text("by")
	switch {
	case by == "":
		a.differs(FourEyes, "an officer", "nobody")
	case by == a.paper.person:
		a.differs(FourEyes, "another than the applicant", "the applicant")
	case slices.Contains(a.paper.hands, by):
		a.differs(FourEyes, "an officer without a part in the record", "one who had a part in it")
	}
	if a.paper.person != a.intent.data.text("subject") {
		a.differs(Subject, "the applicant of the record", "somebody else")
	}
}

// asked compares what the office asked for with what was issued.
func (a *application) asked() {
	past := a.all.before(a.intent.Position)
	asked, ok := past.last("issuance-requested")
	if !ok {
		a.differs(Request, "asked for before the intent", "not asked for")
		return
	}
	a.same(Key, "as requested", asked.data.text("keyHash"), a.intent.data.text("keyHash"))
	a.same(Token, "as requested", asked.data.text("token"), a.intent.data.text("token"))
	attempted, _ := past.last("issuance-attempted")
	a.same(Request, "the attempt's serial", attempted.data.text("serial"), a.id)
	a.same(Request, "the request", string(a.stream), a.issued.data.text("request"))
	if noted, ok := a.all.last("issued"); ok {
		a.same(Request, "the certificate noted", noted.data.text("serial"), a.id)
		a.same(Request, "the fingerprint noted", noted.data.text("fingerprint"), a.issued.data.text("fingerprint"))
	}
}

func (a *application) keyOfRequest(ctx context.Context) error {
	if a.follows.basis != onOwnToken {
		return a.keyClaim(ctx, "", nil)
	}
	return a.keyClaim(ctx, a.follows.request, a.cameToNothing)
}

// cameToNothing tells of a request that it would have renewed the same
// certificate, and was over before this one was intended: the key went on from it.
func (a *application) cameToNothing(ctx context.Context, request string) (bool, error) {
	s, err := a.read(ctx, event.Stream(request))
	past := s.before(a.intent.Position)
	_, over := past.last("rejected", "withdrawn", "revoked")
	return over && renewalOf(past).certificate == a.follows.certificate, err
}

// keyClaim finds the stream by which a key belongs to one request, and after it
// to the one that renews its certificate; those that only tried to are passed over.
func (c *subject) keyClaim(ctx context.Context, former string, tried func(context.Context, string) (bool, error)) error {
	s, err := c.read(ctx, event.NewStream("key", c.intent.data.text("keyHash")))
	if err != nil {
		return err
	}
	claims := s.before(c.intent.Position)
	claimed, _ := claims.last("claimed")
	claims = claims[:max(0, len(claims)-1)]
	for tried != nil && len(claims) > 1 {
		passed, err := tried(ctx, claims[len(claims)-1].data.text("request"))
		if err != nil {
			return err
		}
		if !passed {
			break
		}
		claims = claims[:len(claims)-1]
	}
	before, _ := claims.last("claimed")
	if request := c.intent.data.inner("record").text("stream"); claimed.data.text("request") != request || before.data.text("request") != former {
		c.differs(KeyTwice, "a key claimed by "+request, or(claimed.data.text("request")))
	}
	return nil
}

// dossier is what is known of a request from its bare events.
type dossier struct {
	person  string
	company string
	channel string
	sort    string // of certificate
	version int64
	foreign bool
	proven  bool // the e-mail address
	liable  int64
	sighted map[string]bool
	matched int64
	paid    string // the order
	further map[string]bool
	hands   []string
}

func folded(s facts) dossier {
	d := dossier{sighted: map[string]bool{}, further: map[string]bool{}}
	for _, f := range s {
		d.learn(f.name, f.data)
		d.touch(f.name, f.data)
	}
	return d
}

func (d *dossier) learn(name string, e told) {
	switch name {
	case "opened":
		d.channel, d.sort = e.text("channel"), e.text("certificateType")
	case "form-completed":
		d.form(e)
	case "email-confirmed":
		d.proven = true
	case "liability-accepted":
		d.liable = e.number("formVersion")
	case "document-sighted":
		d.sighted[e.text("document")] = true
	case "identity-inquired":
		d.matched = 0
	case "identity-answered":
		d.matched = 0
		if e.yes("matched") {
			d.matched = e.number("formVersion")
		}
	case "fee-settled":
		d.paid = e.text("order")
	case "control-required", "control-closed":
		d.further[e.text("control")] = e.yes("passed")
	}
}

// form makes everything open again that was about an earlier one.
func (d *dossier) form(e told) {
	d.person, d.company, d.version, d.foreign = e.text("person"), e.text("organization"), e.number("version"), e.yes("foreign")
	d.proven = d.proven && !e.yes("emailChanged")
	d.matched = 0
	clear(d.sighted)
	for control := range d.further {
		d.further[control] = false
	}
}

// touch remembers who had a part in the record, for the rule of four eyes.
func (d *dossier) touch(name string, e told) {
	hand := ""
	switch name {
	case "opened":
		if e.text("office") != "" {
			hand = e.text("openedBy")
		}
	case "form-completed":
		hand = e.text("enteredBy")
	case "liability-accepted":
		if e.yes("atCounter") {
			hand = e.text("by")
		}
	case "dossier-approved", "document-sighted", "identity-inquired", "control-required", "control-closed":
		hand = e.text("by")
	case "identity-answered":
		hand = e.text("askedBy")
	}
	if hand != "" {
		d.hands = append(d.hands, hand)
	}
}

// missing lists what invariant 1 asks for, with S1.26–28: a foreigner shows his
// passport, which stands for a birth certificate also elsewhere.
func (d *dossier) missing() (missing []string) {
	need := func(ok bool, what string) {
		if !ok {
			missing = append(missing, what)
		}
	}
	need(d.version > 0, "form")
	need(d.proven, "email")
	need(d.liable == d.version, "liability")
	if d.foreign {
		need(d.sighted["passport"], "passport")
	} else {
		need(d.sighted["birth-certificate"] || d.sighted["passport"], "birth-certificate")
		need(d.sighted["national-card"], "national-card")
	}
	if d.company != "" { // who speaks for himself has no organisation to show a card and a letter of
		need(d.sighted["legal-person-card"], "legal-person-card")
		need(d.sighted["introduction-letter"], "introduction-letter")
	}
	need(d.matched == d.version, "identity")
	need(d.paid != "", "fee")
	for control, passed := range d.further {
		need(passed, control)
	}
	slices.Sort(missing)
	return missing
}
