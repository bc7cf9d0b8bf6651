package http

import (
	"context"
	"encoding/pem"
	"errors"
	"strings"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/queries"
)

// Serialed is a path with a serial.
type Serialed struct {
	Serial string `path:"serial" maxLength:"64" doc:"Serial, hexadecimal"`
}

func (h House) certificates(s *Server) {
	const tag = "Certificates"
	Query(s, Operation{ID: "list-certificates", Method: "GET", Path: "/certificates", Tag: tag, Summary: "Certificates by status, newest first", View: "certificates"},
		func(ctx context.Context, id Identity, in *struct {
			Status string `query:"status" enum:"intended,signing,valid,suspended,abandoned,revoked"`
		},
		) ([]queries.Certificate, error) {
			if err := h.may(ctx, id, overseers...); err != nil {
				return nil, err
			}
			return h.Queries.Certificates(ctx, in.Status)
		})
	Query(s, Operation{ID: "get-certificate", Method: "GET", Path: "/certificates/{serial}", Tag: tag, Summary: "One certificate and where it stands", View: requestViews},
		func(ctx context.Context, id Identity, in *Serialed) (queries.Certificate, error) {
			return h.certificate(ctx, id, in.Serial)
		})
	QueryRaw(s, Operation{ID: "get-certificate-pem", Method: "GET", Path: "/certificates/{serial}/certificate.pem", Tag: tag, Summary: "The certificate itself, PEM", View: requestViews, Type: "application/x-pem-file"},
		func(ctx context.Context, id Identity, in *Serialed) (Raw, error) {
			c, err := h.inner(ctx, id, in.Serial)
			if err != nil {
				return Raw{}, err
			}
			der, err := h.Queries.DER(ctx, c)
			return Raw{Body: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}, err
		})
	Command(s, Operation{ID: "suspend-certificate", Method: "POST", Path: "/certificates/{serial}/suspension", Tag: tag, Summary: "Withdraw trust for some days; what nobody lifts by then is revoked"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Serialed
			Body struct {
				Days int `json:"days,omitempty" required:"false" minimum:"1" maximum:"3650" doc:"For how long; left out, for as long as the terms and the certificate's policy allow; of one that is suspended, an operator of the CA takes the suspension over as it is"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.SuspendCertificate(ctx, c, in.Serial, in.Body.Days))
		})
	Command(s, Operation{ID: "lift-suspension", Method: "POST", Path: "/certificates/{serial}/reinstatement", Tag: tag, Summary: "Give the trust back: who suspended, or the CA"},
		func(ctx context.Context, c commands.Caller, in *Serialed) (commands.Receipt, Nothing, error) {
			return done(h.App.LiftSuspension(ctx, c, in.Serial))
		})
	Command(s, Operation{
		ID: "renew-certificate", Method: "POST", Path: "/certificates/{serial}/renewal", Tag: tag, Status: 201,
		Summary: "Open a request that follows a certificate, its form filled in (RFC 3647 §4.6–4.8)",
		Text:    "By the holder, or at the counter of the certificate's office. The request goes through all controls; the certificate before it is superseded when the new one is delivered, and revoked before it where its data changed.",
	},
		func(ctx context.Context, c commands.Caller, in *struct {
			Serialed
			Body commands.OpenRenewal
		},
		) (commands.Receipt, TrackingCode, error) {
			r, err := h.App.OpenRenewal(ctx, c, in.Serial, in.Body)
			return r, TrackingCode{r.Stream.ID()}, err
		})
	Command(s, Operation{ID: "revoke-certificate", Method: "POST", Path: "/certificates/{serial}/revocation", Tag: tag, Summary: "Revoke a certificate: free and immediate (RFC 5280 §5.3.1)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Serialed
			Body struct {
				Reason certificate.Reason `json:"reason" enum:"keyCompromise,affiliationChanged,superseded,cessationOfOperation,privilegeWithdrawn"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.RevokeCertificate(ctx, c, in.Serial, in.Body.Reason))
		})
	Command(s, Operation{
		ID: "revoke-formally", Method: "POST", Path: "/certificates/{serial}/formal-revocation", Tag: tag,
		Summary: "Revoke on a ground, with its formalities: free and immediate (domain §4.4)",
		Text:    "The holder asks online for himself; at the counter an officer of the certificate's office, or an operator of the CA, records the holder in person, an attorney or the organisation. What a refusal says is needed is all that is.",
	},
		func(ctx context.Context, c commands.Caller, in *struct {
			Serialed
			Body commands.RevokeFormally
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.RevokeFormally(ctx, c, in.Serial, in.Body))
		})
	Query(s, Operation{
		ID: "find-certificates", Method: "POST", Path: "/offices/{office}/certificate-search", Tag: tag, View: requestViews,
		Summary: "Find the certificates of somebody at the counter who does not have their particulars: by tracking code, or by national code and mobile",
	},
		func(ctx context.Context, id Identity, in *struct {
			Office string `path:"office" maxLength:"40"`
			Body   queries.Particulars
		},
		) ([]queries.Certificate, error) {
			if err := h.may(ctx, id, appointment.Post{Role: appointment.RegistrationOfficer, Place: in.Office}); err != nil {
				return nil, err
			}
			if in.Body.TrackingCode != "" {
				in.Body.TrackingCode = Coded{in.Body.TrackingCode}.plain()
			}
			return h.Queries.Candidates(ctx, in.Office, in.Body)
		})
}

// certificate finds a certificate for those who may see that it is there: its
// holder, the office of its request, and overseers. Others learn that it does
// not exist.
func (h House) certificate(ctx context.Context, id Identity, serial string) (queries.Certificate, error) {
	c, err := h.Queries.Certificate(ctx, strings.ToLower(serial))
	switch {
	case err == nil && value(c.Person) == string(id.Person):
		return c, nil
	case err != nil && !errors.Is(err, certificate.ErrNotIssued):
		return c, err
	}
	posts, trouble := h.officersAbout(ctx, c)
	if trouble != nil {
		return queries.Certificate{}, trouble
	}
	if seen := h.may(ctx, id, append(posts, overseers...)...); seen != nil {
		return queries.Certificate{}, hidden(seen, certificate.ErrNotIssued)
	}
	return c, err
}

// inner is a certificate for those who may have the certificate itself: it is
// personal data, and of those who oversee, only for the CA's operators.
func (h House) inner(ctx context.Context, id Identity, serial string) (queries.Certificate, error) {
	c, err := h.certificate(ctx, id, serial)
	if err != nil || value(c.Person) == string(id.Person) {
		return c, err
	}
	posts, err := h.officersAbout(ctx, c)
	if err == nil {
		err = sealed(h.may(ctx, id, append(posts, appointment.Post{Role: appointment.CAOperator})...))
	}
	return c, err
}

// officersAbout are those of the office of a certificate's request.
func (h House) officersAbout(ctx context.Context, c queries.Certificate) ([]appointment.Post, error) {
	if c.Request == nil {
		return nil, nil
	}
	r, err := h.Queries.Request(ctx, *c.Request)
	return officersOn(r), err
}
