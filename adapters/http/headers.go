package http

import (
	"bytes"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"govahi/domain/fault"
)

var errRepeatedHeader = fault.New(fault.Invalid, "header-repeated",
	"سرآیندی که یک بار می\u200cآید بیش از یک بار آمده است؛ Authorization و Idempotency-Key و Content-Type را هر کدام یک بار بفرستید.",
	"A header that comes once comes more than once; send Authorization, Idempotency-Key and Content-Type once each.")

// single are the headers of one meaning: of two lines, a front end may have
// looked at the other one.
var single = []string{"authorization", "idempotency-key", "content-type"}

func unrepeated(c *fiber.Ctx) error {
	lines := headerLines(&c.Request().Header)
	for _, name := range single {
		if lines[name] > 1 {
			return malformed(errRepeatedHeader)
		}
	}
	return c.Next()
}

// uncompressed refuses coded bodies: the limit on a body is checked before it
// would be unpacked, and a mebibyte can unpack to a thousand. An empty coding is
// refused as well: Fiber would unpack by the last of several lines.
func uncompressed(c *fiber.Ctx) error {
	if len(c.Request().Header.PeekAll(fiber.HeaderContentEncoding)) > 0 {
		return fiber.ErrUnsupportedMediaType
	}
	return c.Next()
}

// twoLengths tells whether a request says in two ways where it ends. What
// follows it may be meant as its body: nothing more is read (RFC 9112 §6.1).
func twoLengths(h *fasthttp.RequestHeader) bool {
	lines := headerLines(h)
	return lines["transfer-encoding"] > 0 && lines["content-length"] > 0
}

// headerLines counts the lines of each header, by its name in lower case: the
// library keeps but one of some.
func headerLines(h *fasthttp.RequestHeader) map[string]int {
	lines := map[string]int{}
	for line := range bytes.Lines(h.RawHeaders()) {
		if name, _, found := bytes.Cut(line, []byte(":")); found {
			lines[strings.ToLower(string(name))]++
		}
	}
	return lines
}
