package http

import (
	"testing"

	"govahi/adapters/pki"
	"govahi/commands"
	"govahi/domain/issuer"
)

// TestThePublicIsToldWhatTheLogSaysOfAnIssuer: of a compromise by two operators.
// The CA's directory, which one person can write, says only that it issues no more.
func TestThePublicIsToldWhatTheLogSaysOfAnIssuer(t *testing.T) {
	ca := theAuthority(t)
	for _, c := range []struct {
		directory issuer.Ending
		log, want issuer.Status
	}{
		{"", issuer.Open, issuer.Open},
		{issuer.Retirement, issuer.Open, issuer.StatusRetired},
		{issuer.Compromise, issuer.Open, issuer.StatusRetired},
		{issuer.Retirement, issuer.StatusCompromised, issuer.StatusCompromised},
		{"", issuer.StatusCompromised, issuer.StatusCompromised},
	} {
		config := pki.Under("http://door.example.ir")
		config.Ended = c.directory
		of, err := pki.Open(ca.Certificate().Raw, ca.Root().Raw, config)
		if err != nil {
			t.Fatal(err)
		}
		label, ended := issuerStatus(of, []commands.IssuerStanding{{Issuer: of.Issuer(), Status: c.log}})
		if want := issuer.Kind.Life[string(c.want)].Name.Fa; label != want || ended != (c.want != issuer.Open) {
			t.Errorf("by the directory %q and the log %q it is %q, %v; not %q", c.directory, c.log, label, ended, want)
		}
	}
}
