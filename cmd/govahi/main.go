// Command govahi is the back end of registration offices and of their
// certificate authority: one program that runs, tries out and administers an
// instance. It holds no key of the CA: that is govahi-signer's.
package main

import (
	"runtime"

	"github.com/alecthomas/kong"

	"govahi/adapters/usage"
)

// version is the program's.
const version = "0.1.0"

type cli struct {
	Up          up             `cmd:"" help:"Run everything on this machine, in one data directory."`
	Serve       serve          `cmd:"" help:"Run some or all roles of a house whose log, bus or databases stand elsewhere."`
	Demo        demo           `cmd:"" help:"Walk one certificate from form to revocation on a fresh instance, and check it with openssl."`
	Bench       bench          `cmd:"" help:"Measure a fresh instance beside its own log."`
	Bootstrap   bootstrap      `cmd:"" help:"Appoint the first administrator of a running instance that has none; the national code is read from standard input."`
	Projections projectionsCmd `cmd:"" help:"See how far views and policies are, and what they could not take."`
	Rebuild     rebuild        `cmd:"" help:"Build read views anew from the log, beside the present ones."`
	Log         logCmd         `cmd:"" help:"Look at the event log, check it, and move it."`
	Audit       auditCmd       `cmd:"" help:"Check what the house did, independently, from its log."`
	Backup      backup         `cmd:"" help:"Copy a running instance: its log and its vault, as of one moment."`
	Restore     restore        `cmd:"" help:"Make an instance of a backup."`
	Node        node           `cmd:"" help:"Run the event log alone, for any client of EventStoreDB."`
	Dev         dev            `cmd:"" help:"Helpers for development mode."`
}

// counterweight is memory that is never touched and so takes none, in bytes: the garbage
// collector waits until a heap has doubled, and counts it in. A house lives on some
// thirty megabytes and would collect all the time under load; of a large heap it
// makes little difference.
const counterweight = 96 << 20

func main() {
	weight := make([]byte, counterweight)
	defer runtime.KeepAlive(weight)
	app := usage.Parse(&cli{}, kong.Name("govahi"), kong.Description("گواهی: certificates of the oil industry's registration offices."))
	app.FatalIfErrorf(app.Run())
}
