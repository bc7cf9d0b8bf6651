package http

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"govahi/adapters/pki"
	"govahi/adapters/web"
	"govahi/commands"
	"govahi/docs"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/fault"
	"govahi/domain/issuer"
	"govahi/queries"
)

// Knowledge is what an issuer's responder knows of serials without a look at the
// log.
type Knowledge struct{ *commands.Watch }

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
type Statuses struct {
	App    *commands.App
	Issuer string // whose serials it answers for; all others are unknown
}

// Status is where a serial stands.
func (s Statuses) Status(ctx context.Context, serial string) (pki.Status, error) {
	c, err := s.App.StatusOf(ctx, serial)
	switch {
	case err != nil:
		return pki.Status{}, err
	case c.Intent.Issuer != "" && c.Intent.Issuer != s.Issuer:
		return pki.Status{}, nil
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
	h.further(s)
	PublicRaw(s, Operation{ID: "get-crl", Method: "GET", Path: "/pki/issuer.crl", Tag: tag, Summary: "The latest certificate revocation list, DER", View: "crls", Type: "application/pkix-crl"},
		func(ctx context.Context, _ *struct{}) (Raw, error) { return h.crl(ctx, h.first()) })
	Public(s, Operation{ID: "list-crls", Method: "GET", Path: "/pki/crls", Tag: tag, Summary: "The latest numbers of the revocation list, the last first", View: "crls"},
		func(ctx context.Context, _ *struct{}) ([]queries.CRL, error) {
			return h.Queries.CRLs(ctx, h.first().Issuer())
		})
	h.authorities(s)
	h.policyDocuments(s)
	PublicRaw(s, Operation{ID: "get-repository", Method: "GET", Path: "/pki", Tag: tag, Summary: "What the centre publishes, as a page", View: "crls", Type: pageType},
		func(ctx context.Context, _ *struct{}) (Raw, error) {
			data, err := h.published(ctx)
			if err != nil {
				return Raw{}, err
			}
			return Page(func(w io.Writer) error { return web.Repository(w, data) })
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

func (h House) crl(ctx context.Context, of *pki.Authority) (Raw, error) {
	list, err := h.Queries.List(ctx, of.Issuer())
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

// further is what is published of issuers that came beside the first, at
// addresses of their own; their certificates cite them.
func (h House) further(s *Server) {
	PublicRaw(s, Operation{ID: "get-issuers-crl", Method: "GET", Path: "/pki/{issuer}/issuer.crl", Tag: "Repository", Summary: "The latest certificate revocation list of a further issuer, DER", View: "crls", Type: "application/pkix-crl"},
		func(ctx context.Context, in *OfIssuer) (Raw, error) {
			a, err := h.issuer(in.Issuer)
			if err != nil {
				return Raw{}, err
			}
			return h.crl(ctx, a)
		})
	Public(s, Operation{ID: "list-issuers-crls", Method: "GET", Path: "/pki/{issuer}/crls", Tag: "Repository", Summary: "The latest numbers of a further issuer's revocation list, the last first", View: "crls"},
		func(ctx context.Context, in *OfIssuer) ([]queries.CRL, error) {
			a, err := h.issuer(in.Issuer)
			if err != nil {
				return nil, err
			}
			return h.Queries.CRLs(ctx, a.Issuer())
		})
	for _, c := range []struct {
		id, path, summary, kind string
		body                    func(*pki.Authority) []byte
	}{
		{"get-issuers-certificate", "issuer.cer", "A further issuing CA's certificate, DER", derType, func(a *pki.Authority) []byte { return a.Certificate().Raw }},
		{"get-issuers-chain", "chain.pem", "A further issuing CA and its root, PEM", pemType, chainOf},
	} {
		PublicRaw(s, Operation{ID: c.id, Method: "GET", Path: "/pki/{issuer}/" + c.path, Tag: "Repository", Summary: c.summary, Type: c.kind},
			func(_ context.Context, in *OfIssuer) (Raw, error) {
				a, err := h.issuer(in.Issuer)
				if err != nil {
					return Raw{}, err
				}
				return Raw{Body: c.body(a), Cache: "public, max-age=86400"}, nil
			})
	}
	PublicRaw(s, Operation{ID: "get-issuers-ocsp", Method: "GET", Path: "/pki/{issuer}/ocsp/*", Tag: "Repository", Summary: "Certificate status at a further issuer's address, request in the path; every issuer's is answered", Type: ocspAnswer},
		func(ctx context.Context, in *struct {
			OfIssuer
			Request string `path:"*"`
		},
		) (Raw, error) {
			if _, err := h.issuer(in.Issuer); err != nil {
				return Raw{}, err
			}
			request, err := pki.DecodeGET(in.Request)
			if err != nil {
				request = nil // answered as malformed
			}
			return status(h.Responder.Answer(ctx, request), true), nil
		})
	PublicRaw(s, Operation{ID: "post-issuers-ocsp", Method: "POST", Path: "/pki/{issuer}/ocsp", Tag: "Repository", Summary: "Certificate status at a further issuer's address, request in the body; every issuer's is answered", Type: ocspAnswer},
		func(ctx context.Context, in *struct {
			OfIssuer
			RawBody []byte `contentType:"application/ocsp-request"`
		},
		) (Raw, error) {
			if _, err := h.issuer(in.Issuer); err != nil {
				return Raw{}, err
			}
			return status(h.Responder.Answer(ctx, in.RawBody), false), nil
		})
}

// OfIssuer names an issuer as its certificates' addresses do.
type OfIssuer struct {
	Issuer string `path:"issuer" maxLength:"64" doc:"SHA-256 of the issuer's certificate, hexadecimal; its first 16 digits suffice"`
}

// issuer finds any of them: the first has its addresses of old and these.
func (h House) issuer(short string) (*pki.Authority, error) {
	for _, a := range h.Authorities {
		if id := strings.ToLower(short); id == a.Issuer() || id == pki.ShortOf(a.Issuer()) {
			return a, nil
		}
	}
	return nil, issuer.ErrUnknown
}

// first is the issuer that the addresses without a name are of.
func (h House) first() *pki.Authority { return h.Authorities[0] }

// issuerName is the name of who issued; the log names him by his certificate.
func (h House) issuerName(fingerprint string) string {
	for _, a := range h.Authorities {
		if a.Issuer() == fingerprint {
			return a.Certificate().Subject.CommonName
		}
	}
	return h.first().Certificate().Subject.CommonName // what was issued before intents named him
}

// authorities are the CA's certificates, in both forms.
func (h House) authorities(s *Server) {
	for _, c := range []struct {
		id, path, summary, kind string
		body                    func() []byte
	}{
		{"get-issuer", "/pki/issuer.cer", "The issuing CA's certificate, DER", derType, func() []byte { return h.first().Certificate().Raw }},
		{"get-issuer-pem", "/pki/issuer.pem", "The issuing CA's certificate, PEM", pemType, func() []byte { return pemOf(h.first().Certificate()) }},
		{"get-root", "/pki/root.cer", "The root's certificate, DER", derType, func() []byte { return h.first().Root().Raw }},
		{"get-root-pem", "/pki/root.pem", "The root's certificate, PEM", pemType, func() []byte { return pemOf(h.first().Root()) }},
		{"get-chain", "/pki/chain.pem", "Issuing CA and root, PEM", pemType, func() []byte { return chainOf(h.first()) }},
	} {
		PublicRaw(s, Operation{ID: c.id, Method: "GET", Path: c.path, Tag: "Repository", Summary: c.summary, Type: c.kind},
			func(context.Context, *struct{}) (Raw, error) {
				return Raw{Body: c.body(), Cache: "public, max-age=86400"}, nil
			})
	}
}

const (
	derType = "application/pkix-cert"
	pemType = "application/x-pem-file"
)

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// policyDocuments are what certificates point at (RFC 5280 §4.2.1.4): what is in
// effect, and every version under an address of its own.
func (h House) policyDocuments(s *Server) {
	const tag = "Repository"
	for _, d := range []struct{ name, id, summary string }{
		{docs.CPS, "get-cps", "The certification practice statement in effect (RFC 3647)"},
		{docs.CP, "get-cp", "The certificate policy in effect (RFC 3647)"},
	} {
		PublicRaw(s, Operation{ID: d.id, Method: "GET", Path: "/pki/" + d.name, Tag: tag, Summary: d.summary, Type: pageType},
			func(context.Context, *struct{}) (Raw, error) {
				return policyDocument(docs.Current(d.name), "public, max-age=3600"), nil
			})
	}
	PublicRaw(s, Operation{ID: "get-policy-document", Method: "GET", Path: "/pki/documents/{document}", Tag: tag, Summary: "One version of a policy document, for good", Type: pageType},
		func(_ context.Context, in *struct {
			Document string `path:"document" maxLength:"40" doc:"Name and version, such as cps-0.1"`
		},
		) (Raw, error) {
			d, ok := docs.Find(in.Document)
			if !ok {
				return Raw{}, errNoDocument
			}
			return policyDocument(d, "public, max-age=31536000, immutable"), nil
		})
}

var errNoDocument = fault.New(fault.NotFound, "policy-document-not-found",
	"چنین سند یا نسخه‌ای منتشر نشده است؛ فهرست سندها در ‎/pki‎ است.", "No such document or version was published; /pki lists them.")

// policyDocument is a policy document as it stands; its hash names its version.
func policyDocument(d docs.Document, cache string) Raw {
	return Raw{Body: d.Body, Cache: cache, Header: map[string]string{
		"ETag": `"` + d.SHA256() + `"`, "Content-Security-Policy": web.Policy,
	}}
}

// listedDocuments are all versions, those in effect by the address that
// certificates cite, too.
func listedDocuments() ([]web.Published, error) {
	var all []web.Published
	for _, d := range docs.Documents {
		date, err := time.Parse(time.DateOnly, d.Date)
		if err != nil {
			return nil, err
		}
		listed := web.Published{
			Name: d.Title, Address: "/pki/documents/" + d.ID(), SHA256: d.SHA256(), Version: d.Version, Date: date,
		}
		if d.Version == docs.Current(d.Name).Version {
			listed.Current = "/pki/" + d.Name
		}
		all = append(all, listed)
	}
	return all, nil
}

// published is all that there is to fetch.
func (h House) published(ctx context.Context) (web.RepositoryData, error) {
	root := h.first().Root()
	data := web.RepositoryData{Verify: verifyPage, Roots: []web.Published{certificateAt("/pki/root", ".pem", root)}}
	standings, err := h.App.IssuerStandings(ctx)
	if err != nil {
		return data, err
	}
	for n, of := range slices.Backward(h.Authorities) { // who issues stands first
		one, err := h.publishedOf(ctx, n, of)
		if err != nil {
			return data, err
		}
		one.Status, one.Ended = issuerStatus(of, standings)
		data.Issuers = append(data.Issuers, one)
	}
	data.Documents, err = listedDocuments()
	return data, err
}

func certificateAt(address, suffix string, c *x509.Certificate) web.Published {
	sum := sha256.Sum256(c.Raw)
	return web.Published{
		Name: c.Subject.CommonName, Address: address + ".cer", PEM: address + suffix, SHA256: hex.EncodeToString(sum[:]), Date: c.NotAfter,
	}
}

// publishedOf is what the n-th issuer has at its addresses.
func (h House) publishedOf(ctx context.Context, n int, of *pki.Authority) (one web.PublishedIssuer, err error) {
	at := "/pki"
	if one.Published = certificateAt("/pki/issuer", ".pem", of.Certificate()); n > 0 {
		at += "/" + pki.ShortOf(of.Issuer())
		one.Address, one.PEM = at+"/issuer.cer", at+"/chain.pem"
	}
	_, one.OCSP, _ = of.Addresses()
	list, err := h.Queries.List(ctx, of.Issuer())
	if errors.Is(err, crl.ErrNone) {
		return one, nil
	}
	one.List, one.Lists = at+"/issuer.crl", at+"/crls"
	one.Number, one.ThisUpdate, one.NextUpdate = list.Number, list.ThisUpdate, list.NextUpdate
	one.Last = list.NextUpdate.Equal(crl.Never)
	return one, err
}

// issuerStatus is where an issuer stands, by the log. The CA's directory, which one
// person can write, only says that it issues no more.
func issuerStatus(of *pki.Authority, standings []commands.IssuerStanding) (label string, ended bool) {
	status := issuer.Open
	for _, s := range standings {
		if s.Issuer == of.Issuer() && s.Status != issuer.None {
			status = s.Status
		}
	}
	if of.Ended() != "" && status == issuer.Open {
		status = issuer.StatusRetired
	}
	return issuer.Kind.Life[string(status)].Name.Fa, status != issuer.Open
}

func chainOf(a *pki.Authority) []byte {
	var chain strings.Builder
	for _, der := range [][]byte{a.Certificate().Raw, a.Root().Raw} {
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
