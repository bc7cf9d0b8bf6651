package commands

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"govahi/domain/fault"
	"govahi/domain/profile"
)

// ClaimProfiles binds every version of a certificate profile that this house
// starts with to what it says, for good: a certificate cites name and version,
// and must find there what it was issued by. It fails where a version says
// something else than when it was first used.
func (a *App) ClaimProfiles(ctx context.Context) error {
	set, newest := a.Authority.Profiles(), map[string]profile.Profile{}
	for _, p := range set.All() {
		if p.Version > newest[p.Name].Version {
			newest[p.Name] = p
		}
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
	for _, name := range slices.Sorted(maps.Keys(newest)) {
		if err := a.outdated(ctx, newest[name]); err != nil {
			return err
		}
	}
	return nil
}

// outdated refuses to go back to an older version because the file of the next is
// missing: certificates would be issued by what was given up.
func (a *App) outdated(ctx context.Context, p profile.Profile) error {
	p.Version++
	claimed, err := load(ctx, a, profile.Kind, profile.Kind.Stream(p.ID()))
	if err != nil || claimed.state.Hash == "" {
		return err
	}
	return fmt.Errorf("%w\n%w", profile.ErrGone, fault.Remark("version",
		"%s پیش‌تر به کار رفته است؛ پروندهٔ آن را بازگردانید، یا آنچه از این پس می‌خواهید نسخهٔ پس از آن کنید.",
		"%s was used before: put its file back, or make what you want from now on the version after it", p.ID()))
}
