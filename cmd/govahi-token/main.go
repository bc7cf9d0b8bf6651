// Command govahi-token is the registration office's workstation: it makes the
// holder's key on the holder's token, and writes the certificate there (S1.11).
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"govahi/adapters/token"
	"govahi/adapters/usage"
)

type cli struct {
	Init  initialise `cmd:"" help:"Make a blank token of the office's stock; print its serial."`
	Key   key        `cmd:"" help:"Make the holder's key pair on the token; give out the certification request."`
	Write write      `cmd:"" help:"Write the certificate beside its key."`
	Sign  sign       `cmd:"" help:"Sign a statement from standard input with the officer's own token; print the CMS, base64."`
	Read  read       `cmd:"" help:"Read the certificate back, prove that the token can use it; print its SHA-256."`

	Personalise personalise `cmd:"" help:"Bring a confirmed request to a token with its key and certificate, over the house's API; print the certificate's SHA-256."`
	Confirm     confirm     `cmd:"" help:"Review a record and confirm it, signed with your own token; print the record's hash."`
	Credential  credential  `cmd:"" help:"Ask for your own certificate as an officer, and write it to your token; print its SHA-256."`
	Activate    activate    `cmd:"" help:"Activate the token that you were given, with its PIN; print the certificate's serial."`
}

func main() {
	app := usage.Parse(&cli{}, kong.Name("govahi-token"),
		kong.Description("Keys and certificates on a holder's token."), kong.Vars{"module": token.SoftHSMModule})
	err := app.Run()
	var refused stop
	if errors.As(err, &refused) {
		fmt.Fprintln(os.Stderr, refused)
		os.Exit(refused.exit)
	}
	app.FatalIfErrorf(err)
}
