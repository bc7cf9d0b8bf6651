package http

import (
	"context"
	"encoding/pem"
	"slices"
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
			Status string `query:"status" maxLength:"20"`
		},
		) ([]queries.Certificate, error) {
			if err := h.may(ctx, id, overseers...); err != nil {
				return nil, err
			}
			return h.Queries.Certificates(ctx, in.Status)
		})
	Query(s, Operation{ID: "get-certificate", Method: "GET", Path: "/certificates/{serial}", Tag: tag, Summary: "One certificate and where it stands", View: requestViews},
		func(ctx context.Context, id Identity, in *Serialed) (queries.Certificate, error) {
			return h.certificate(ctx, id, in.Serial, overseers...)
		})
	QueryRaw(s, Operation{ID: "get-certificate-pem", Method: "GET", Path: "/certificates/{serial}/certificate.pem", Tag: tag, Summary: "The certificate itself, PEM", View: requestViews, Type: "application/x-pem-file"},
		func(ctx context.Context, id Identity, in *Serialed) (Raw, error) {
			c, err := h.certificate(ctx, id, in.Serial, appointment.Post{Role: appointment.CAOperator})
			if err != nil {
				return Raw{}, err
			}
			der, err := h.Queries.DER(ctx, c)
			return Raw{Body: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}, err
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
}

// certificate finds a certificate for its holder, the office of its request, or
// holders of further posts: the certificate itself is personal data, and not for
// everybody who oversees. Others learn that it does not exist.
func (h House) certificate(ctx context.Context, id Identity, serial string, posts ...appointment.Post) (queries.Certificate, error) {
	c, err := h.Queries.Certificate(ctx, strings.ToLower(serial))
	if err != nil || value(c.Person) == string(id.Person) {
		return c, err
	}
	posts = slices.Clone(posts)
	if c.Request != nil {
		r, err := h.Queries.Request(ctx, *c.Request)
		if err != nil {
			return queries.Certificate{}, err
		}
		posts = append(posts, appointment.Post{Role: appointment.RegistrationOfficer, Place: value(r.Office)})
	}
	if err := h.may(ctx, id, posts...); err != nil {
		return queries.Certificate{}, hidden(err, certificate.ErrNotIssued)
	}
	return c, nil
}
