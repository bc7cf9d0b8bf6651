package policies

import (
	"context"

	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/notification"
)

// NotifyOnProgress writes to the applicant when something happened to his
// request.
func NotifyOnProgress() Policy {
	return Policy{"notify-on-progress", enrollment.Catalog, func(ctx context.Context, h Happened) error {
		switch e := h.Is.(type) {
		case enrollment.EmailCodeSent:
			return h.App.Notify(ctx, h.Caller, notification.EmailCode, h.Stream, e.Round, nil)
		case enrollment.Submitted:
			return h.App.Notify(ctx, h.Caller, notification.RequestSubmitted, h.Stream, 0, nil)
		case enrollment.SubmittedToUnit:
			return h.App.Notify(ctx, h.Caller, notification.SubmittedToUnit, h.Stream, 0, nil)
		case enrollment.DossierReturned:
			return h.App.Notify(ctx, h.Caller, notification.DossierReturned, h.Stream, 0, nil)
		case enrollment.DossierLost:
			return h.App.Notify(ctx, h.Caller, notification.DossierLost, h.Stream, 0, nil)
		case enrollment.TokenArrived:
			return h.App.NotifyArrived(ctx, h.Caller, h.Stream, e.Place)
		case enrollment.CorrectionRequested:
			return h.App.Notify(ctx, h.Caller, notification.CorrectionNeeded, h.Stream, 0, nil)
		case enrollment.Rejected:
			return h.App.Notify(ctx, h.Caller, notification.RequestRejected, h.Stream, 0, nil)
		case enrollment.Issued:
			with := map[string]string{"serial": e.Serial}
			return h.App.NotifyIssued(ctx, h.Caller, h.Stream, with)
		}
		return nil
	}}
}

// NotifyOnRevoked tells the holder that his certificate and its sheet are void,
// and if that is so for its issuer's sake, that it is for nothing that he did. An
// abandoned attempt concerns nobody.
func NotifyOnRevoked() Policy {
	return when("notify-on-revoked", certificate.Catalog,
		func(ctx context.Context, h Happened, e certificate.Revoked) error {
			c, err := h.App.StatusOf(ctx, e.Serial)
			if err != nil || e.Request == "" || c.Issued.Serial == "" {
				return err
			}
			text := notification.CertificateRevoked
			if e.Ground == certificate.CAKeyCompromised {
				text = notification.CACompromised
			}
			return h.App.Notify(ctx, h.Caller, text, e.Request, 0, map[string]string{"serial": e.Serial})
		})
}

// NotifyOnAccessDefined tells the holder that he may enter CPMIS.
func NotifyOnAccessDefined() Policy {
	return when("notify-on-access-defined", access.Catalog,
		func(ctx context.Context, h Happened, e access.UserDefined) error {
			return h.App.Notify(ctx, h.Caller, notification.AccessDefined, e.Request, 0, nil)
		})
}
