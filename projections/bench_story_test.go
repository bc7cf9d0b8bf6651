package projections_test

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/inquiry"
	"govahi/domain/notification"
	"govahi/domain/token"
)

// fill tells so many events of requests from form to certificate, several
// hundred of them at once, so that their events lie between each other.
func fill(b *testing.B, log event.Log, events int) (n int) {
	b.Helper()
	const abreast = 256
	each := len(benchSteps)
	stories := max(events/each, 1)
	var group sync.WaitGroup
	next := make(chan int)
	for range abreast {
		group.Go(func() {
			for i := range next {
				if err := tellAll(b.Context(), log, i); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range stories {
		next <- i
	}
	close(next)
	group.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return stories * each
}

// benchStep is an event of a story on one of its streams.
type benchStep struct {
	kind string
	id   func(s *benchStory) string
	tell func(s *benchStory) event.Event
}

// benchStory is one request: its applicant, its certificate, its token.
type benchStory struct {
	n            int
	code, serial string
	person       event.Subject
	der          []byte
	heads        map[string]int
	at           time.Time
}

var benchSteps = []benchStep{
	{"token", (*benchStory).tokenID, func(s *benchStory) event.Event {
		return token.ReceivedInStock{Serial: s.tokenID(), Model: "model", Office: s.office(), By: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.Opened{TrackingCode: s.code, Channel: enrollment.Outside, CertificateType: "cpmis-signature", OpenedBy: s.person, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		f := completed(s.person)
		f.At = s.at
		return f
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.EmailCodeSent{FormVersion: 1, Round: 1, ExpiresAt: s.at.Add(time.Hour)}
	}},
	mailAsked(1), mailSent(1),
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event { return enrollment.EmailConfirmed{FormVersion: 1, At: s.at} }},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.LiabilityAccepted{FormVersion: 1, NoticeVersion: "1", TextHash: strings.Repeat("ab", 32), By: s.person, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.Submitted{Office: s.office(), FormVersion: 1, At: s.at}
	}},
	mailAsked(2), mailSent(2),
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.DocumentSighted{Document: enrollment.NationalCard, By: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.DocumentSighted{Document: enrollment.BirthCertificate, By: officer, At: s.at}
	}},
	{"inquiry", (*benchStory).inquiryID, func(s *benchStory) event.Event {
		return inquiry.Requested{
			Inquiry: s.inquiryID(), Request: s.request(), FormVersion: 1, Subject: s.person, Purpose: "identity", LegalBasis: "basis", By: officer, At: s.at,
		}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.IdentityInquired{Inquiry: s.inquiryID(), FormVersion: 1, By: officer, At: s.at}
	}},
	{"inquiry", (*benchStory).inquiryID, func(s *benchStory) event.Event {
		return inquiry.Answered{Inquiry: s.inquiryID(), Request: s.request(), Matched: true, TrackingCode: "R1", AskedBy: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.IdentityAnswered{Inquiry: s.inquiryID(), FormVersion: 1, Matched: true, TrackingCode: "R1", AskedBy: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.FeeSettled{Order: s.code, AmountRial: 5_000_000, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.InformationConfirmed{RecordRevision: 10, RecordHash: strings.Repeat("cd", 32), Certificate: "67", Signature: strings.Repeat("c2", 300), By: officer, Office: s.office(), At: s.at}
	}},
	{"token", (*benchStory).tokenID, func(s *benchStory) event.Event { return token.Reserved{Request: s.request(), By: officer, At: s.at} }},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.IssuanceRequested{
			Token: s.tokenID(), KeyHash: strings.Repeat("ef", 32), Request: event.About(s.person, enrollment.SigningInfo{CSR: s.der[:700]}),
			By: officer, Office: s.office(), At: s.at,
		}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.IssuanceAttempted{Serial: s.serial, Handler: "handler", At: s.at}
	}},
	{"certificate", (*benchStory).serialID, func(s *benchStory) event.Event {
		return certificate.IssuanceIntended{
			Serial: s.serial, Record: &certificate.Citation{Stream: s.request(), Revision: 12}, Subject: s.person, Profile: "cpmis-signature@1",
			Issuer: strings.Repeat("01", 32), KeyHash: strings.Repeat("ef", 32), Token: s.tokenID(), NotBefore: s.at, NotAfter: s.at.AddDate(1, 0, 0),
			TBS: event.About(s.person, certificate.DER{DER: s.der}), TBSHash: strings.Repeat("23", 32), At: s.at,
		}
	}},
	{"certificate", (*benchStory).serialID, func(s *benchStory) event.Event { return certificate.SigningStarted{Signer: "signer", At: s.at} }},
	{"certificate", (*benchStory).serialID, func(s *benchStory) event.Event {
		return certificate.Issued{
			Serial: s.serial, Request: s.request(), Subject: s.person, Profile: "cpmis-signature@1", Fingerprint: strings.Repeat("45", 32),
			NotBefore: s.at, NotAfter: s.at.AddDate(1, 0, 0), Certificate: event.About(s.person, certificate.DER{DER: s.der}), Signer: "signer", At: s.at,
		}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.Issued{Serial: s.serial, Fingerprint: strings.Repeat("45", 32), At: s.at}
	}},
	{"token", (*benchStory).tokenID, func(s *benchStory) event.Event {
		return token.Personalised{Certificate: s.serial, By: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.TokenPersonalised{Token: s.tokenID(), By: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event { return enrollment.SheetPrinted{Copy: 1, By: officer, At: s.at} }},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.Delivered{IdentityChecked: enrollment.NationalCard, By: officer, At: s.at}
	}},
	{"token", (*benchStory).tokenID, func(s *benchStory) event.Event { return token.Delivered{To: s.person, By: officer, At: s.at} }},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event { return enrollment.Accepted{By: s.person, At: s.at} }},
	{"access", (*benchStory).personID, func(s *benchStory) event.Event {
		return access.UserDefined{
			UserName: string(s.person), Level: access.Viewer, Person: s.person, Request: s.request(), Certificate: s.serial,
			Fingerprint: strings.Repeat("45", 32), Unit: "unit", By: officer, At: s.at,
		}
	}},
	mailAsked(3), mailSent(3),
}

func mailAsked(n int) benchStep {
	return benchStep{"notification", func(s *benchStory) string { return s.mailID(n) }, func(s *benchStory) event.Event {
		return notification.Requested{
			ID: s.mailID(n), Template: notification.RequestSubmitted, Request: s.request(),
			Message: event.About(s.person, notification.Message{Email: "somebody@example.ir", Name: "نام"}), At: s.at,
		}
	}}
}

func mailSent(n int) benchStep {
	return benchStep{"notification", func(s *benchStory) string { return s.mailID(n) }, func(s *benchStory) event.Event {
		return notification.Sent{ID: s.mailID(n), At: s.at}
	}}
}

func (s *benchStory) codeID() string        { return s.code }
func (s *benchStory) serialID() string      { return s.serial }
func (s *benchStory) personID() string      { return string(s.person) }
func (s *benchStory) tokenID() string       { return fmt.Sprintf("T%08d", s.n) }
func (s *benchStory) inquiryID() string     { return s.code + "-1" }
func (s *benchStory) mailID(n int) string   { return fmt.Sprintf("%s-%d", s.code, n) }
func (s *benchStory) office() string        { return fmt.Sprint("office-", s.n%40) }
func (s *benchStory) request() event.Stream { return enrollment.Kind.Stream(s.code) }

func tellAll(ctx context.Context, log event.Log, n int) error {
	s := &benchStory{
		n: n, code: fmt.Sprintf("%012d", mathrand.Uint64N(1_000_000_000_000)), serial: rand.Text(), person: event.Subject(rand.Text()),
		der: make([]byte, 1000), heads: map[string]int{}, at: noon.Add(time.Duration(n) * time.Second),
	}
	_, _ = rand.Read(s.der)
	for i, step := range benchSteps {
		s.at = s.at.Add(time.Minute)
		e := step.tell(s)
		var err error
		switch step.kind {
		case "enrollment":
			err = benchAppend(ctx, log, enrollment.Kind, s, step, e, i)
		case "certificate":
			err = benchAppend(ctx, log, certificate.Kind, s, step, e, i)
		case "notification":
			err = benchAppend(ctx, log, notification.Kind, s, step, e, i)
		case "inquiry":
			err = benchAppend(ctx, log, inquiry.Kind, s, step, e, i)
		case "token":
			err = benchAppend(ctx, log, token.Kind, s, step, e, i)
		case "access":
			err = benchAppend(ctx, log, access.Kind, s, step, e, i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func benchAppend[S any](ctx context.Context, log event.Log, kind event.Kind[S], s *benchStory, step benchStep, e event.Event, i int) error {
	stream := kind.Stream(step.id(s))
	meta := event.Meta{
		CommandID: fmt.Sprint(s.code, "-", i), Actor: string(s.person), Authority: "applicant", At: s.at,
		Correlation: s.code, Causation: s.code, Status: "at-office",
	}
	proposed, err := kind.Encode(ctx, benchKeeper, stream, meta, []event.Event{e})
	if err != nil {
		return err
	}
	at, known := s.heads[string(stream)]
	if !known {
		at = -1
	}
	s.heads[string(stream)] = at + 1
	_, err = log.Append(ctx, stream, event.Expected(at), proposed...)
	return err
}
