package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// moment is one of the story at which a relying party asked about a certificate,
// and kept the list and the answer that he was given.
type moment struct {
	of, leaf string // the certificate's name, and its file
	when     string
	revoked  bool
	reason   string // as openssl calls it, if its version has a word for it
}

var moments = []moment{
	{"outside channel", "certificate.pem", "issued", false, ""},
	{"outside channel", "certificate.pem", "held", true, "certificateHold"},
	{"outside channel", "certificate.pem", "lifted", false, ""},
	{"outside channel", "certificate.pem", "superseded", true, "superseded"},
	{"renewed", "renewed.pem", "renewed", false, ""},
	{"renewed", "renewed.pem", "revoked", true, ""},
	{"inside channel", "inside.pem", "active", false, ""},
	{"inside channel", "inside.pem", "lost", true, "keyCompromise"},
}

func (m moment) list() string   { return "crl-" + m.when + ".pem" }
func (m moment) answer() string { return "ocsp-" + m.when + ".der" }

// is names the standing that every verifier must find.
func (m moment) is() string {
	if m.revoked {
		return "revoked"
	}
	return "valid"
}

// check is what one verifier is asked at every moment, and what it must say then.
// Words in braces stand for the moment's files.
type check struct {
	name, command  string
	valid, revoked []string
	refuses        bool // it must fail when the certificate is revoked
}

// checks let openssl, GnuTLS and NSS look at everything that the story left: three
// implementations of RFC 5280 and RFC 6960 that know nothing of each other. certtool
// takes a list for a certificate without looking at its signature, so it is asked
// about that, too. NSS finds a list only in its store, which crlutil fills.
var checks = []check{
	{
		"openssl verify", "openssl verify -x509_strict -crl_check -CAfile {chain} -CRLfile {list} {leaf}",
		[]string{"{leaf}: OK"},
		[]string{"certificate revoked"},
		true,
	},
	{
		"openssl ocsp", "openssl ocsp -issuer {chain} -cert {leaf} -respin {answer} -CAfile {chain} -no_nonce",
		[]string{"Response verify OK", "{leaf}: good"},
		[]string{"Response verify OK", "{leaf}: revoked", "Reason: {reason}"},
		false,
	},
	{
		"certtool", "certtool --verify --verify-profile medium --load-ca-certificate {chain} --load-crl {list} --infile {leaf}",
		[]string{"Chain verification output: Verified. The certificate is trusted"},
		[]string{"The certificate chain is revoked"},
		true,
	},
	{
		"certtool list", "certtool --verify-crl --verify-profile medium --load-ca-certificate {chain} --infile {list}",
		[]string{"Verification output: Verified"},
		[]string{"Verification output: Verified"},
		false,
	},
	{
		"ocsptool", "ocsptool --verify-response --load-trust {chain} --load-response {answer}",
		[]string{"Verifying OCSP Response: Success", "Certificate Status: good"},
		[]string{"Verifying OCSP Response: Success", "Certificate Status: revoked"},
		false,
	},
	{"crlutil", "crlutil -I -d sql:{store} -i {store}/list.der", nil, nil, false},
	{
		"certutil", "certutil -V -d sql:{store} -n leaf -u S -e",
		[]string{"certificate is valid"},
		[]string{"has been revoked"},
		true,
	},
}

// judge asks every verifier about every moment.
func (d demo) judge(ctx context.Context) error {
	fmt.Printf("  %-16s %-11s %-7s", "certificate", "when", "is")
	for _, c := range checks {
		fmt.Print("  ", c.name)
	}
	fmt.Println()
	for _, m := range moments {
		fmt.Printf("  %-16s %-11s %-7s", m.of, m.when, m.is())
		err := d.judgeAt(ctx, m)
		fmt.Println()
		if err != nil {
			return err
		}
	}
	return nil
}

// judgeAt asks every verifier about one moment. NSS takes no list of the same
// second as its last, so each moment has its own store.
func (d demo) judgeAt(ctx context.Context, m moment) error {
	store, err := d.openNSS(ctx, m)
	defer func() { _ = os.RemoveAll(store) }()
	if err != nil {
		return err
	}
	for _, c := range checks {
		if err := d.ask(ctx, c, m, store); err != nil {
			return err
		}
		fmt.Printf("  %-*s", len(c.name), "✓")
	}
	return nil
}

// ask wants of one verifier at one moment that it succeeds or fails as it must,
// and that it says why.
func (d demo) ask(ctx context.Context, c check, m moment, store string) error {
	files := strings.NewReplacer("{chain}", d.file("chain.pem"), "{leaf}", d.file(m.leaf), "{list}", d.file(m.list()),
		"{answer}", d.file(m.answer()), "{reason}", m.reason, "{store}", store)
	args := strings.Fields(c.command)
	for n, arg := range args {
		args[n] = files.Replace(arg)
	}
	says := c.valid
	if m.revoked {
		says = c.revoked
	}
	out, err := run(ctx, args[0], args[1:]...)
	missing := ""
	for _, words := range says {
		if words = files.Replace(words); !bytes.Contains(out, []byte(words)) {
			missing = words
		}
	}
	if (err != nil) != (c.refuses && m.revoked) || missing != "" {
		return fmt.Errorf("%s does not find the certificate (%s, when %s) %s (%v); it does not say %q:\n%s", c.name, m.of, m.when, m.is(), err, missing, out)
	}
	return nil
}

// openNSS makes a store of NSS that trusts the root of the story.
func (d demo) openNSS(ctx context.Context, m moment) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "govahi-nss-"); err != nil {
		return "", err
	}
	if err := d.splitChain(dir); err != nil {
		return dir, err
	}
	store := "sql:" + dir
	for _, args := range [][]string{
		{"certutil", "-N", "-d", store, "--empty-password"},
		{"certutil", "-A", "-d", store, "-n", "root", "-t", "CT,C,C", "-a", "-i", filepath.Join(dir, "root.pem")},
		{"certutil", "-A", "-d", store, "-n", "issuer", "-t", ",,", "-a", "-i", filepath.Join(dir, "issuer.pem")},
		{"certutil", "-A", "-d", store, "-n", "leaf", "-t", ",,", "-a", "-i", d.file(m.leaf)},
		{"openssl", "crl", "-in", d.file(m.list()), "-outform", "der", "-out", filepath.Join(dir, "list.der")},
	} {
		if _, err := run(ctx, args[0], args[1:]...); err != nil {
			return dir, err
		}
	}
	return dir, nil
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
