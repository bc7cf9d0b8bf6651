package http

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"time"

	"govahi/adapters/pki"
	"govahi/commands"
	"govahi/domain/certificate"
)

// Knowledge is what the responder knows of serials without a look at the log.
type Knowledge struct{ *commands.Standings }

// Known is where a serial stands; false where that is not known well enough.
func (k Knowledge) Known(serial string) (pki.Status, bool) {
	s, ok := k.Of(serial)
	switch {
	case !ok:
		return pki.Status{}, false
	case s.Status == certificate.Valid:
		return pki.Status{State: pki.Good}, true
	}
	return pki.Status{State: pki.Revoked, Reason: s.Reason, RevokedAt: s.Since}, true
}

// Statuses answers OCSP straight from the log: no view's delay makes a revoked
// certificate good, and no unknown one (RFC 6960 §2.2).
type Statuses struct{ App *commands.App }

// Status is where a serial stands.
func (s Statuses) Status(ctx context.Context, serial string) (pki.Status, error) {
	c, err := s.App.StatusOf(ctx, serial)
	switch {
	case err != nil:
		return pki.Status{}, err
	case c.Status == certificate.Valid:
		return pki.Status{State: pki.Good}, nil
	case c.Status == certificate.Withdrawn:
		return pki.Status{State: pki.Revoked, Reason: c.Reason, RevokedAt: c.Since}, nil
	case c.Status == certificate.OnHold: // RFC 6960 §2.2: revoked, for a time
		return pki.Status{State: pki.Revoked, Reason: certificate.CertificateHold, RevokedAt: c.Hold.At}, nil
	}
	return pki.Status{}, nil
}

// repository is what relying parties fetch (RFC 5280 §4.2.1.13, §4.2.2.1).
func (h House) repository(s *Server) {
	const tag = "Repository"
	if h.Responder != nil {
		s.status = h.Responder.Ready
	}
	PublicRaw(s, Operation{ID: "get-crl", Method: "GET", Path: "/pki/issuer.crl", Tag: tag, Summary: "The latest certificate revocation list, DER", View: "crls", Type: "application/pkix-crl"},
		func(ctx context.Context, _ *struct{}) (Raw, error) { return h.crl(ctx) })
	PublicRaw(s, Operation{ID: "get-issuer", Method: "GET", Path: "/pki/issuer.cer", Tag: tag, Summary: "The issuing CA's certificate, DER", Type: "application/pkix-cert"},
		func(context.Context, *struct{}) (Raw, error) {
			return Raw{Body: h.Authority.Certificate().Raw, Cache: "public, max-age=86400"}, nil
		})
	PublicRaw(s, Operation{ID: "get-chain", Method: "GET", Path: "/pki/chain.pem", Tag: tag, Summary: "Issuing CA and root, PEM", Type: "application/x-pem-file"},
		func(context.Context, *struct{}) (Raw, error) {
			return Raw{Body: h.chain(), Cache: "public, max-age=86400"}, nil
		})
	PublicRaw(s, Operation{ID: getOCSP, Method: "GET", Path: "/pki/ocsp/*", Tag: tag, Summary: "Certificate status, request in the path (RFC 6960 §A.1)", Type: ocspAnswer},
		func(ctx context.Context, in *struct {
			Request string `path:"*"`
		},
		) (Raw, error) {
			request, err := pki.DecodeGET(in.Request)
			if err != nil {
				request = nil // answered as malformed
			}
			return status(h.Responder.Answer(ctx, request), true), nil
		})
	PublicRaw(s, Operation{ID: postOCSP, Method: "POST", Path: "/pki/ocsp", Tag: tag, Summary: "Certificate status, request in the body (RFC 6960 §A.1)", Type: ocspAnswer},
		func(ctx context.Context, in *struct {
			RawBody []byte `contentType:"application/ocsp-request"`
		},
		) (Raw, error) {
			return status(h.Responder.Answer(ctx, in.RawBody), false), nil
		})
}

func (h House) crl(ctx context.Context) (Raw, error) {
	list, err := h.Queries.List(ctx, h.Authority.Issuer())
	if err != nil {
		return Raw{}, err
	}
	// A revocation publishes a list at once: nobody may keep an old one for long.
	return Raw{Body: list.DER, Cache: "public, max-age=60, must-revalidate", Header: map[string]string{
		"ETag":          fmt.Sprintf(`"%d"`, list.Number),
		"Last-Modified": list.ThisUpdate.UTC().Format(http.TimeFormat),
		"Expires":       h.App.Clock().Add(time.Minute).UTC().Format(http.TimeFormat),
	}}, nil
}

func (h House) chain() []byte {
	var chain strings.Builder
	for _, der := range [][]byte{h.Authority.Certificate().Raw, h.Authority.Root().Raw} {
		_ = pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // to memory
	}
	return []byte(chain.String())
}

// status adds the cache headers of RFC 9919 §6.2 to an answer asked by GET.
func status(a pki.Answer, cacheable bool) Raw {
	raw := Raw{Body: a.Body}
	if cacheable && a.ETag != "" {
		raw.Cache = cacheControl(a)
		raw.Header = map[string]string{
			"ETag":          a.ETag,
			"Last-Modified": a.LastModified,
			"Expires":       a.Expires.UTC().Format(http.TimeFormat),
		}
	}
	return raw
}
