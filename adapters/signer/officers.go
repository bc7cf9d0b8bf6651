package signer

import (
	"crypto/x509"
	"sync"
	"time"
)

// officers are the certificates of officers whose issuer's signature was verified:
// one confirms many requests, and neither bytes nor signature change.
type officers struct {
	mu   sync.Mutex
	seen map[string]life // by the issuer's SHA-256 and the certificate's
}

// life is from when until when a certificate is valid.
type life struct{ begins, ends time.Time }

// officersSeen is how many are remembered.
const officersSeen = 4096

// certified verifies the issuer's signature under a certificate, DER.
func (o *officers) certified(of by, der []byte) (life, error) {
	key := of.id + sha256Hex(der)
	o.mu.Lock()
	l, known := o.seen[key]
	o.mu.Unlock()
	if known {
		return l, nil
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return life{}, err
	}
	if err := c.CheckSignatureFrom(of.Certificate); err != nil {
		return life{}, err
	}
	l = life{c.NotBefore, c.NotAfter}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen == nil || len(o.seen) >= officersSeen {
		o.seen = map[string]life{}
	}
	o.seen[key] = l
	return l, nil
}
