package commands

import (
	"context"
	"time"

	"govahi/domain/audit"
)

// AuditOf is how far a day's audit is.
func (a *App) AuditOf(ctx context.Context, day string) (audit.Audit, error) {
	h, err := load(ctx, a, audit.Kind, audit.Kind.Stream(day))
	return h.state, err
}

// StartAudit begins a day's audit, or fails with audit.ErrRunning while another
// process is at work on it.
func (a *App) StartAudit(ctx context.Context, day string) error {
	as := a.audits("StartAudit", day)
	start := audit.Start{Handler: a.Handler, At: as.at}
	_, err := transact(ctx, a, audit.Kind, audit.Kind.Stream(day), as, just[audit.Audit](start))
	return err
}

// CompleteAudit records what it found.
func (a *App) CompleteAudit(ctx context.Context, day string, found audit.Completed) error {
	as := a.audits("CompleteAudit", day)
	found.Handler, found.At = a.Handler, as.at
	_, err := transact(ctx, a, audit.Kind, audit.Kind.Stream(day), as, just[audit.Audit](audit.Complete(found)))
	return err
}

// audits is an act of its own each time: the state alone decides.
func (a *App) audits(name, day string) act {
	c := Caller{Policy: "audit", Key: day + "/" + a.Handler + "/" + a.Clock().Format(time.RFC3339Nano)}
	return a.do(c, name, "policy", day)
}
