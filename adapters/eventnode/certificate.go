package eventnode

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// TLS is the configuration of a door with a certificate and its key, both in
// PEM, for version 1.2 and above. When the files change they are read anew; as
// long as that fails, halfway through a renewal say, the former certificate is
// shown.
func TLS(certFile, keyFile string) (*tls.Config, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile}
	if err := c.load(c.changed()); err != nil {
		return nil, fmt.Errorf("eventnode: the certificate: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols, GetCertificate: c.get}, nil
}

// protocols are in our order: who can speak HTTP/1, too, wants a page, since
// clients of gRPC offer HTTP/2 only.
var protocols = []string{"http/1.1", "h2"}

type certificate struct {
	certFile, keyFile string

	mu    sync.Mutex
	pair  tls.Certificate
	since [2]time.Time // when the files of the pair were changed
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.changed(); now != c.since {
		_ = c.load(now)
	}
	pair := c.pair
	return &pair, nil
}

func (c *certificate) changed() (at [2]time.Time) {
	for i, file := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(file); err == nil {
			at[i] = info.ModTime()
		}
	}
	return at
}

func (c *certificate) load(changed [2]time.Time) error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err == nil {
		c.pair, c.since = pair, changed
	}
	return err
}
