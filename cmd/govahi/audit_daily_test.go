package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"govahi/adapters/http"
	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/domain/audit"
	"govahi/domain/event/spec"
)

// TestTheHouseAuditsItselfOnceADay: after its start, by itself, and once.
func TestTheHouseAuditsItselfOnceADay(t *testing.T) {
	i := begin(t, dataDir(t), "GOVAHI_AUDIT_AFTER=1ms")
	app, done, err := attached{Data: i.dir}.app(t.Context())
	must(t, err)
	defer done()
	day := dayOf(now())
	var s audit.Audit
	await(t, "the day's audit", func() bool {
		s, err = app.AuditOf(t.Context(), day)
		return err == nil && s.Completed != nil
	})
	if s.Completed.Total() != 0 || s.Completed.Checked < 1 || s.Completed.Upto.Stream.Category() != "certificate" {
		t.Errorf("the audit says %+v", *s.Completed)
	}
	must(t, i.stop())
	i.again(t, "GOVAHI_AUDIT_AFTER=1ms")
	app, again, err := attached{Data: i.dir}.app(t.Context())
	must(t, err)
	defer again()
	n := 0
	for _, err := range app.Log.Read(t.Context(), audit.Kind.Stream(day), 0) {
		must(t, err)
		n++
	}
	if n != 2 {
		t.Errorf("%d events of the day's audit", n)
	}
}

// TestOfManyProcessesOneMakesTheAudit: the stream's name is the rule.
func TestOfManyProcessesOneMakesTheAudit(t *testing.T) {
	log := memlog.New()
	var all sync.WaitGroup
	var mu sync.Mutex
	began := 0
	for n := range 8 {
		all.Go(func() {
			app := &commands.App{Log: log, Keeper: spec.NewKeeper(), Clock: now, Handler: string(rune('a' + n)), Step: func(string) {}}
			err := app.StartAudit(context.Background(), "2026-11-22")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				began++
				must(t, app.CompleteAudit(context.Background(), "2026-11-22", audit.Completed{Differences: map[string]int{}}))
			} else if !errors.Is(err, audit.ErrRunning) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	completed := 0
	for r, err := range log.Read(t.Context(), audit.Kind.Stream("2026-11-22"), 0) {
		must(t, err)
		if strings.HasPrefix(r.Type, "audit.completed.") {
			completed++
		}
	}
	if began < 1 || completed != 1 {
		t.Errorf("%d began, %d results", began, completed)
	}
}

// TestHealthNamesDifferences, and the house serves on.
func TestHealthNamesDifferences(t *testing.T) {
	h := &house{}
	if p := h.auditPart(); p.State != http.Ready || p.Detail != "not made yet" {
		t.Errorf("%+v", p)
	}
	h.audits.latest.Store(&audit.Completed{Differences: map[string]int{"lint": 2, "crl-date": 1}})
	if p := h.auditPart(); p.State != http.Failed || !p.Outside || !strings.Contains(p.Detail, "log: 3") {
		t.Errorf("%+v", p)
	}
	h.audits.latest.Store(&audit.Completed{Differences: map[string]int{}})
	if p := h.auditPart(); p.State != http.Ready || p.Detail != "" {
		t.Errorf("%+v", p)
	}
	h.audits.trouble.note(errors.New("no answer"))
	if p := h.auditPart(); p.State != http.Failed {
		t.Errorf("%+v", p)
	}
}
