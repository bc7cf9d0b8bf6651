// Command govahi-token is the registration office's workstation: it makes the
// holder's key on the holder's token, and writes the certificate there (S1.11).
package main

import (
	"github.com/alecthomas/kong"

	"govahi/adapters/token"
)

type cli struct {
	Init  initialise `cmd:"" help:"Make a blank token of the office's stock; print its serial."`
	Key   key        `cmd:"" help:"Make the holder's key pair on the token; give out the certification request."`
	Write write      `cmd:"" help:"Write the certificate beside its key."`
	Sign  sign       `cmd:"" help:"Sign a statement from standard input with the officer's own token; print the CMS, base64."`
	Read  read       `cmd:"" help:"Read the certificate back, prove that the token can use it; print its SHA-256."`
}

func main() {
	app := kong.Parse(&cli{}, kong.Name("govahi-token"),
		kong.Description("Keys and certificates on a holder's token."), kong.Vars{"module": token.SoftHSMModule})
	app.FatalIfErrorf(app.Run())
}
