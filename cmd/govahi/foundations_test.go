package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"govahi/adapters/sso"
	"govahi/domain/fault/faulttest"
)

// TestACAWhoseRequestIsOutWantsItsCertificate, and no ceremony.
func TestACAWhoseRequestIsOutWantsItsCertificate(t *testing.T) {
	for _, mode := range []sso.Mode{sso.Development, sso.Production} {
		h := &house{data: data{dir: t.TempDir()}}
		h.Mode = mode
		dir := h.caDir(h.data)
		must(t, os.MkdirAll(dir, 0o700))
		must(t, os.WriteFile(filepath.Join(dir, "issuer.csr"), nil, 0o600))
		if err := h.openCA(t.Context()); err == nil || !strings.Contains(err.Error(), "govahi-signer ceremony import") || faulttest.Remarked(err.Error(), dir) != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
}
