package payment_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"govahi/adapters/payment"
	"govahi/adapters/pki/profiles"
	"govahi/commands"
	"govahi/domain/fault/faulttest"
)

const configuration = `
gateways:
  one:
    shape: verifying
    api: https://payment.example.ir/pg/v4/payment
    start: https://payment.example.ir/pg/StartPay/
    merchant: {file: MERCHANT}
  two:
    shape: settling
    service: https://pgws.example.ir/pgwchannel/services/pgw
    start: https://pgws.example.ir/pgwchannel/startpay
    terminal: "1234"
    user: {env: TEST_GATEWAY_USER}
    password: {env: TEST_GATEWAY_PASSWORD}
`

// open reads a file as the house does.
func open(file string) (map[string]commands.Gateway, error) {
	var c payment.Configuration
	text, err := profiles.ReadPath(file)
	if err == nil {
		err = profiles.DecodeDiscreetly(text, &c)
	}
	if err != nil {
		return nil, err
	}
	return c.Open(time.Now)
}

func written(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	merchant := filepath.Join(dir, "merchant")
	if err := os.WriteFile(merchant, []byte("secret-merchant\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "gateways.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "MERCHANT", merchant)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestGatewaysAreConfigured(t *testing.T) {
	t.Setenv("TEST_GATEWAY_USER", "secret-user")
	t.Setenv("TEST_GATEWAY_PASSWORD", "secret-password")
	all, err := open(written(t, configuration))
	if err != nil {
		t.Fatal(err)
	}
	one, two := all["one"].(payment.Verifying), all["two"].(payment.Settling)
	if one.Merchant != "secret-merchant" || one.API != "https://payment.example.ir/pg/v4/payment/" || two.User != "secret-user" ||
		two.Password != "secret-password" || two.Terminal != "1234" || len(all) != 2 {
		t.Errorf("read %d gateways, %s, %s", len(all), one.API, two.Service)
	}
}

// TestAWrongConfigurationIsRefused, and no secret stands in the refusal.
func TestAWrongConfigurationIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ field, from, to string }{
		"no file for a secret":   {"gateways.one.merchant", "{file: MERCHANT}", "{file: /nowhere/merchant}"},
		"an empty file":          {"gateways.one.merchant", "{file: MERCHANT}", "{file: /dev/null}"},
		"an empty secret":        {"gateways.two.user", "{env: TEST_GATEWAY_USER}", "{env: TEST_GATEWAY_NONE}"},
		"two places":             {"gateways.two.user", "{env: TEST_GATEWAY_USER}", "{env: TEST_GATEWAY_USER, file: x}"},
		"no place":               {"gateways.two.user", "user: {env: TEST_GATEWAY_USER}", "user: {}"},
		"a secret in the file":   {"متن آمده", "merchant: {file: MERCHANT}", "merchant: secret-user"},
		"in clear":               {"gateways.one.api", "https://payment.example.ir/pg/v4", "http://payment.example.ir/pg/v4"},
		"no address":             {"gateways.two.service", "https://pgws.example.ir/pgwchannel/services/pgw", "pgws"},
		"a password in it":       {"gateways.two.service", "https://pgws.example.ir/pgwchannel/services/pgw", "https://u:secret-user@pgws.example.ir/"},
		"another shape":          {"gateways.two.shape", "shape: settling", "shape: other"},
		"no terminal":            {"gateways.two.terminal", `terminal: "1234"`, `terminal: ""`},
		"an unknown field":       {"شناخته نیست", "terminal:", "secret-terminal:"},
		"a name that is none":    {"gateways", "  one:", "  One Bank:"},
		"the name of refunds":    {"gateways", "  one:", "  refund:"},
		"no gateway":             {"gateways", configuration, "gateways: {}"},
		"no configuration":       {"فهرست (sequence)", configuration, "[]"},
		"a user that is no text": {"فهرست (sequence)", "{env: TEST_GATEWAY_USER}", "[secret-user]"},
	} {
		t.Setenv("TEST_GATEWAY_USER", "secret-user")
		t.Setenv("TEST_GATEWAY_PASSWORD", "secret-password")
		changed := strings.Replace(configuration, c.from, c.to, 1)
		if changed == configuration {
			t.Fatalf("%s changes nothing", name)
		}
		wantRefusal(t, name, written(t, changed), c.field)
	}
}

func wantRefusal(t *testing.T, name, file, field string) {
	t.Helper()
	_, err := open(file)
	if err == nil || strings.Contains(err.Error(), "secret-") {
		t.Errorf("%s: %v", name, err)
		return
	}
	if err := faulttest.Remarked(err.Error(), field); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
