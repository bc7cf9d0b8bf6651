package http

import (
	"testing"
)

func TestLive(t *testing.T) {
	h := open(t, things)
	if a := h.ask("GET", "/health/live", ""); a.StatusCode != 204 || len(a.body) != 0 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
}

func TestReadyWhenAllPartsAre(t *testing.T) {
	log := Part{Name: "log", State: Ready}
	view := Part{Name: "requests", State: Ready, Lag: &Lag{At: 7, Head: 9}}
	for _, c := range []struct {
		parts  healthy
		status int
		state  PartState
	}{
		{healthy{log, view}, 200, Ready},
		{healthy{log, {Name: "signer", State: Starting}, view}, 503, Starting},
		{healthy{{Name: "signer", State: Failed, Detail: "no token"}, {Name: "relay", State: Starting}, log}, 503, Failed},
		{healthy{{Name: "relay", State: Starting}, {Name: "signer", State: Failed}}, 503, Failed},
		{healthy{log, {Name: "mail-server", State: Failed, Outside: true}}, 200, Ready},
	} {
		h := open(t, things, func(config *Config) { config.Health = c.parts })
		a := h.ask("GET", "/health/ready", "")
		var got Readiness
		a.json(t, &got)
		if a.StatusCode != c.status || got.State != c.state || len(got.Parts) != len(c.parts) {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
}

func TestReadyShowsTheLag(t *testing.T) {
	h := open(t, things, func(c *Config) { c.Health = healthy{{Name: "requests", State: Ready, Lag: &Lag{7, 9}}} })
	want := `{"state":"ready","parts":[{"name":"requests","state":"ready","lag":{"at":7,"head":9}}]}` + "\n"
	if a := h.ask("GET", "/health/ready", ""); string(a.body) != want {
		t.Fatalf("got %s", a.body)
	}
}
