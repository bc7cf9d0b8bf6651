package tariff

import "time"

var noon = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)

func published(version int, validFrom time.Time) Published {
	return Published{"cpmis-signature", Silver, Governmental, version, 2_500_000, int64(version) * 1_000_000, validFrom, "p-manager", noon}
}

func publishing(version int, validFrom time.Time) Publish {
	p := published(version, validFrom)
	return Publish{p.Product, p.Level, p.IssuerKind, p.TokenRial, p.IssuanceRial, p.ValidFrom, p.By, p.At}
}
