package payment

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"govahi/commands"
)

// configured is a line of the file that names the gateways.
type configured struct {
	Shape    string `yaml:"shape"` // verifying or settling
	API      string `yaml:"api"`
	Service  string `yaml:"service"`
	Start    string `yaml:"start"`
	Terminal string `yaml:"terminal"`
	Merchant secret `yaml:"merchant"`
	User     secret `yaml:"user"`
	Password secret `yaml:"password"`
}

// secret stands in a file of its own or in the environment, never in the
// configuration.
type secret struct {
	File string `yaml:"file"`
	Env  string `yaml:"env"`
}

func (s secret) read() (string, error) {
	switch {
	case (s.File == "") == (s.Env == ""):
		return "", errors.New("name either a file or an environment variable")
	case s.Env != "":
		if text := os.Getenv(s.Env); text != "" {
			return text, nil
		}
		return "", fmt.Errorf("the environment has no %s", s.Env)
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		return "", err
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return "", fmt.Errorf("%s is empty", s.File)
	}
	return string(text), nil
}

var quoted = regexp.MustCompile("`[^`]*`")

var providerName = regexp.MustCompile(`^[a-z0-9]{2,20}$`)

// Open reads the gateways of a file. What could be read or answered by somebody
// else on its way is refused.
func Open(file string, clock func() time.Time) (map[string]commands.Gateway, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var whole struct {
		Gateways map[string]configured `yaml:"gateways"`
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&whole); err != nil {
		return nil, fmt.Errorf("%s: %s", file, quoted.ReplaceAllString(err.Error(), "a value")) // which may be a secret
	}
	all := map[string]commands.Gateway{}
	for name, c := range whole.Gateways {
		if !providerName.MatchString(name) {
			return nil, fmt.Errorf("%s: the name of a gateway is of 2 to 20 lower-case letters and digits", file)
		}
		if all[name], err = c.open(clock); err != nil {
			return nil, fmt.Errorf("%s: gateway %s: %w", file, name, err)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s names no gateway", file)
	}
	return all, nil
}

func (c configured) open(clock func() time.Time) (commands.Gateway, error) {
	switch c.Shape {
	case "verifying":
		return c.verifying()
	case "settling":
		return c.settling(clock)
	}
	return nil, errors.New("the shape is verifying or settling")
}

func (c configured) verifying() (g Verifying, err error) {
	if err := errors.Join(private("api", c.API), private("start", c.Start)); err != nil {
		return g, err
	}
	g.API, g.Start = slashed(c.API), slashed(c.Start)
	if g.Merchant, err = c.Merchant.read(); err != nil {
		err = fmt.Errorf("merchant: %w", err)
	}
	return g, err
}

func (c configured) settling(clock func() time.Time) (g Settling, err error) {
	if err := errors.Join(private("service", c.Service), private("start", c.Start)); err != nil {
		return g, err
	}
	if c.Terminal == "" {
		return g, errors.New("terminal is missing")
	}
	g = Settling{Service: c.Service, Start: c.Start, Terminal: c.Terminal, Clock: clock}
	for name, from := range map[string]struct {
		secret
		into *string
	}{"user": {c.User, &g.User}, "password": {c.Password, &g.Password}} {
		if *from.into, err = from.read(); err != nil {
			return g, fmt.Errorf("%s: %w", name, err)
		}
	}
	return g, nil
}

// private refuses an address over which credentials would go in clear.
func private(name, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return fmt.Errorf("%s is no URL", name)
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && err == nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s must be an https URL", name)
}

func slashed(address string) string { return strings.TrimSuffix(address, "/") + "/" }
