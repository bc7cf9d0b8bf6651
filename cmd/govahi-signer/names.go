package main

import (
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"strings"

	"govahi/adapters/pki/profiles"
	"govahi/domain/fault"
)

// alikeNames tells whether verifiers may take one name for the other: they fold case
// and spaces (RFC 5280 §7.1).
func alikeNames(a, b pkix.Name) bool {
	spaced := func(n pkix.Name) string { return strings.Join(strings.Fields(n.String()), " ") }
	return strings.EqualFold(spaced(a), spaced(b))
}

// distinct refuses the name of an issuer that is there or asked for, or of a root:
// two CAs have two names, else nobody could tell whose revocation list is whose (RFC
// 5280 §4.1.2.6).
func (h home) distinct(name called) error {
	if _, err := h.certificate(h.issuerFile()); err != nil {
		return fmt.Errorf("a further issuer comes beside a first: %w", err)
	}
	seats, err := h.places()
	if err != nil {
		return err
	}
	for _, s := range seats {
		file, err := s.taken(name.subject())
		if err != nil {
			return err
		}
		if file != "" {
			return fault.Remark("issuer.name", "این نام از آن %s است؛ دو مرکز صدور دو نام دارند.", "it is that of %s: two CAs have two names", file)
		}
	}
	return nil
}

// taken is the file of this seat that bears the name, be it a certificate or a
// request that is still out; empty if none does.
func (s seat) taken(name pkix.Name) (string, error) {
	for _, file := range []string{s.issuerFile(), s.rootFile(), s.requestFile()} {
		there, err := s.named(file)
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue
		case err != nil:
			return "", err
		case alikeNames(there, name):
			return file, nil
		}
	}
	return "", nil
}

// named is the subject of a certificate or of a request.
func (s seat) named(file string) (pkix.Name, error) {
	if file != s.requestFile() {
		c, err := s.certificate(file)
		if err != nil {
			return pkix.Name{}, err
		}
		return c.Subject, nil
	}
	text, err := profiles.ReadPath(file)
	if err != nil {
		return pkix.Name{}, fmt.Errorf("%s:\n%w", file, err)
	}
	q, err := readRequest(text)
	if err != nil {
		return pkix.Name{}, fmt.Errorf("%s: %w", file, err)
	}
	return q.Subject, nil
}

// lone refuses the name of another issuer that is there, of its root, or of the
// root that came along. Of two requests with one name the first to come back wins.
func (i imported) lone() error {
	if alikeNames(i.certificate.Subject, i.root.Subject) {
		return errors.New("it is the root's")
	}
	seats, err := i.home.seats()
	if err != nil {
		return err
	}
	for _, s := range seats {
		if s.number == i.seat.number {
			continue
		}
		for _, file := range []string{s.issuerFile(), s.rootFile()} {
			there, err := s.named(file)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			if err == nil && alikeNames(there, i.certificate.Subject) {
				return fmt.Errorf("it is that of %s: make a further one with a name of its own", file)
			}
		}
	}
	return nil
}
