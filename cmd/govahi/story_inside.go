package main

import (
	"context"
	"encoding/base64"

	"govahi/commands"
)

// inside is the story of a certificate of channel B (domain §2.4, S1.18–S1.24),
// told of an employee of the sample company: the dossier goes up by consignments,
// the token comes down by the same way.
func (s *story) inside() *story {
	return &story{client: s.client, name: s.name + "-inside", holder: "employee", outbox: s.outbox, tokens: s.tokens, out: s.out, patience: s.patience}
}

// untilControlledInside is the dossier's way up.
func (s *story) untilControlledInside() []step {
	return append(s.form("inside"), []step{
		{"employee", "submits to the research unit of the own company", func(ctx context.Context) error {
			return s.say("employee", "submission", map[string]string{"unit": insideUnit})(ctx)
		}, "at-research-unit"},
		{"inside-officer", "sights the originals", func(ctx context.Context) error {
			return s.say("inside-officer", "documents", s.originals("birth-certificate", "national-card", "legal-person-card", "introduction-letter"))(ctx)
		}, "at-research-unit"},
		{"inside-officer", "approves the dossier", func(ctx context.Context) error { return s.say("inside-officer", "approval", nil)(ctx) }, "approved"},
		{"inside-officer", "sends it sealed to the contracted authority", s.sends("inside-officer", insideUnit, sampleAuthority), "in-transit"},
		{"courier", "counts and receives", s.counts("courier"), "at-authority"},
		{"courier", "sends it on to the registration office", s.sends("courier", sampleAuthority, sampleOffice), "in-transit"},
		{"officer-1", "counts and receives; the contract pays the fee", s.counts("officer-1"), "under-control"},
		{"officer-1", "compares the card; the registry matches", func(ctx context.Context) error {
			return s.sight(ctx, s.name+"-compare", map[string]any{"sighted": []string{"national-card"}})
		}, "controlled"},
	}...)
}

// untilActiveInside is the token's way down.
func (s *story) untilActiveInside() []step {
	return append(s.untilIssued(), []step{
		{"officer-1", "prints the sheet of particulars", func(ctx context.Context) error { return s.say("officer-1", "sheet", nil)(ctx) }, "ready-for-dispatch"},
		{"officer-1", "posts the PIN's envelope, never with the token", s.onToken("officer-1", "pin", map[string]string{"envelope": "E-1", "via": "post"}), "ready-for-dispatch"},
		{"officer-1", "hands the sealed token to the authority", s.handOver("officer-1", sampleAuthority), "ready-for-dispatch"},
		{"courier", "receives it, the seal is whole", s.takes("courier"), "at-origin"},
		{"courier", "hands it to the research unit", s.handOver("courier", insideUnit), "at-origin"},
		{"inside-officer", "receives it", s.takes("inside-officer"), "back-at-research-unit"},
		{"inside-officer", "defines the CPMIS user, who waits for delivery", s.defineAt("inside-officer", insideUnit), "access-defined"},
		{"inside-officer", "hands it to the company's unit", s.handOver("inside-officer", companyUnit), "access-defined"},
		{"company-officer", "receives it", s.takes("company-officer"), "at-company-unit"},
		{"company-officer", "re-checks identity, hands the token over", func(ctx context.Context) error {
			return s.say("company-officer", "delivery", map[string]string{"identityChecked": "national-card"})(ctx)
		}, "delivered"},
		{"employee", "has the PIN's envelope, closed", func(ctx context.Context) error { return s.say("employee", "pin", nil)(ctx) }, "delivered"},
		{"employee", "activates: the token signs with its PIN", s.activate, "delivered"},
		{"employee", "accepts; a policy makes the CPMIS user active", func(ctx context.Context) error { return s.say("employee", "acceptance", nil)(ctx) }, "active"},
	}...)
}

// untilLost is the end of a token that its holder misses.
func (s *story) untilLost() []step {
	return []step{
		{"employee", "misses the token; a policy revokes at once", s.onToken("employee", "loss", nil), "revoked"},
		{"policy", "suspends the CPMIS access", s.accessIs(insideUnit, false), "revoked"},
	}
}

// sends dispatches a consignment of this one dossier.
func (s *story) sends(who, from, to string) func(context.Context) error {
	return func(ctx context.Context) error {
		var sent struct{ Number string }
		err := s.post(ctx, who, s.name+"-to-"+to, "/consignments", map[string]any{
			"from": from, "to": to, "dossiers": []string{s.code}, "seal": "S-1",
		}, &sent)
		s.bag = sent.Number
		return err
	}
}

func (s *story) counts(who string) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.post(ctx, who, s.name+"-count-"+s.bag, "/consignments/"+s.bag+"/receipt",
			map[string]any{"dossiers": []string{s.code}, "sealIntact": true}, nil)
	}
}

// onToken posts a command about the token.
func (s *story) onToken(who, act string, body any) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.post(ctx, who, s.name+"-"+act+"-"+who, "/tokens/"+s.token+"/"+act, body, nil)
	}
}

func (s *story) handOver(who, to string) func(context.Context) error {
	return s.onToken(who, "hand-over", map[string]string{"to": to, "seal": "S-2"})
}

func (s *story) takes(who string) func(context.Context) error {
	return s.onToken(who, "receipt", map[string]bool{"sealIntact": true})
}

// activate has the holder's token sign, as his own device does.
func (s *story) activate(ctx context.Context) error {
	text, err := workstation(ctx, s.tokens, commands.ActivationStatement(s.code, s.serial), "sign", "--token", s.token)
	if err != nil {
		return err
	}
	if _, err := base64.StdEncoding.DecodeString(text); err != nil {
		return err
	}
	return s.say(s.holder, "activation", map[string]string{"signature": text})(ctx)
}

// accessIs waits until the holder's CPMIS user is active, or is not.
func (s *story) accessIs(unit string, active bool) func(context.Context) error {
	officer := map[string]string{sampleUnit: "research-officer", insideUnit: "inside-officer"}[unit]
	return func(ctx context.Context) error {
		return s.until(ctx, func(ctx context.Context) (bool, error) {
			var list []struct {
				Serial string
				Active bool
			}
			err := s.get(ctx, officer, "/units/"+unit+"/accesses", &list)
			for _, a := range list {
				if a.Serial == s.serial {
					return a.Active == active, err
				}
			}
			return false, err
		})
	}
}
