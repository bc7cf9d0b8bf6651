package auditor

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"govahi/domain/event"
)

// Renewal is the kind of differences between a certificate and the one that it
// follows (RFC 3647 §4.6–4.8): of somebody else, of other data or of another key
// than its basis allows, or beside one that should have ended.
const Renewal = "renewal"

// onOwnToken is the basis of a certificate of the same key.
const onOwnToken = "renewal"

// renewal is what a request says that it follows.
type renewal struct {
	basis, certificate, request string
}

func renewalOf(s facts) renewal {
	f, _ := s.last("renewal-opened")
	return renewal{f.data.text("basis"), f.data.text("certificate"), f.data.text("request")}
}

// renewed compares the certificate with the one that it follows.
func (a *application) renewed(ctx context.Context) error {
	if a.follows.certificate == "" {
		return nil
	}
	old, err := a.read(ctx, event.NewStream("certificate", a.follows.certificate))
	if err != nil {
		return err
	}
	intent, _ := old.last("issuance-intended")
	issued, _ := old.last("issued")
	switch {
	case issued.data.text("request") != a.follows.request || issued.data.text("subject") != a.intent.data.text("subject"):
		a.differs(Renewal, "a certificate of the same person, issued on "+a.follows.request, or(issued.data.text("request")))
		return nil
	case a.follows.basis == onOwnToken && intent.data.text("keyHash") != a.intent.data.text("keyHash"):
		a.differs(Renewal, "the key of "+a.follows.certificate, "another")
	}
	a.ended(old, issued)
	if a.follows.basis == "modification" {
		return nil
	}
	return a.sameData(ctx, issued)
}

// ended wants the other one revoked or expired: before the intent where its data
// changed, and else once this one was delivered.
func (a *application) ended(old facts, issued fact) {
	revoked, gone := old.last("revoked")
	delivered, has := a.all.last("delivered")
	expired := func(at time.Time) bool { return !at.Before(issued.data.time("notAfter")) }
	switch {
	case a.follows.basis == "modification" && !(gone && revoked.Position < a.intent.Position) && !expired(a.intent.data.time("at")):
		a.differs(Renewal, a.follows.certificate+" revoked before this was intended", "not so")
	case a.follows.basis != "modification" && has && !gone && !expired(a.now) && a.now.Sub(delivered.data.time("at")) > patience:
		a.differs(Renewal, a.follows.certificate+" superseded when this was delivered", "still valid")
	}
}

// sameData compares what the two say of their holder.
func (a *application) sameData(ctx context.Context, issued fact) error {
	der, err := a.run.der(ctx, issued, "certificate")
	switch {
	case errors.Is(err, event.ErrErased) || errors.Is(err, errNotSealed): // which is said of that certificate
		return nil
	case err != nil:
		return err
	}
	before, err := x509.ParseCertificate(der)
	if a.parsed == nil || err != nil {
		return nil //nolint:nilerr // that too
	}
	if !bytes.Equal(before.RawSubject, a.parsed.RawSubject) || !slices.Equal(before.EmailAddresses, a.parsed.EmailAddresses) {
		a.differs(Renewal, "the data of "+a.follows.certificate, "others")
	}
	return nil
}

// ownToken follows the token that the applicant kept.
func (a *application) ownToken(s facts) {
	past := s.before(a.intent.Position)
	delivered, ok := past.last("delivered")
	carried, _ := past.last("personalised", "renewed")
	switch {
	case !ok || delivered.data.text("to") != a.intent.data.text("subject"):
		a.differs(Custody, "a token in its holder's hands", "not so")
	case carried.data.text("certificate") != a.follows.certificate:
		a.differs(Token, "the token of "+a.follows.certificate, or(carried.data.text("certificate")))
	}
	noted := slices.ContainsFunc(s.all("renewed"), func(f fact) bool {
		return f.data.text("certificate") == a.id && f.data.text("request") == string(a.stream)
	})
	if written, ok := a.all.last("token-personalised"); ok && !noted && a.now.Sub(written.data.time("at")) > patience {
		a.differs(Token, "noted on the token", "not so")
	}
}
