package main

import (
	"strings"
	"testing"

	"govahi/domain/event"
)

// TestOperatorOfTheViews parks an event that nobody can read, and goes on as the
// operator of the house would.
func TestOperatorOfTheViews(t *testing.T) {
	i := begin(t, dataDir(t))
	s := telling(t, i, "operator")
	if err := s.tell(t.Context(), s.untilSubmitted()); err != nil {
		t.Fatal(err)
	}
	log, err := attached{Data: i.dir}.openLog()
	must(t, err)
	defer func() { _ = log.Close() }()
	const broken = "enrollment-999999999999"
	_, err = log.Append(t.Context(), broken, event.NoStream, event.Proposed{
		ID: event.DeriveID(broken), Type: "enrollment.dreamt-of.v1", Data: []byte(`{}`), Meta: []byte(`{}`),
	})
	must(t, err)
	says := func(want bool, part string, args ...string) {
		t.Helper()
		await(t, strings.Join(args, " ")+" says "+part, func() bool {
			out, _ := i.govahi(t, "", args...)
			return strings.Contains(out, part) == want
		})
	}
	for _, name := range []string{"requests", "policy:record", "policy:issuance"} {
		says(true, name+" ", "projections", "parked")
	}
	says(true, broken, "projections", "parked", "requests")
	says(true, "event-unlisted", "projections", "parked", "requests")
	if out, err := i.govahi(t, "", "projections", "retry", "requests"); err == nil || !strings.Contains(out, "0 of 1") {
		t.Errorf("to try it again says %v: %s", err, out)
	}
	if _, err := i.govahi(t, "", "projections", "skip", "requests", broken, "--reason", " "); err == nil {
		t.Error("it was skipped for no reason")
	}
	for _, name := range []string{"requests", "policy:record", "policy:issuance"} {
		out, err := i.govahi(t, "", "projections", "skip", name, broken, "--reason", "it was only dreamt of")
		if err != nil || !strings.Contains(out, "1 of 1") {
			t.Errorf("to skip it in %s says %v: %s", name, err, out)
		}
	}
	says(false, broken, "projections", "parked", "requests")
	for _, args := range [][]string{{"rebuild", "--all"}, {"rebuild", "--back", "requests"}} {
		if out, err := i.govahi(t, "", args...); err != nil {
			t.Errorf("%q says %v: %s", args, err, out)
		}
	}
	says(true, "requests ", "projections")
	says(false, broken, "projections", "parked", "requests")
	if _, err := i.govahi(t, "", "rebuild", "--back", "no-such-view"); err == nil {
		t.Error("a view that is not there was put back")
	}
	if err := s.tell(t.Context(), s.untilConfirmed()); err != nil {
		t.Error("the house does not go on:", err)
	}
	out, err := i.govahi(t, "", "log", "export")
	must(t, err)
	if n := strings.Count(out, `"type":"projection.event-skipped.v1"`); n != 3 {
		t.Errorf("the log tells of %d events that were skipped", n)
	}
}
