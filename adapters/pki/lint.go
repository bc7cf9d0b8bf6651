package pki

import (
	stdx509 "crypto/x509"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"

	"govahi/domain/certificate"
	"govahi/domain/profile"
)

// sources are the rules that hold here. The CA/Browser Forum's and the browsers'
// own are for TLS servers on the open Internet, and for S/MIME certificates
// that mail programs of the world shall trust; these are neither.
var sources = lint.SourceList{
	lint.RFC3279, lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC6960, lint.RFC8813, lint.EtsiEsi, lint.Community,
}

// excluded are the lints that do not run, each with the reason.
var excluded = map[string]string{
	"e_cert_issued_by_compromised_emudhra_ca": "compares with a list of one foreign CA's leaked keys, and alone takes " +
		"nine tenths of the time; our issuer is known and is none of them",
}

type linter struct {
	registry lint.Registry
	name     string
}

func newLinter() (linter, error) {
	names := make([]string, 0, len(excluded))
	for name := range excluded {
		names = append(names, name)
	}
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: sources, ExcludeNames: names})
	if err != nil {
		return linter{}, fmt.Errorf("pki: choose lints: %w", err)
	}
	return linter{registry, "zlint " + zlintVersion()}, nil
}

func zlintVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fmt.Sprintf("v%d", zlint.Version)
	}
	i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == "github.com/zmap/zlint/v3" })
	if i < 0 {
		return fmt.Sprintf("v%d", zlint.Version)
	}
	return info.Deps[i].Version
}

// Lint judges any certificate, DER, by the same rules, as the ceremony does with
// the CA's own.
func Lint(der []byte) (certificate.LintResult, error) {
	l, err := newLinter()
	if err != nil {
		return certificate.LintResult{}, err
	}
	return l.certificate(der)
}

func (l linter) certificate(der []byte) (certificate.LintResult, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return certificate.LintResult{}, errLint([]string{"unreadable"})
	}
	verdict, refusing := l.verdict(zlint.LintCertificateEx(c, l.registry))
	return verdict, refusal(refusing)
}

// profiled judges a certificate of ours by the standards and by its profile.
func (l linter) profiled(c *stdx509.Certificate, p profile.Profile, issuer *stdx509.Certificate) (certificate.LintResult, error) {
	parsed, err := x509.ParseCertificate(c.Raw)
	if err != nil {
		return certificate.LintResult{}, errLint([]string{"unreadable"})
	}
	verdict, refusing := l.verdict(zlint.LintCertificateEx(parsed, l.registry))
	broken := p.Check(c, issuer)
	verdict.Linter += ", profile " + p.ID()
	verdict.Passed += len(profile.Rules) - len(broken)
	verdict.Warnings = append(verdict.Warnings, profile.Warnings(broken)...)
	return verdict, refusal(append(refusing, profile.Errors(broken)...))
}

func refusal(names []string) error {
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return errLint(names)
}

func (l linter) revocationList(der []byte) error {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return errLint([]string{"unreadable"})
	}
	_, refusing := l.verdict(zlint.LintRevocationListEx(list, l.registry))
	return refusal(refusing)
}

// verdict refuses on any error (CA/B BR §4.3.1.2); warnings and notices are
// recorded with the intent.
func (l linter) verdict(results *zlint.ResultSet) (verdict certificate.LintResult, refusing []string) {
	verdict.Linter = l.name
	for name, r := range results.Results {
		switch r.Status {
		case lint.Pass:
			verdict.Passed++
		case lint.Notice:
			verdict.Notices = append(verdict.Notices, name)
		case lint.Warn:
			verdict.Warnings = append(verdict.Warnings, name)
		case lint.Error, lint.Fatal:
			refusing = append(refusing, name)
		}
	}
	slices.Sort(verdict.Notices)
	slices.Sort(verdict.Warnings)
	return verdict, refusing
}
