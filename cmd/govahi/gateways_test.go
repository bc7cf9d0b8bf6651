package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"govahi/adapters/sso"
	"govahi/domain/fault/faulttest"
)

// TestAWrongFileOfGatewaysIsNamed, in both languages and without what stands in it.
func TestAWrongFileOfGatewaysIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateways.yaml")
	for text, said := range map[string]string{
		"":                            "خالی",
		"gateways: {}":                "gateways",
		"gateways: {a: &a {}, b: *a}": "نام مستعار",
		"gateways: {one: {merchant: secret-merchant}}":                 "متن آمده",
		"gateways: {one: {shape: other, password: {env: X, file: y}}}": "gateways.one.shape",
	} {
		must(t, os.WriteFile(file, []byte(text), 0o600))
		wantWrongGateways(t, file, said)
	}
	wantWrongGateways(t, filepath.Join(t.TempDir(), "none.yaml"), "خوانده نمی‌شود")
}

// TestNothingIsMadeWithWrongGateways, nor is a secret read that has no end.
func TestNothingIsMadeWithWrongGateways(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateways.yaml")
	must(t, os.WriteFile(file, []byte("gateways: {one: {shape: verifying, merchant: {file: /dev/zero}}}"), 0o600))
	wantWrongGateways(t, file, "gateways.one.merchant")
	s := settings{Data: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", Mode: sso.Development, Gateways: file}
	if err := s.check(); err == nil || !strings.Contains(err.Error(), "nothing was started") || !strings.Contains(err.Error(), "gateways.one.merchant") {
		t.Errorf("the settings: %v", err)
	}
	if _, err := os.Stat(s.Data); !os.IsNotExist(err) {
		t.Errorf("the data directory: %v", err)
	}
}

func wantWrongGateways(t *testing.T, file, said string) {
	t.Helper()
	_, err := openGateways(file)
	if err == nil || strings.Contains(err.Error(), "secret-") || !strings.Contains(err.Error(), file+":\n") {
		t.Errorf("%s: %v", said, err)
	} else if err := faulttest.Remarked(err.Error(), said); err != nil {
		t.Error(err)
	}
}
