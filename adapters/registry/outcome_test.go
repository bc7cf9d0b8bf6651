package registry_test

import (
	"errors"
	"testing"
	"time"

	"govahi/adapters/registry"
	"govahi/commands"
	"govahi/domain/inquiry"
)

// TestEveryCodeOfTheRegistryMeansWhatTheDomainSays is the table of domain §5.3.
func TestEveryCodeOfTheRegistryMeansWhatTheDomainSays(t *testing.T) {
	opens := time.Date(2026, 11, 23, 4, 30, 0, 0, time.UTC)
	type outcome struct {
		answer commands.RegistryAnswer
		err    error
	}
	answered := func(f inquiry.Finding) outcome { return outcome{commands.RegistryAnswer{Finding: f}, nil} }
	inconclusive := func(code string) outcome { return outcome{commands.RegistryAnswer{Inconclusive: code}, nil} }
	deferred := func(c inquiry.Cause, at time.Time) outcome {
		return outcome{commands.RegistryAnswer{Deferred: c, RetryAt: at}, nil}
	}
	for code, want := range map[string]outcome{
		"err.record.not.found":             answered(inquiry.NoRecord),
		"Nin.Not.Valid":                    answered(inquiry.NoRecord),
		"err.cancellation.nin":             answered(inquiry.Cancelled),
		registry.DeathStatus:               answered(inquiry.Dead),
		"result.rec.review":                inconclusive("result.rec.review"),
		"result.rec.return":                inconclusive("result.rec.return"),
		"IS_EXCEPTED":                      inconclusive("IS_EXCEPTED"),
		"result.rec.invisible":             inconclusive("result.rec.invisible"),
		"login.holyday.diny":               deferred(inquiry.Holiday, opens),
		"login.time.diny":                  deferred(inquiry.OutOfHours, opens),
		"inquiry.outof.max.daily.request":  deferred(inquiry.Quota, opens),
		"inquiry.outof.max.response":       deferred(inquiry.Quota, opens),
		"inquiry.time.finished":            deferred(inquiry.Down, time.Time{}),
		"login.service.diny":               {err: registry.ErrAlarm},
		"login.none.user":                  {err: registry.ErrAlarm},
		"login.password.wrong":             {err: registry.ErrAlarm},
		"err.method.diny":                  {err: registry.ErrAlarm},
		"inquiry.inquiry.required":         {err: registry.ErrQuestion},
		"inquiry.unknown.search":           {err: registry.ErrQuestion},
		"Error in Encoding":                {err: registry.ErrQuestion},
		"something that nobody here knows": {err: registry.ErrQuestion},
		"":                                 {err: registry.ErrQuestion},
	} {
		got, err := registry.Outcome(code, opens)
		if !errors.Is(err, want.err) || got.Matched || got.Finding != want.answer.Finding || got.Inconclusive != want.answer.Inconclusive ||
			got.Deferred != want.answer.Deferred || !got.RetryAt.Equal(want.answer.RetryAt) {
			t.Errorf("%s: %+v, %v", code, got, err)
		}
	}
}

func TestARegistryHasHours(t *testing.T) {
	tehran := func(day, hour, minute int) time.Time {
		return time.Date(2026, 11, day, hour, minute, 0, 0, time.FixedZone("", 12600))
	}
	h := registry.Hours{From: 8, To: 14, Closed: func(day time.Time) bool { return day.Weekday() == time.Friday }} // the 27th
	for at, want := range map[time.Time]struct {
		cause inquiry.Cause
		opens time.Time
	}{
		tehran(26, 8, 0):   {},
		tehran(26, 13, 59): {},
		tehran(25, 7, 59):  {inquiry.OutOfHours, tehran(25, 8, 0)},
		tehran(25, 14, 0):  {inquiry.OutOfHours, tehran(26, 8, 0)},
		tehran(26, 14, 0):  {inquiry.OutOfHours, tehran(28, 8, 0)}, // Friday is between
		tehran(27, 10, 0):  {inquiry.Holiday, tehran(28, 8, 0)},
		tehran(27, 23, 59): {inquiry.Holiday, tehran(28, 8, 0)},
	} {
		got, closed := h.Deferral(at.UTC())
		if closed != (want.cause != "") || got.Deferred != want.cause || !got.RetryAt.Equal(want.opens) {
			t.Errorf("%s: %+v, closed %v", at, got, closed)
		}
	}
	always := registry.Hours{Closed: func(time.Time) bool { return true }}
	if got, closed := always.Deferral(tehran(25, 9, 0)); !closed || got.Deferred != inquiry.Holiday || !got.RetryAt.IsZero() {
		t.Errorf("one that never opens: %+v", got)
	}
}

func TestTheSimulatorSaysWhatItIsTold(t *testing.T) {
	s := registry.NewSimulator()
	now := time.Date(2026, 11, 27, 6, 0, 0, 0, time.UTC) // Friday
	q := commands.RegistryQuestion{PersonCode: "9992009098"}
	ask := func() (commands.RegistryAnswer, error) { return s.Inquire(t.Context(), "i-1", q) }
	s.Says(q.PersonCode, "err.cancellation.nin")
	if a, err := ask(); err != nil || a.Finding != inquiry.Cancelled || a.TrackingCode == "" || a.Matched {
		t.Errorf("cancelled: %+v, %v", a, err)
	}
	s.Says(q.PersonCode, "login.service.diny")
	if _, err := ask(); !errors.Is(err, registry.ErrAlarm) {
		t.Errorf("alarm: %v", err)
	}
	s.Hours, s.Clock = &registry.Hours{Closed: func(d time.Time) bool { return d.Weekday() == time.Friday }}, func() time.Time { return now }
	if a, err := ask(); err != nil || a.Deferred != inquiry.Holiday || a.TrackingCode != "" {
		t.Errorf("closed: %+v, %v", a, err)
	}
	s.Hours = nil
	s.Says(q.PersonCode, "")
	if a, err := ask(); err != nil || !a.Matched {
		t.Errorf("told nothing: %+v, %v", a, err)
	}
}
