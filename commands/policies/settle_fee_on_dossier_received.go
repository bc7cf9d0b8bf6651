package policies

import (
	"context"

	"govahi/domain/enrollment"
)

// SettleFeeOnDossierReceived charges a request of channel B to the contract of its
// company once an office has it (domain §1.5, A2). Without a contract in force the
// fee stays open: the office sees it missing, and settles it when there is one.
func SettleFeeOnDossierReceived() Policy {
	return when("settle-fee-on-dossier-received", enrollment.Catalog, func(ctx context.Context, h Happened, e enrollment.DossierReceived) error {
		if !e.Office {
			return nil
		}
		return h.App.SettleFeeByContract(ctx, h.Caller, h.Stream)
	})
}
