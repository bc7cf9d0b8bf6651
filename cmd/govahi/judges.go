package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// verdict is what a relying party's own software must say of the story.
type verdict struct {
	tool, what string
	args       []string
	says       string
	bad        bool // the tool must fail
}

// judge lets openssl, GnuTLS and NSS check everything that the story left: three
// implementations of RFC 5280 and RFC 6960 that know nothing of each other.
func (d demo) judge(ctx context.Context) error {
	store, err := d.openNSS(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(store) }()
	for _, v := range append(append(d.openssl(), d.gnutls()...), d.nss(store)...) {
		out, err := run(ctx, v.tool, v.args...)
		if (err != nil) != v.bad || !bytes.Contains(out, []byte(v.says)) {
			return fmt.Errorf("%s does not say %q for %s (%v):\n%s", v.tool, v.says, v.what, err, out)
		}
		fmt.Printf("  ✓ %-9s %s\n", v.tool, v.what)
	}
	return nil
}

func (d demo) openssl() []verdict {
	chain, first, renewed := d.file("chain.pem"), d.file("certificate.pem"), d.file("renewed.pem")
	all := []verdict{
		{"openssl", "outside channel, chain: strict RFC 5280", []string{"verify", "-x509_strict", "-CAfile", chain, first}, "OK", false},
		{"openssl", "renewed, chain: strict RFC 5280", []string{"verify", "-x509_strict", "-CAfile", chain, renewed}, "OK", false},
		{"openssl", "inside channel, chain: strict RFC 5280", []string{"verify", "-x509_strict", "-CAfile", chain, d.file("inside.pem")}, "OK", false},
	}
	for _, s := range []struct {
		when, leaf, list, ocsp string
		bad                    bool
	}{
		{"issued", first, "OK", ": good", false},
		{"held", first, "certificate revoked", "Reason: certificateHold", true},
		{"lifted", first, "OK", ": good", false},
		{"superseded", first, "certificate revoked", "Reason: superseded", true},
		{"renewed", renewed, "OK", ": good", false},
		{"revoked", renewed, "certificate revoked", ": revoked", true},
	} {
		all = append(all,
			verdict{"openssl", "CRL when " + s.when, []string{"verify", "-x509_strict", "-crl_check", "-CAfile", chain, "-CRLfile", d.file("crl-" + s.when + ".pem"), s.leaf}, s.list, s.bad},
			verdict{"openssl", "OCSP when " + s.when, ocspArgs(chain, s.leaf, d.file("ocsp-"+s.when+".der")), s.ocsp, false})
	}
	return append(all, verdict{"openssl", "OCSP answer verifies", ocspArgs(chain, renewed, d.file("ocsp-revoked.der")), "Response verify OK", false})
}

func ocspArgs(chain, leaf, answer string) []string {
	return []string{"ocsp", "-issuer", chain, "-cert", leaf, "-respin", answer, "-CAfile", chain, "-no_nonce"}
}

func (d demo) gnutls() []verdict {
	chain := d.file("chain.pem")
	verify := func(leaf, list string) []string {
		return []string{"--verify", "--verify-profile", "medium", "--load-ca-certificate", chain, "--infile", d.file(leaf), "--load-crl", d.file(list)}
	}
	return []verdict{
		{"certtool", "CRL when issued", verify("certificate.pem", "crl-issued.pem"), "The certificate is trusted", false},
		{"certtool", "CRL when renewed", verify("renewed.pem", "crl-renewed.pem"), "The certificate is trusted", false},
		{"certtool", "CRL when superseded", verify("certificate.pem", "crl-superseded.pem"), "The certificate chain is revoked", true},
		{"certtool", "CRL when revoked", verify("renewed.pem", "crl-revoked.pem"), "The certificate chain is revoked", true},
		{"ocsptool", "OCSP answer verifies", []string{"--verify-response", "--load-trust", chain, "--load-response", d.file("ocsp-revoked.der")}, "Success", false},
	}
}

func (d demo) nss(store string) []verdict {
	valid := []string{"-V", "-d", store, "-n", "leaf", "-u", "S", "-e"}
	return []verdict{
		{"certutil", "chain, for signature of mail", valid, "certificate is valid", false},
		{"crlutil", "CRL is taken", []string{"-I", "-d", store, "-i", filepath.Join(plain(store), "list.der")}, "", false},
		{"certutil", "CRL when revoked", valid, "has been revoked", true},
	}
}

// plain is the directory of an NSS store.
func plain(store string) string { return store[len("sql:"):] }

// openNSS makes a store of NSS that trusts the root of the story.
func (d demo) openNSS(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "govahi-nss-")
	if err != nil {
		return "", err
	}
	store := "sql:" + dir
	if err := d.splitChain(dir); err != nil {
		return store, err
	}
	leaf, err := filepath.Abs(d.file("renewed.pem"))
	if err != nil {
		return store, err
	}
	for _, args := range [][]string{
		{"certutil", "-N", "-d", store, "--empty-password"},
		{"certutil", "-A", "-d", store, "-n", "root", "-t", "CT,C,C", "-a", "-i", filepath.Join(dir, "root.pem")},
		{"certutil", "-A", "-d", store, "-n", "issuer", "-t", ",,", "-a", "-i", filepath.Join(dir, "issuer.pem")},
		{"certutil", "-A", "-d", store, "-n", "leaf", "-t", ",,", "-a", "-i", leaf},
		{"openssl", "crl", "-in", d.file("crl-revoked.pem"), "-outform", "der", "-out", filepath.Join(dir, "list.der")},
	} {
		if _, err := run(ctx, args[0], args[1:]...); err != nil {
			return store, err
		}
	}
	return store, nil
}

// splitChain writes the issuer and the root apart: NSS takes one file each.
func (d demo) splitChain(dir string) error {
	chain, err := os.ReadFile(d.file("chain.pem"))
	if err != nil {
		return err
	}
	const end = "-----END CERTIFICATE-----\n"
	issuer, root, found := bytes.Cut(chain, []byte(end))
	if !found || len(root) == 0 {
		return fmt.Errorf("%s does not hold an issuer and a root", d.file("chain.pem"))
	}
	if err := os.WriteFile(filepath.Join(dir, "issuer.pem"), append(issuer, end...), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "root.pem"), root, 0o600)
}
