package sso

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"govahi/domain/iran"
)

// claims are a token's, by their exact names.
type claims map[string]json.RawMessage

// ours are the claims that decide something.
var ours = []string{"iss", "aud", "exp", "nbf", "iat", "national_code"}

var errClaims = errors.New("sso: claims are ambiguous")

// readClaims wants each name once (RFC 7519 §4), ours in their exact case, and
// times as numbers: encoding/json takes the last of several names, in any case.
func readClaims(payload []byte) (claims, error) {
	d := json.NewDecoder(bytes.NewReader(payload))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errClaims
	}
	c := claims{}
	for d.More() {
		name, err := d.Token()
		text, ok := name.(string)
		if err != nil || !ok || c[text] != nil || disguised(text) {
			return nil, errClaims
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, errClaims
		}
		c[text] = value
	}
	for _, time := range []string{"exp", "nbf", "iat"} {
		if value, ok := c[time]; ok && !numericDate.Match(value) {
			return nil, errClaims
		}
	}
	return c, nil
}

// disguised tells a name that encoding/json takes for one of ours.
func disguised(name string) bool {
	return !slices.Contains(ours, name) && slices.ContainsFunc(ours, func(o string) bool { return strings.EqualFold(o, name) })
}

// numericDate is RFC 7519 §2's, as far as the year 5138.
var numericDate = regexp.MustCompile(`^[0-9]{1,11}(\.[0-9]{1,9})?$`)

// leeway is what clocks may differ by; the library's for nbf.
const leeway = 5 * time.Minute

// fromTheFuture tells a token that says it was made later than now.
func (c claims) fromTheFuture(now time.Time) bool {
	value, ok := c["iat"]
	if !ok {
		return false
	}
	seconds, err := strconv.ParseFloat(string(value), 64)
	return err != nil || seconds > float64(now.Add(leeway).Unix())
}

// code is the attested person code.
func (c claims) code() (string, error) {
	var text string
	if json.Unmarshal(c["national_code"], &text) != nil {
		return "", ErrNoCode
	}
	code, _, err := iran.PersonCode(text)
	if err != nil {
		return "", ErrNoCode
	}
	return code, nil
}
