// Command govahi-signer is the only process that holds the CA's token
// (pki.md §1): it signs what the log says was intended, and nothing else.
package main

import (
	"github.com/alecthomas/kong"

	"govahi/adapters/token"
	"govahi/adapters/usage"
)

type cli struct {
	Ceremony ceremony `cmd:"" help:"Make a CA's keys before witnesses; take an outside root's certificate in."`
	Serve    serve    `cmd:"" help:"Sign for the processes that reach the socket."`
	End      end      `cmd:"" help:"Write into the CA's directory that an issuer signs no certificates any more."`
	Check    check    `cmd:"" help:"Prove keys, certificates, chain, dates and token attributes."`
	Measure  measure  `cmd:"" hidden:"" help:"The ceiling of govahi bench: lint and sign what standard input gives, with a CA for development."`
}

func main() {
	app := usage.Parse(&cli{}, kong.Name("govahi-signer"),
		kong.Description("The signing process of Govahi."), kong.Vars{"module": token.SoftHSMModule})
	app.FatalIfErrorf(advised(app.Run()))
}
