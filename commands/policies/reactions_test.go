package policies

import (
	"context"
	"slices"
	"testing"
	"time"

	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/domain/access"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/consignment"
	"govahi/domain/contract"
	"govahi/domain/credential"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fee"
	"govahi/domain/inquiry"
	"govahi/domain/issuer"
	"govahi/domain/notification"
	"govahi/domain/office"
	"govahi/domain/payment"
	"govahi/domain/person"
	"govahi/domain/profile"
	"govahi/domain/revocation"
	"govahi/domain/tariff"
	"govahi/domain/token"
)

// The past of the stories.
const (
	sara    = event.Subject("sara")
	nima    = event.Subject("nima") // an officer
	code    = "050000000018"
	request = event.Stream("enrollment-" + code)
	serial  = "67aa"
)

func formed() []event.Event {
	form := enrollment.Form{GivenName: "سارا", Surname: "نمونه", Email: "sara@example.ir", Mobile: "09120000000"}
	return []event.Event{
		enrollment.Opened{TrackingCode: code, Channel: enrollment.Outside, CertificateType: "cpmis-signature", OpenedBy: sara, At: noon},
		enrollment.FormCompleted{
			Version: 1, Person: sara, Organization: "10999001013", EnteredBy: sara, Form: event.About(sara, form), At: noon,
		},
	}
}

func submitted(more ...event.Event) []event.Event {
	return append(append(formed(), enrollment.Submitted{Office: "office-1", FormVersion: 1, At: noon}), more...)
}

func issued(more ...event.Event) []event.Event {
	return append(submitted(
		enrollment.IssuanceRequested{Token: "T1", KeyHash: "4e7", Request: event.About(sara, enrollment.SigningInfo{CSR: []byte{1}}), By: nima, At: noon},
		enrollment.IssuanceAttempted{Serial: serial, Handler: "handler-0", At: noon},
		enrollment.Issued{Serial: serial, Fingerprint: "f1", At: noon},
	), more...)
}

// certified appends a certificate's past up to its issue.
func certified(h *house, more ...event.Event) event.Recorded {
	record := certificate.Citation{Stream: request}
	return given(h, certificate.Kind, serial, append([]event.Event{
		certificate.IssuanceIntended{Serial: serial, Token: "T1", Record: &record, Subject: sara, KeyHash: "4e7", TBS: event.About(sara, certificate.DER{DER: []byte{1}}), NotAfter: noon.AddDate(1, 0, 0)},
		certificate.SigningStarted{Signer: "s", At: noon},
		certificate.Issued{
			Serial: serial, Request: request, Subject: sara, Fingerprint: "f1", NotAfter: noon.AddDate(1, 0, 0),
			Certificate: event.About(sara, certificate.DER{DER: []byte{2}}), At: noon,
		},
	}, more...)...)
}

var revoked = certificate.Revoked{Serial: serial, Request: request, Reason: certificate.KeyCompromise, By: "sara", At: noon}

var onHold = certificate.Suspended{Serial: serial, Request: request, Until: noon.AddDate(0, 0, 7), By: "sara", At: noon}

func opening() string {
	return enrollment.Opening.Stream("sara", "10999001013", "cpmis-signature").ID()
}

func over(end event.Event) func(*house) event.Recorded {
	return func(h *house) event.Recorded {
		given(h, enrollment.Opening, opening(), enrollment.OpeningTaken{Request: request, At: noon})
		return given(h, enrollment.Kind, code, issued(end)...)
	}
}

func progress(events ...event.Event) func(*house) event.Recorded {
	return func(h *house) event.Recorded { return given(h, enrollment.Kind, code, append(formed(), events...)...) }
}

// inside is a request of channel B at its unit.
func inside(more ...event.Event) []event.Event {
	events := append(formed(), enrollment.SubmittedToUnit{Unit: "unit", FormVersion: 1, At: noon})
	opened := events[0].(enrollment.Opened)
	opened.Channel = enrollment.Inside
	events[0] = opened
	return append(events, more...)
}

// onItsWay is one whose token is ready to go back.
func onItsWay() []event.Event {
	return inside(enrollment.DossierApproved{Unit: "unit", At: noon},
		enrollment.DossierReceived{Consignment: "1", From: "authority", Place: "office-1", Office: true, At: noon},
		enrollment.IssuanceRequested{Token: "T1", KeyHash: "4e7", Request: event.About(sara, enrollment.SigningInfo{CSR: []byte{1}}), By: nima, At: noon},
		enrollment.IssuanceAttempted{Serial: serial, Handler: "handler-0", At: noon},
		enrollment.Issued{Serial: serial, Fingerprint: "f1", At: noon},
		enrollment.TokenPersonalised{Token: "T1", By: nima, At: noon}, enrollment.SheetPrinted{Copy: 1, By: nima, At: noon})
}

// gone is a token of which something is told.
func gone(h *house, more ...event.Event) event.Recorded {
	return given(h, token.Kind, "T1", append([]event.Event{
		token.ReceivedInStock{Serial: "T1", Office: "office-1"}, token.Reserved{Request: request}, token.Personalised{Certificate: serial, At: noon},
	}, more...)...)
}

// issuedFor is the issue of a certificate for a token to which that happened while
// its request lay at the CA.
func issuedFor(gone ...event.Event) func(*house) event.Recorded {
	return func(h *house) event.Recorded {
		given(h, token.Kind, "T1", append([]event.Event{
			token.ReceivedInStock{Serial: "T1", Office: "office-1"}, token.Reserved{Request: request},
		}, gone...)...)
		certified(h)
		return given(h, enrollment.Kind, code, issued()...)
	}
}

func arrived(h *house, intact bool) event.Recorded {
	return gone(h, token.HandedOver{From: "office-1", To: "authority", At: noon}, token.Received{Place: "authority", SealIntact: intact, At: noon})
}

// refunding is the end of a request whose fee was paid.
func refunding(end event.Event) func(*house) event.Recorded {
	return func(h *house) event.Recorded {
		given(h, fee.Kind, code, fee.Raised{Order: code, Request: request}, fee.Settled{Order: code, Request: request, At: noon})
		return given(h, enrollment.Kind, code, submitted(end)...)
	}
}

// attempted is the end of an attempt to pay.
func attempted(end event.Event) func(*house) event.Recorded {
	return func(h *house) event.Recorded {
		given(h, fee.Kind, code, fee.Raised{Order: code, Request: request}, fee.PaymentAttempted{Order: code, Attempt: "a1"})
		return given(h, payment.Kind, "a1", payment.Requested{Attempt: "a1", Order: code, Request: request}, payment.Redirected{Reference: "R"}, end)
	}
}

func defined(h *house) event.Recorded {
	given(h, access.Binding, serial, access.Bound{UserName: "sara1", At: noon})
	return given(h, access.Kind, "sara1", access.UserDefined{UserName: "sara1", Person: sara, Request: request, Certificate: serial, At: noon})
}

// reactions is: whenever this happened, that is asked for.
var reactions = []struct {
	policy string
	when   func(*house) event.Recorded
	then   string
}{
	{"send-email-code-on-form-completed", progress(), "enrollment.email-code-sent.v1"},
	{"raise-fee-on-submitted", func(h *house) event.Recorded {
		given(h, tariff.Kind, "cpmis-signature", tariff.Published{
			Product: "cpmis-signature", Level: tariff.Silver, IssuerKind: tariff.Governmental, Version: 1, IssuanceRial: 5, ValidFrom: noon,
		})
		return given(h, enrollment.Kind, code, submitted()...)
	}, "fee.raised.v1"},
	{"note-fee-on-settled", func(h *house) event.Recorded {
		given(h, enrollment.Kind, code, submitted()...)
		return given(h, fee.Kind, code, fee.Raised{Order: code, Request: request}, fee.Settled{Order: code, Request: request, At: noon})
	}, "enrollment.fee-settled.v2"},
	{"close-fee-on-over", refunding(enrollment.Rejected{Reason: enrollment.NotEntitled, By: nima, At: noon}), "fee.closed.v1 fee.refund-opened.v1"},
	{"close-fee-on-over", refunding(enrollment.Withdrawn{By: sara, At: noon}), "fee.closed.v1 fee.refund-opened.v1"},
	{"end-attempt-on-ended", attempted(payment.Failed{Cause: "declined", At: noon}), "fee.payment-failed.v1"},
	{"end-attempt-on-ended", attempted(payment.Reversed{Cause: "not-verified", At: noon}), "fee.payment-failed.v1"},
	{"end-attempt-on-ended", attempted(payment.Gone{At: noon}), "fee.payment-expired.v1"},
	{"request-inquiry-on-inquired", func(h *house) event.Recorded {
		return given(h, enrollment.Kind, code, submitted(enrollment.IdentityInquired{Inquiry: code + "-1", FormVersion: 1, By: nima, At: noon})...)
	}, "inquiry.requested.v1"},
	{"note-identity-on-answered", func(h *house) event.Recorded {
		given(h, enrollment.Kind, code, submitted(enrollment.IdentityInquired{Inquiry: code + "-1", FormVersion: 1, By: nima, At: noon})...)
		return given(h, inquiry.Kind, code+"-1", inquiry.Requested{Inquiry: code + "-1", Request: request, At: noon},
			inquiry.Answered{Inquiry: code + "-1", Request: request, Matched: true, TrackingCode: "R1", AskedBy: nima, At: noon})
	}, "enrollment.identity-answered.v1"},
	{"follow-token-on-personalised", func(h *house) event.Recorded {
		given(h, token.Kind, "T1", token.ReceivedInStock{Serial: "T1", Office: "office-1"}, token.Reserved{Request: request})
		return given(h, enrollment.Kind, code, issued(enrollment.TokenPersonalised{Token: "T1", By: nima, At: noon})...)
	}, "token.personalised.v1"},
	{"follow-token-on-delivered", func(h *house) event.Recorded {
		given(h, token.Kind, "T1", token.ReceivedInStock{Serial: "T1"}, token.Reserved{Request: request}, token.Personalised{Certificate: serial})
		return given(h, enrollment.Kind, code, issued(enrollment.Delivered{By: nima, At: noon})...)
	}, "token.delivered.v1"},
	{"supersede-on-delivered", func(h *house) event.Recorded {
		certified(h)
		given(h, enrollment.Kind, "0", submitted()...)
		return given(h, enrollment.Kind, code, append(issued(enrollment.RenewalOpened{
			Basis: enrollment.Rekey, Certificate: serial, Request: "enrollment-0", Person: sara, At: noon,
		}), enrollment.Delivered{By: nima, At: noon})...)
	}, "certificate.revoked.v2"},
	{"follow-renewals-on-revoked", func(h *house) event.Recorded {
		const next = "67bb"
		given(h, enrollment.Opening, "renewal-"+serial, enrollment.OpeningTaken{Request: request, At: noon})
		given(h, certificate.Kind, next, certificate.IssuanceIntended{Serial: next, Subject: sara}, certificate.SigningStarted{}, certificate.Issued{Serial: next, NotAfter: noon.AddDate(1, 0, 0)})
		given(h, enrollment.Kind, code, append(formed(), enrollment.RenewalOpened{Basis: enrollment.Rekey, Certificate: serial, Person: sara, At: noon},
			enrollment.Issued{Serial: next, At: noon})...)
		return certified(h, certificate.Revoked{Serial: serial, Reason: certificate.PrivilegeWithdrawn, By: "operator", At: noon})
	}, "certificate.revoked.v2"},
	{"move-dossiers-on-consigned", func(h *house) event.Recorded {
		given(h, enrollment.Kind, code, inside(enrollment.DossierApproved{Unit: "unit", At: noon})...)
		return given(h, consignment.Kind, "1", consignment.Dispatched{Number: "1", From: "unit", To: "authority", Dossiers: []string{code}, At: noon})
	}, "enrollment.dossier-dispatched.v1"},
	{"move-dossiers-on-consigned", func(h *house) event.Recorded {
		given(h, office.Kind, "office-1", office.Opened{Code: "office-1", Sort: office.Registration})
		given(h, enrollment.Kind, code, inside(enrollment.DossierApproved{Unit: "unit", At: noon}, enrollment.DossierDispatched{Consignment: "1", From: "authority", To: "office-1", At: noon})...)
		return given(h, consignment.Kind, "1", consignment.Dispatched{Number: "1", From: "authority", To: "office-1", Dossiers: []string{code}, At: noon},
			consignment.Received{Dossiers: []string{code}, SealIntact: true, At: noon})
	}, "enrollment.dossier-received.v1"},
	{"settle-fee-on-dossier-received", func(h *house) event.Recorded {
		given(h, contract.Kind, "10999001013", contract.Concluded{Number: "Q-1", Until: noon.AddDate(1, 0, 0), By: "p-manager", At: noon})
		given(h, fee.Kind, code, fee.Raised{Order: code, Request: request, AmountRial: 5})
		return given(h, enrollment.Kind, code, inside(enrollment.DossierApproved{Unit: "unit", At: noon},
			enrollment.DossierReceived{Consignment: "1", From: "authority", Place: "office-1", Office: true, At: noon})...)
	}, "fee.settled.v2"},
	{"note-token-on-received", func(h *house) event.Recorded {
		given(h, enrollment.Kind, code, onItsWay()...)
		return arrived(h, true)
	}, "enrollment.token-arrived.v1"},
	{"note-access-on-defined", func(h *house) event.Recorded {
		given(h, enrollment.Kind, code, append(onItsWay(), enrollment.TokenArrived{Place: "authority", At: noon}, enrollment.TokenArrived{Place: "unit", At: noon})...)
		return defined(h)
	}, "enrollment.access-noted.v1"},
	{"bind-access-on-accepted", func(h *house) event.Recorded {
		given(h, access.Binding, serial, access.Bound{UserName: "sara1", At: noon})
		given(h, access.Kind, "sara1", access.UserDefined{UserName: "sara1", Person: sara, Request: request, Certificate: serial, Pending: true, At: noon})
		return given(h, enrollment.Kind, code, append(onItsWay(), enrollment.Accepted{By: sara, At: noon})...)
	}, "access.certificate-bound.v1"},
	{"revoke-on-token-gone", func(h *house) event.Recorded { certified(h); return arrived(h, false) }, "certificate.revoked.v2"},
	{"revoke-on-token-gone", func(h *house) event.Recorded { certified(h); return gone(h, token.Lost{By: "sara", At: noon}) }, "certificate.revoked.v2"},
	{"revoke-on-token-gone", func(h *house) event.Recorded { certified(h); return gone(h, token.FoundDefective{By: nima, At: noon}) }, "certificate.revoked.v2"},
	{"revoke-on-token-gone", func(h *house) event.Recorded {
		certified(h)
		return gone(h, token.Recalled{Cause: string(token.NotDelivered), By: "policy:watch", At: noon})
	}, "certificate.revoked.v2"},
	{"revoke-on-issued-for-token-gone", issuedFor(token.Lost{By: "sara", At: noon}), "certificate.revoked.v2"},
	{"revoke-on-issued-for-token-gone", issuedFor(token.FoundDefective{By: nima, At: noon}), "certificate.revoked.v2"},
	{"revoke-on-issued-for-token-gone", issuedFor(token.FoundDefective{By: nima, At: noon}, token.Returned{Office: "office-1", By: nima, At: noon}, token.Destroyed{By: nima, At: noon}), "certificate.revoked.v2"},
	{"recall-token-on-revoked", func(h *house) event.Recorded { gone(h); return certified(h, revoked) }, "token.recalled.v1"},
	{"raise-fee-on-submitted", func(h *house) event.Recorded {
		given(h, tariff.Kind, "cpmis-signature", tariff.Published{
			Product: "cpmis-signature", Level: tariff.Silver, IssuerKind: tariff.Governmental, Version: 1, IssuanceRial: 5, ValidFrom: noon,
		})
		return given(h, enrollment.Kind, code, inside()...)
	}, "fee.raised.v1"},
	{"notify-on-progress", progress(enrollment.SubmittedToUnit{Unit: "unit", At: noon}), "notification.requested.v1"},
	{"notify-on-progress", progress(enrollment.DossierLost{Consignment: "bag-1", At: noon}), "notification.requested.v1"},
	{"notify-on-progress", progress(enrollment.DossierReturned{Fields: []string{"email"}, By: nima, At: noon}), "notification.requested.v1"},
	{"notify-on-progress", func(h *house) event.Recorded {
		given(h, office.Kind, "company-unit", office.Opened{Code: "company-unit", Sort: office.CompanyUnit, Company: "10999001013"})
		return given(h, enrollment.Kind, code, append(onItsWay(), enrollment.TokenArrived{Place: "company-unit", At: noon})...)
	}, "notification.requested.v1"},
	{"release-opening-on-over", over(enrollment.Accepted{By: sara, At: noon}), "opening.released.v1"},
	{"release-opening-on-over", over(enrollment.Rejected{Reason: enrollment.NotEntitled, By: nima, At: noon}), "opening.released.v1"},
	{"release-opening-on-over", over(enrollment.Withdrawn{By: sara, At: noon}), "opening.released.v1"},
	{"release-opening-on-over", over(enrollment.Revoked{Serial: serial, At: noon}), "opening.released.v1"},
	{"revoke-on-inaccuracy-established", func(h *house) event.Recorded {
		certified(h)
		text := event.About(nima, revocation.Statement{Text: "نادرست"})
		return given(h, revocation.Kind, "1", revocation.Opened{Source: revocation.Reported, Case: "1", Certificate: serial, Statement: text, By: nima, At: noon},
			revocation.InaccuracyEstablished{Finding: revocation.FalseInformation, Case: "1", Certificate: serial, Statement: event.About(nima, revocation.Statement{Text: "نادرست"}), By: nima, At: noon})
	}, "certificate.revoked.v2"},
	{"suspend-access-on-revoked", func(h *house) event.Recorded { defined(h); return certified(h, revoked) }, "access.suspended.v1"},
	{"suspend-access-on-defined", func(h *house) event.Recorded { certified(h, revoked); return defined(h) }, "access.suspended.v1"},
	{"suspend-access-on-suspended", func(h *house) event.Recorded { defined(h); return certified(h, onHold) }, "access.suspended.v1"},
	{"restore-access-on-lifted", func(h *house) event.Recorded {
		defined(h)
		given(h, access.Kind, "sara1", access.Suspended{UserName: "sara1", Certificate: serial, At: noon})
		return certified(h, onHold, certificate.SuspensionLifted{Serial: serial, Request: request, By: "sara", At: noon})
	}, "access.restored.v1"},
	{"block-key-on-revoked", func(h *house) event.Recorded { return certified(h, revoked) }, "blockedkey.blocked.v1"},
	{"doubt-on-dismissed", func(h *house) event.Recorded {
		certified(h)
		return given(h, appointment.Kind, string(sara), appointment.Dismissed{Role: appointment.RegistrationOfficer, Place: "office-1", By: "admin", At: noon})
	}, "casefile.filed.v1 revocation.opened.v1"},
	{"doubt-on-answered", func(h *house) event.Recorded {
		given(h, enrollment.Kind, code, issued()...)
		certified(h)
		id := code + "-again-1"
		return given(h, inquiry.Kind, id, inquiry.Requested{Inquiry: id, Request: request, Purpose: inquiry.ForReinquiry, At: noon},
			inquiry.Answered{Inquiry: id, Request: request, Finding: inquiry.Dead, TrackingCode: "R1", At: noon})
	}, "casefile.filed.v1 revocation.opened.v1"},
	{"doubt-on-bounced", func(h *house) event.Recorded {
		given(h, enrollment.Kind, code, issued()...)
		certified(h)
		return given(h, notification.Kind, "m1", notification.Requested{
			ID: "m1", Request: request, Message: event.About(sara, notification.Message{Email: "sara@example.ir"}), At: noon,
		}, notification.Postponed{ID: "m1", Attempt: 1, RetryAt: noon, At: noon}, notification.Bounced{ID: "m1", Status: "5.1.1", At: noon})
	}, "casefile.filed.v1 revocation.opened.v1"},
	{"note-request-on-revoked", func(h *house) event.Recorded {
		given(h, enrollment.Kind, code, issued()...)
		return certified(h, revoked)
	}, "enrollment.revoked.v1"},
	{"notify-on-progress", progress(enrollment.EmailCodeSent{FormVersion: 1, Round: 1, ExpiresAt: noon}), "notification.requested.v1"},
	{"notify-on-progress", progress(enrollment.Submitted{Office: "office-1", At: noon}), "notification.requested.v1"},
	{"notify-on-progress", progress(enrollment.CorrectionRequested{By: nima, At: noon}), "notification.requested.v1"},
	{"notify-on-progress", progress(enrollment.Rejected{By: nima, At: noon}), "notification.requested.v1"},
	{"notify-on-progress", progress(enrollment.Issued{Serial: serial, At: noon}), "notification.requested.v1"},
	{"notify-on-revoked", func(h *house) event.Recorded {
		given(h, enrollment.Kind, code, issued()...)
		return certified(h, revoked)
	}, "notification.requested.v1"},
	{"notify-on-access-defined", func(h *house) event.Recorded {
		given(h, enrollment.Kind, code, issued()...)
		return defined(h)
	}, "notification.requested.v1"},
	{"issue-on-credential-approved", func(h *house) event.Recorded {
		certified(h)
		approved := given(h, credential.Kind, code,
			credential.Requested{Number: code, Person: nima, Office: "office-1", Particulars: event.About(nima, credential.Particulars{}), At: noon},
			credential.Approved{By: "operator", At: noon})
		given(h, credential.Kind, code, credential.Attempted{Serial: serial, Handler: "handler-0", At: noon})
		return approved
	}, "credential.issued.v1"},
	{"issue-on-issuance-requested", func(h *house) event.Recorded {
		certified(h)
		given(h, enrollment.Kind, code, submitted(
			enrollment.IssuanceRequested{Token: "T1", Request: event.About(sara, enrollment.SigningInfo{CSR: []byte{1}}), At: noon})...)
		cause := h.read(request)
		given(h, enrollment.Kind, code, enrollment.IssuanceAttempted{Serial: serial, Handler: "handler-0", At: noon})
		return cause[len(cause)-1]
	}, "enrollment.issued.v1"},
	{"publish-crl-on-revoked", func(h *house) event.Recorded { return certified(h, revoked) }, "crl.intended.v2 crl.signing-started.v1 crl.signed.v2"},
	{"publish-crl-on-suspended", func(h *house) event.Recorded {
		return certified(h, certificate.Suspended{Serial: serial, Request: request, Until: noon.AddDate(0, 1, 0), By: "sara", At: noon})
	}, "crl.intended.v2 crl.signing-started.v1 crl.signed.v2"},
	{"publish-crl-on-suspension-lifted", func(h *house) event.Recorded {
		return certified(h, certificate.Suspended{Serial: serial, Request: request, Until: noon.AddDate(0, 1, 0), By: "sara", At: noon},
			certificate.SuspensionLifted{Serial: serial, Request: request, By: "sara", At: noon})
	}, "crl.intended.v2 crl.signing-started.v1 crl.signed.v2"},
	{"destroy-key-on-erasure-ordered", func(h *house) event.Recorded {
		return given(h, person.Kind, string(sara), person.ErasureOrdered{Subject: sara, LegalBasis: "حکم", By: nima, At: noon})
	}, "person.erased.v1"},
}

func (h *house) policies() []Policy {
	return slices.Concat(OfRecord(), OfIssuance(), OfRevocation(commands.Publishers{commands.NewPublisher(h.App, commands.Publishing{
		Authority: h.Authority, Signer: h.Signer, Shelf: memlog.NewShelf(), Checker: trusting{},
	})}), OfErasure(h.vault))
}

func (h *house) policy(name string) Policy {
	h.Helper()
	i := slices.IndexFunc(h.policies(), func(p Policy) bool { return p.Name == name })
	if i < 0 {
		h.Fatalf("there is no policy %s", name)
	}
	return h.policies()[i]
}

func TestWheneverThisHappensThatIsAskedForOnce(t *testing.T) {
	for _, c := range reactions {
		t.Run(c.policy, func(t *testing.T) {
			h := newHouse(t)
			happened := c.when(h)
			before := h.head()
			if err := h.policy(c.policy).Handle(t.Context(), h.App, happened); err != nil {
				t.Fatal(err)
			}
			if got := h.since(before); got != c.then {
				t.Fatalf("on %s followed %q, want %q", happened.Type, got, c.then)
			}
			h.citesItsCause(before, happened, c.policy)
			after := h.head()
			for range 2 {
				if err := h.policy(c.policy).Handle(t.Context(), h.App, happened); err != nil {
					t.Errorf("again: %v", err)
				}
			}
			if h.head() != after {
				t.Errorf("again followed %q", h.since(after))
			}
		})
	}
}

// citesItsCause expects that what followed names policy and event.
func (h *house) citesItsCause(after event.Position, cause event.Recorded, policy string) {
	h.Helper()
	all, err := event.ReadBatch(h.Context(), h.Log, after, 10)
	if err != nil {
		h.Fatal(err)
	}
	for _, r := range all {
		m, err := r.DecodeMeta()
		if err != nil || m.Actor != "signer" && (m.Actor != "policy:"+policy || m.Causation != cause.ID.String()) {
			h.Errorf("%s says of its origin %+v, %v", r.Type, m, err)
		}
	}
}

func TestEveryPolicyHasAReaction(t *testing.T) {
	h := newHouse(t)
	names := map[string]bool{}
	for _, p := range h.policies() {
		if names[p.Name] {
			t.Errorf("%s is there twice: its commands would be taken for each other's", p.Name)
		}
		names[p.Name] = true
		if !slices.ContainsFunc(reactions, func(r struct {
			policy string
			when   func(*house) event.Recorded
			then   string
		},
		) bool {
			return r.policy == p.Name
		}) {
			t.Errorf("%s is not in the table", p.Name)
		}
	}
}

func TestOtherEventsPass(t *testing.T) {
	h := newHouse(t)
	happened := []event.Recorded{
		given(h, tariff.Kind, "cpmis-signature", tariff.Published{Product: "cpmis-signature", Version: 1, ValidFrom: noon}),
		given(h, enrollment.Kind, code, formed()[0]),
		given(h, certificate.Kind, "67bb", certificate.IssuanceAbandoned{Serial: "67bb", Cause: "interrupted", At: noon}),
		given(h, crl.Kind, "x", crl.SigningStarted{Number: 1, At: noon}),
	}
	before := h.head()
	for _, p := range h.policies() {
		for _, r := range happened {
			if err := p.Handle(t.Context(), h.App, r); err != nil {
				t.Errorf("%s on %s: %v", p.Name, r.Type, err)
			}
		}
	}
	if got := h.since(before); got != "" {
		t.Errorf("there followed %q", got)
	}
}

func TestAnAbandonedAttemptConcernsNoHolder(t *testing.T) {
	h := newHouse(t)
	given(h, enrollment.Kind, code, issued()...)
	abandoned := given(h, certificate.Kind, "67cc", certificate.IssuanceAbandoned{Serial: "67cc", Cause: "interrupted", At: noon},
		certificate.Revoked{Serial: "67cc", Request: request, Reason: certificate.Superseded, By: "policy:issue", At: noon})
	before := h.head()
	for _, p := range OfRecord() {
		if err := p.Handle(t.Context(), h.App, abandoned); err != nil {
			t.Error(err)
		}
	}
	if got := h.since(before); got != "" {
		t.Errorf("there followed %q", got)
	}
}

// authority and signer make lists of nothing.
type authority struct{ commands.Authority }

func (authority) Issuer() string { return "ca" }

func (authority) Ended() issuer.Ending { return "" }

// Profiles are none: every product is priced as those that were retired.
func (authority) Profiles() profile.Set { return profile.Set{} }

func (authority) PrepareCRL(number uint64, at time.Time, revoked []commands.RevokedSerial) (commands.PreparedCRL, error) {
	return commands.PreparedCRL{TBS: []byte{byte(number)}, TBSHash: "h", ThisUpdate: at, NextUpdate: at.Add(48 * time.Hour), Entries: len(revoked)}, nil
}

func (authority) CheckCRL([]byte, []byte) (commands.SignedCRL, error) {
	return commands.SignedCRL{Hash: "h"}, nil
}

// trusting is a checker that believes everything.
type trusting struct{}

func (trusting) Check(context.Context, []byte, event.Position) error { return nil }

func (trusting) Follow(context.Context) error { return nil }

type signer struct {
	commands.Signer
	log event.Log
}

func (s *signer) SignCRL(ctx context.Context, stream event.Stream, revision uint64, tbs []byte) ([]byte, string, error) {
	started := []event.Event{crl.SigningStarted{Number: uint64(tbs[0]), Signer: "test", At: noon}}
	proposed, err := crl.Kind.Encode(ctx, nil, stream, event.Meta{CommandID: "sign", Actor: "signer"}, started)
	if err != nil {
		return nil, "", err
	}
	_, err = s.log.Append(ctx, stream, event.Expected(revision), proposed...)
	return []byte{1}, "test", err
}
