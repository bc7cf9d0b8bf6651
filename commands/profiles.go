package commands

import (
	"context"
	"fmt"

	"govahi/domain/profile"
)

// ClaimProfiles binds every version of a certificate profile that this house
// starts with to what it says, for good: a certificate cites name and version,
// and must find there what it was issued by. It fails where a version says
// something else than when it was first used.
func (a *App) ClaimProfiles(ctx context.Context) error {
	set := a.Authority.Profiles()
	for _, p := range set.All() {
		as := a.do(Caller{Policy: "profiles", Key: p.Hash()}, "ClaimProfile", "policy", p.ID())
		claim := profile.Claim{Hash: p.Hash(), At: as.at}
		if _, err := transact(ctx, a, profile.Kind, profile.Kind.Stream(p.ID()), as, just[profile.Claimed](claim)); err != nil {
			return fmt.Errorf("profile %s in %s, which is never changed once it was used: put its old contents back, and give the new ones another version in a file of its own: %w",
				p.ID(), set.File(p.ID()), err)
		}
	}
	return nil
}
