package token

import (
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"
)

// Info describes a token that is present.
type Info struct {
	Label, Serial, Model, Manufacturer string

	slot uint
}

// List tells which initialised tokens the module sees.
func List(module string) ([]Info, error) {
	var infos []Info
	err := withModule(module, func(ctx *pkcs11.Ctx) (err error) {
		infos, err = list(ctx)
		return err
	})
	return infos, err
}

func list(ctx *pkcs11.Ctx) ([]Info, error) {
	slots, err := ctx.GetSlotList(true)
	if err != nil {
		return nil, fmt.Errorf("token: slots: %w", err)
	}
	var infos []Info
	for _, slot := range slots {
		i, err := ctx.GetTokenInfo(slot)
		if err != nil {
			return nil, fmt.Errorf("token: slot %d: %w", slot, err)
		}
		if i.Flags&pkcs11.CKF_TOKEN_INITIALIZED != 0 {
			infos = append(infos, Info{i.Label, i.SerialNumber, i.Model, i.ManufacturerID, slot})
		}
	}
	return infos, nil
}

// withModule uses the module directly, for what crypto11 does not offer. If
// this process has it initialised already, it stays so.
func withModule(path string, use func(*pkcs11.Ctx) error) error {
	ctx := pkcs11.New(path)
	if ctx == nil {
		return fmt.Errorf("token: %s is no PKCS#11 module", path)
	}
	defer ctx.Destroy()
	switch err := ctx.Initialize(); {
	case errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)):
		return use(ctx)
	case err != nil:
		return fmt.Errorf("token: initialise module: %w", err)
	}
	err := use(ctx)
	return errors.Join(err, ctx.Finalize())
}
