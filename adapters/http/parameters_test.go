package http

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/inquiry"
	cases "govahi/domain/revocation"
)

// TestFiltersListWhatTheyTake: a mistyped state must not look like an empty list.
func TestFiltersListWhatTheyTake(t *testing.T) {
	l := bare(t).open(t, House{})
	for path, known := range map[string][]string{
		"/offices/office-1/requests?state=": {
			string(enrollment.StatusDraft), string(enrollment.StatusCompleted), string(enrollment.StatusReady), string(enrollment.StatusAtOffice),
			string(enrollment.StatusUnderControl), string(enrollment.StatusNeedsCorrection), string(enrollment.StatusControlled),
			string(enrollment.StatusConfirmed), string(enrollment.StatusAtCA), string(enrollment.StatusIssued),
			string(enrollment.StatusReadyForDelivery), string(enrollment.StatusDelivered), string(enrollment.StatusAccepted),
			string(enrollment.StatusRejected), string(enrollment.StatusWithdrawn), string(enrollment.StatusRevoked), "active",
			string(enrollment.StatusAtResearchUnit), string(enrollment.StatusApproved), string(enrollment.StatusInTransit),
			string(enrollment.StatusAtAuthority), string(enrollment.StatusReadyForDispatch), string(enrollment.StatusAtOrigin),
			string(enrollment.StatusBackAtUnit), string(enrollment.StatusAccessDefined), string(enrollment.StatusAtCompanyUnit),
		},
		"/certificates?status=": {
			string(certificate.Intended), string(certificate.Signing), string(certificate.Valid), string(certificate.OnHold), string(certificate.Abandoned), string(certificate.Withdrawn),
		},
		"/inquiries?purpose=": {inquiry.ForIssuance, inquiry.ForReinquiry},
		"/cases?status=":      {string(cases.Open), string(cases.Investigating), string(cases.Refuted), string(cases.Established)},
	} {
		reads := l.log.reads.Load()
		p := l.get("manager", path+canary).problem(t)
		if p.Status != 400 || p.Code != "field-not-listed" || p.Field == "" || p.Pointer != "" || strings.Contains(p.Detail, canary) || l.log.reads.Load() != reads {
			t.Errorf("%s: %+v", path, p)
		}
		_, list, _ := strings.Cut(strings.Trim(p.Detail, ")"), "(")
		if !slices.Equal(strings.Split(list, ", "), known) {
			t.Errorf("%s takes %s, there are %s", path, list, known)
		}
		for _, state := range known {
			if p := l.get("stranger", path+state).problem(t); p.Status != 403 {
				t.Errorf("%s%s: %+v", path, state, p)
			}
		}
	}
}

func TestParametersThatNoTableCouldHold(t *testing.T) {
	l := bare(t).open(t, House{})
	for _, c := range []struct{ path, code, field string }{
		{"/offices/office%00/requests", "parameter-characters", "office"},
		{"/offices/office%ff/requests", "parameter-characters", "office"},
		{"/offices/office%0a/requests", "parameter-characters", "office"},
		{"/offices/office%zz/requests", "parameter-characters", "office"},
		{"/certificates/67%c0%af", "parameter-characters", "serial"},
		{"/requests/%ed%a0%80", "parameter-characters", "code"},
		{"/certificates?status=%ff", "parameter-characters", "status"},
		{"/certificates?status=valid&status=revoked", "parameter-repeated", "status"},
		{"/certificates?after=1&after=2", "parameter-repeated", "after"},
		{"/certificates?status=%zz", "query-malformed", ""},
		{"/certificates?status=a;b", "query-malformed", ""},
		{"/certificates?Status=valid", "field-unknown", "*"},
		{"/offices/" + strings.Repeat("x", 41) + "/requests", "field-too-long", "office"},
	} {
		line := "GET " + c.path + " HTTP/1.1\r\nHost: h\r\nAuthorization: " + l.as("auditor")[1] + "\r\n\r\n"
		reads := l.log.reads.Load()
		if p := l.send(line).problem(t); p.Status != 400 || p.Code != c.code || p.Field != c.field || p.Pointer != "" || l.log.reads.Load() != reads {
			t.Errorf("%s: %+v", c.path, p)
		}
	}
	raw := "GET /offices/\xff\xfe/requests HTTP/1.1\r\nHost: h\r\nAuthorization: " + l.as("auditor")[1] + "\r\n\r\n"
	if p := l.send(raw).problem(t); p.Status != 400 {
		t.Errorf("raw bytes in the path: %+v", p)
	}
}

// TestAPositionThatIsNotThereYetIsRefusedAtOnce: no wait would bring it.
func TestAPositionThatIsNotThereYetIsRefusedAtOnce(t *testing.T) {
	h := open(t, things, func(c *Config) { c.Waiter = never{} })
	for text, want := range map[string]string{
		"201": "position-ahead", "18446744073709551615": "position-ahead", "18446744073709551616": "position-invalid",
		"-1": "position-invalid", "1e3": "position-invalid", "٢٠١": "position-invalid", canary: "position-invalid",
	} {
		p := h.ask("GET", "/things/7?after="+text, "", h.as("officer-1")...).problem(t)
		status := map[string]int{"position-ahead": 422, "position-invalid": 400}[want]
		if p.Status != status || p.Code != want || p.Field != "after" || strings.Contains(p.Detail, text) {
			t.Errorf("%s: %+v", text, p)
		}
	}
}

// never is a waiter for a view that would never come so far.
type never struct{ waiter }

func (never) Wait(ctx context.Context, _ string, _ event.Position) error {
	<-ctx.Done()
	return errors.New("somebody waited for a refusal")
}
