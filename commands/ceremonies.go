package commands

import (
	"context"

	"govahi/domain/ceremony"
)

// RecordCeremony takes the transcript of a key ceremony into the log, once; the
// house asks at its start for each that it finds beside the CA's certificates.
func (a *App) RecordCeremony(ctx context.Context, name, transcript string) (Receipt, error) {
	record := ceremony.Record{Name: name, Transcript: transcript}
	hash := record.Hash()
	as := a.do(Caller{Policy: "ceremonies", Key: hash}, "RecordCeremony", "policy", hash)
	record.At = as.at
	return transact(ctx, a, ceremony.Kind, ceremony.Kind.Stream(hash), as, just[ceremony.Recorded](record))
}
