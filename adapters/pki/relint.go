package pki

import (
	"crypto/x509"
	"slices"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

// Relint judges certificates that were issued before, by today's rules of the
// standards: it names those that one breaks.
func Relint() (func(profile string, c *x509.Certificate) (broken []string, err error), error) {
	l, err := newLinter()
	return func(_ string, c *x509.Certificate) ([]string, error) { return l.broken(c.Raw), nil }, err
}

func (l linter) broken(der []byte) (names []string) {
	c, err := zx509.ParseCertificate(der)
	if err != nil {
		return []string{"unreadable"}
	}
	for name, r := range zlint.LintCertificateEx(c, l.registry).Results {
		if r.Status == lint.Error || r.Status == lint.Fatal {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
