package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"govahi/adapters/http"
	"govahi/domain/audit"
	"govahi/domain/iran"
	"govahi/queries/auditor"
)

// auditLook is how often it is looked whether the day's audit is due.
const auditLook = time.Minute

// audits remembers the latest result, for health and metrics.
type audits struct {
	latest  atomic.Pointer[audit.Completed]
	trouble outcome
}

// keepAudit makes the audit of each day, whichever process of those with the
// same role is the first (the stream's name is the rule). A house that has just
// begun has other things to do.
func (h *house) keepAudit(ctx context.Context) error {
	began := time.Now()
	for {
		err := h.auditDay(ctx, time.Since(began) >= h.AuditAfter)
		_, before := h.audits.trouble.last()
		if h.audits.trouble.note(err); err != nil && before == nil && ctx.Err() == nil {
			h.report.Warn("the audit of the certificates waits", "error", err)
		}
		pauseUntil(ctx, min(auditLook, max(h.AuditAfter, time.Second)))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func dayOf(t time.Time) string { return t.In(iran.Tehran()).Format(time.DateOnly) }

// auditDay looks what the latest audit found, and makes today's if it is due.
func (h *house) auditDay(ctx context.Context, settled bool) error {
	if h.audits.latest.Load() == nil {
		if err := h.recall(ctx, dayOf(now().AddDate(0, 0, -1))); err != nil {
			return err
		}
	}
	day := dayOf(now())
	s, err := h.app.AuditOf(ctx, day)
	if err != nil || s.Completed != nil {
		if err == nil {
			h.audits.latest.Store(s.Completed)
		}
		return err
	}
	if !settled {
		return nil
	}
	err = h.app.StartAudit(ctx, day)
	if errors.Is(err, audit.ErrRunning) {
		return nil // another one is at it
	}
	if err == nil {
		err = h.audit(ctx, day)
	}
	return errors.Join(err, h.recall(ctx, day))
}

// recall takes over a day's result, if there is one.
func (h *house) recall(ctx context.Context, day string) error {
	s, err := h.app.AuditOf(ctx, day)
	if err == nil && s.Completed != nil {
		h.audits.latest.Store(s.Completed)
	}
	return err
}

// mostAsked is about how many good certificates a day the responder is asked
// about, so that the token is not kept from its other work.
const mostAsked = 20_000

func (h *house) audit(ctx context.Context, day string) error {
	check, leave, err := auditOf(h.app, h.authorities, false)
	if err != nil {
		return err
	}
	defer leave()
	if last := h.audits.latest.Load(); last != nil {
		check.Every = 1 + last.Checked/mostAsked
	}
	told := 0
	check.Differs = func(d auditor.Difference) {
		if told++; told <= 100 {
			h.report.Log(ctx, slog.LevelError, "audit", "serial", d.Serial, "kind", d.Kind, "expected", d.Expected, "found", d.Found)
		}
	}
	s, err := check.Run(ctx)
	if err != nil {
		return err
	}
	return h.app.CompleteAudit(ctx, day, audit.Completed{
		Upto: audit.Upto{Stream: s.Stream, Revision: s.Revision}, Checked: s.Checked, Abandoned: s.Abandoned, Erased: s.Erased,
		Listed: s.Listed, Asked: s.Asked, Differences: s.Differences,
	})
}

// auditPart says whether the latest audit found differences. The house serves on:
// a person must look.
func (h *house) auditPart() http.Part {
	p := http.Part{Name: "audit", State: http.Ready, Outside: true}
	_, err := h.audits.trouble.last()
	switch last := h.audits.latest.Load(); {
	case last != nil && last.Total() > 0:
		p.State, p.Detail = http.Failed, fmt.Sprintf("differences between certificates and log: %d; see govahi audit certificates", last.Total())
	case err != nil:
		p.State, p.Detail = http.Failed, "the audit of the certificates cannot be made"
	case last == nil:
		p.Detail = "not made yet"
	}
	return p
}

var (
	auditDifferences = gauge("govahi_audit_differences",
		"Differences that the latest daily audit of the certificates found, by kind; all kinds together under all.", "kind")
	auditChecked = gauge("govahi_audit_certificates",
		"Certificates that the latest daily audit looked at: checked, or of them erased, not wholly checkable.", "result")
	auditAt = gauge("govahi_audit_completed_timestamp_seconds",
		"When the latest daily audit of the certificates ended; 0 if none was made yet.")

	auditFamilies = []family{auditDifferences, auditChecked, auditAt}
)

// tellAudit tells zeros, and time zero, where none was made yet.
func (h *house) tellAudit(_ context.Context, is tell) {
	if !h.has(rolePolicy) {
		return
	}
	var last audit.Completed
	if known := h.audits.latest.Load(); known != nil {
		last = *known
		is(auditAt, float64(last.At.UnixMilli())/1000)
	} else {
		is(auditAt, 0)
	}
	is(auditDifferences, float64(last.Total()), "all")
	for kind, n := range last.Differences {
		is(auditDifferences, float64(n), kind)
	}
	is(auditChecked, float64(last.Checked), "checked")
	is(auditChecked, float64(last.Erased), "erased")
}
