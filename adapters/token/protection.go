package token

import (
	"fmt"

	"github.com/ThalesIgnite/crypto11"
)

// Protection is what the token itself says about a key (PKCS#11 v2.40 §4.9).
type Protection struct {
	Local            bool // born on the token
	Sensitive        bool
	AlwaysSensitive  bool
	Extractable      bool
	NeverExtractable bool
	Modifiable       bool
}

// Sound tells whether the key was born here and can never have left.
func (p Protection) Sound() bool {
	return p.Local && p.Sensitive && p.AlwaysSensitive && !p.Extractable && p.NeverExtractable && !p.Modifiable
}

// Protection reads the attributes back.
func (k *Key) Protection() (Protection, error) { return protection(k.ctx, k.Signer, k.Label) }

func protection(ctx *crypto11.Context, key any, label string) (Protection, error) {
	set, err := ctx.GetAttributes(key, []crypto11.AttributeType{
		crypto11.CkaLocal, crypto11.CkaSensitive, crypto11.CkaAlwaysSensitive,
		crypto11.CkaExtractable, crypto11.CkaNeverExtractable, crypto11.CkaModifiable,
	})
	if err != nil {
		return Protection{}, fmt.Errorf("token: read attributes of %q: %w", label, err)
	}
	is := func(a crypto11.AttributeType) bool { return len(set[a].Value) == 1 && set[a].Value[0] == 1 }
	return Protection{
		Local: is(crypto11.CkaLocal), Sensitive: is(crypto11.CkaSensitive),
		AlwaysSensitive: is(crypto11.CkaAlwaysSensitive), Extractable: is(crypto11.CkaExtractable),
		NeverExtractable: is(crypto11.CkaNeverExtractable), Modifiable: is(crypto11.CkaModifiable),
	}, nil
}
