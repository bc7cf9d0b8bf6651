package payment

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"govahi/commands"
	"govahi/domain/fault"
	"govahi/domain/fee"
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

func (s secret) read(w *fault.Remarks, field string) string {
	switch {
	case (s.File == "") == (s.Env == ""):
		w.Need(false, field, "یا file بنویسید یا env، و نه هر دو را.", "name either a file or an environment variable")
		return ""
	case s.Env != "":
		text := os.Getenv(s.Env)
		w.Need(text != "", field, "متغیر محیطی %s نیست یا خالی است؛ آن را تعیین کنید.", "the environment has no %s", s.Env)
		return text
	}
	text, err := readSecret(s.File)
	w.Need(err == nil, field, "پرونده خوانده نمی‌شود؛ بودن آن و دسترسی‌اش را بازبینی کنید (%v).",
		"the file cannot be read: check that it is there, and its permissions (%v)", err)
	text = bytes.TrimSpace(text)
	w.Need(err != nil || len(text) > 0, field, "پروندهٔ %s خالی است؛ آن را پر کنید.", "%s is empty", s.File)
	return string(text)
}

// longestSecret is far above any.
const longestSecret = 64 << 10

// readSecret reads a file, and nothing that has no end or keeps whoever reads it
// waiting.
func readSecret(file string) ([]byte, error) {
	switch info, err := os.Stat(file); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > longestSecret:
		return nil, fmt.Errorf("%s is no file of at most %d bytes", file, longestSecret)
	}
	return os.ReadFile(file)
}

var providerName = regexp.MustCompile(`^[a-z0-9]{2,20}$`)

// Configuration names the gateways, as its file does.
type Configuration struct {
	Gateways map[string]configured `yaml:"gateways"`
}

// Open is the gateways. What could be read or answered by somebody else on its way
// is refused.
func (c Configuration) Open(clock func() time.Time) (map[string]commands.Gateway, error) {
	w, all := &fault.Remarks{}, map[string]commands.Gateway{}
	w.Need(len(c.Gateways) > 0, "gateways", "هیچ درگاهی نام برده نشده است؛ دست‌کم یکی را بنویسید.", "it names no gateway")
	for _, name := range slices.Sorted(maps.Keys(c.Gateways)) {
		w.Need(providerName.MatchString(name), "gateways", "نام هر درگاه از ۲ تا ۲۰ حرف کوچک لاتین و رقم است؛ آن را درست کنید.",
			"the name of a gateway is of 2 to 20 lower-case letters and digits")
		w.Need(name != fee.Transfers, "gateways", "این نام از آنِ حواله‌های بازپرداخت است؛ نام دیگری به درگاه بدهید.",
			"this name is that of transfers which give money back; name the gateway otherwise")
		all[name] = c.Gateways[name].open(w, "gateways."+name, clock)
	}
	return all, w.Err()
}

func (c configured) open(w *fault.Remarks, at string, clock func() time.Time) commands.Gateway {
	start := private(w, at+".start", c.Start)
	switch c.Shape {
	case "verifying":
		return Verifying{API: slashed(private(w, at+".api", c.API)), Start: slashed(start), Merchant: c.Merchant.read(w, at+".merchant")}
	case "settling":
		w.Need(c.Terminal != "", at+".terminal", "شمارهٔ پایانه نیامده است؛ آن را بنویسید.", "it is missing")
		return Settling{
			Service: private(w, at+".service", c.Service), Start: start, Terminal: c.Terminal, Clock: clock,
			User: c.User.read(w, at+".user"), Password: c.Password.read(w, at+".password"),
		}
	}
	w.Need(false, at+".shape", "verifying یا settling بنویسید.", "it is verifying or settling")
	return nil
}

// private is an address, unless credentials would go in clear over it. What was
// written is not repeated: a password may stand in it.
func private(w *fault.Remarks, field, address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		w.Need(false, field, "نشانی کامل (URL) نیست؛ آن را بی نام کاربری و رمز بنویسید.", "it is no URL, or names a user")
		return ""
	}
	ip, err := netip.ParseAddr(u.Hostname())
	w.Need(u.Scheme == "https" || u.Scheme == "http" && err == nil && ip.IsLoopback(), field, "نشانی باید https باشد.", "it must be an https URL")
	return address
}

func slashed(address string) string { return strings.TrimSuffix(address, "/") + "/" }
