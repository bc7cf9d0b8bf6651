package commands

import (
	"context"
	"errors"
	"fmt"

	"govahi/domain/fault"
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
		_, err := transact(ctx, a, profile.Kind, profile.Kind.Stream(p.ID()), as, just[profile.Claimed](claim))
		if errors.Is(err, profile.ErrChanged) {
			err = fmt.Errorf("%w\n%w", err, fault.Remark("version",
				"%s پیش‌تر به کار رفته است و هرگز تغییر نمی‌کند؛ محتوای پیشین را بازگردانید و محتوای تازه را با version دیگری در پرونده‌ای جدا بگذارید.",
				"%s is never changed once it was used: put its old contents back, and give the new ones another version in a file of its own", p.ID()))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", set.File(p.ID()), err)
		}
	}
	return nil
}
