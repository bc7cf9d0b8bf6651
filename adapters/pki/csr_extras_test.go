package pki_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/url"
	"testing"

	"govahi/adapters/pki"
)

// greedy asks for everything that a request can ask for: to be a CA, to be
// somebody else, and to carry what was never heard of.
func greedy(t testing.TB) []byte {
	t.Helper()
	basic, err := asn1.Marshal(struct {
		CA   bool
		Path int
	}{true, 3})
	must(t, err)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject:        pkix.Name{CommonName: "Somebody Else [Sign]", SerialNumber: "9992001011", Country: []string{"XX"}},
		DNSNames:       []string{"ca.example.ir"},
		EmailAddresses: []string{"somebody.else@example.ir"},
		IPAddresses:    []net.IP{net.IPv4(127, 0, 0, 1)},
		URIs:           []*url.URL{{Scheme: "https", Host: "example.ir"}},
		ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: basic},
			{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{3, 2, 1, 6}}, // keyCertSign, cRLSign
			{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Value: []byte{0x30, 6, 6, 4, 0x55, 0x1d, 0x25, 0}},
			{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 9}, Critical: true, Value: []byte("foreign-extension")},
			{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: asn1.NullBytes},
		},
	}, p256(t))
	must(t, err)
	return csr
}

// TestOnlyTheKeyIsTakenFromARequest: the certificate is the confirmed record's
// and the profile's, whatever the request asks for.
func TestOnlyTheKeyIsTakenFromARequest(t *testing.T) {
	c := newCA(t, p256(t))
	p, err := c.Prepare(c.draft(t, form(), greedy(t)))
	must(t, err)
	issued, err := x509.ParseCertificate(c.issue(t, p.TBS))
	must(t, err)
	profile(t, c, issued)
	plain, err := c.Prepare(c.draft(t, form(), request(t, p256(t))))
	must(t, err)
	wantSameExtensions(t, issued, plain.TBS, c)
	for _, foreign := range []string{"Somebody", "9992001011", "somebody.else", "ca.example.ir\x87", "foreign-extension"} {
		if bytes.Contains(p.TBS, []byte(foreign)) {
			t.Errorf("the certificate says %q", foreign)
		}
	}
}

func wantSameExtensions(t *testing.T, issued *x509.Certificate, tbs []byte, c ca) {
	t.Helper()
	plain, err := x509.ParseCertificate(c.issue(t, tbs))
	must(t, err)
	if len(issued.Extensions) != len(plain.Extensions) || len(issued.DNSNames)+len(issued.IPAddresses)+len(issued.URIs) != 0 {
		t.Errorf("%d extensions, not %d", len(issued.Extensions), len(plain.Extensions))
	}
}

func TestRequestsOfOddForm(t *testing.T) {
	c := newCA(t, p256(t))
	good := request(t, p256(t))
	long, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 9}, Value: make([]byte, 17<<10)}},
	}, p256(t))
	must(t, err)
	one := pemOf("CERTIFICATE REQUEST", good)
	for name, r := range map[string]struct {
		data []byte
		want error
	}{
		"PEM":                   {one, nil},
		"PEM with blank lines":  {append(append([]byte("\n"), one...), "\r\n\n"...), nil},
		"DER":                   {good, nil},
		"two requests":          {append(bytes.Clone(one), one...), pki.ErrCSRMalformed},
		"text behind":           {append(bytes.Clone(one), "and more"...), pki.ErrCSRMalformed},
		"a certificate":         {pemOf("CERTIFICATE", c.Certificate().Raw), pki.ErrCSRMalformed},
		"called a certificate":  {pemOf("CERTIFICATE", good), pki.ErrCSRMalformed},
		"called a request":      {pemOf("CERTIFICATE REQUEST", c.Certificate().Raw), pki.ErrCSRMalformed},
		"a private key":         {pemOf("PRIVATE KEY", good), pki.ErrCSRMalformed},
		"bad base64":            {[]byte("-----BEGIN CERTIFICATE REQUEST-----\n%%%%\n-----END CERTIFICATE REQUEST-----\n"), pki.ErrCSRMalformed},
		"an empty block":        {pemOf("CERTIFICATE REQUEST", nil), pki.ErrCSRMalformed},
		"bytes behind":          {pemOf("CERTIFICATE REQUEST", append(bytes.Clone(good), 0)), pki.ErrCSRMalformed},
		"long":                  {long, pki.ErrCSRLong},
		"very long":             {bytes.Repeat([]byte{0x30}, 1<<20), pki.ErrCSRLong},
		"deep":                  {bytes.Repeat([]byte{0x30, 0x80}, 4<<10), pki.ErrCSRMalformed},
		"length without an end": {[]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, pki.ErrCSRMalformed},
	} {
		_, err := c.CheckCSR(pki.DecodeCSR(r.data))
		if r.want == nil {
			must(t, err)
		} else if err == nil || err.Error() != r.want.Error() {
			t.Errorf("%s: got %v, want %v", name, err, r.want)
		}
	}
}
