package main

import (
	"path/filepath"
	"testing"
	"time"
)

// TestWorkstationPersonalisesTheInsideChannel: the counter's officer makes the
// token of an employee whose dossier came up through his company. The workstation
// is killed before and after every request to the house; what is on the token is
// what goes down, sealed, to its holder, who activates it.
func TestWorkstationPersonalisesTheInsideChannel(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t))
	s := telling(t, i, "desk").inside()
	must(t, s.tell(t.Context(), s.untilControlledInside()))
	must(t, s.confirm(t.Context()))
	d := deskOf(t, s, "officer-1", filepath.Join(filepath.Dir(i.dir), "tokens"))
	s.token = d.blank(sampleOffice)
	with := []string{s.code, "--token", s.token, "--algorithm", "p-256"}

	for _, outsider := range []string{"officer-other", "employee", "inside-officer", "courier"} {
		if _, said, code := deskOf(t, s, outsider, d.dir).run("personalise", with...); code != 2 {
			t.Errorf("%s personalises, %d: %s", outsider, code, said)
		}
	}
	d.killedBetweenRequests("personalise", with...)
	fingerprint := d.does("personalise", with...)
	if again := d.does("personalise", with...); again != fingerprint {
		t.Errorf("personalised with %s, and again with %s", fingerprint, again)
	}
	for name, want := range map[string]int{
		"enrollment.issuance-requested": 1, "enrollment.token-personalised": 1, "token.reserved": 1, "enrollment.issued": 1,
	} {
		if n := i.events(t, name); n != want {
			t.Errorf("%d × %s, expected %d", n, name, want)
		}
	}
	must(t, s.issued(t.Context()))
	down := s.untilActiveInside()[3:]
	must(t, s.tell(t.Context(), down[:len(down)-2])) // up to the envelope with the PIN
	holder := deskOf(t, s, s.holder, d.dir)
	if serial := holder.does("activate", s.code, "--token", s.token); serial != s.serial {
		t.Errorf("activated %s, the certificate is %s", serial, s.serial)
	}
	must(t, s.tell(t.Context(), down[len(down)-1:]))
	if on, err := workstation(t.Context(), d.dir, nil, "read", "--token", s.token); err != nil || on != s.fingerprint || on != fingerprint {
		t.Errorf("the token holds %s, issued is %s: %v", on, s.fingerprint, err)
	}
}

// TestWorkstationIsGivenTheRequestBack: between confirmation and issuance the
// second officer loses his post, so the CA certifies nothing. The officer is told,
// in both languages, that another must confirm; nothing is on the token, and the
// same token serves after the new confirmation.
func TestWorkstationIsGivenTheRequestBack(t *testing.T) {
	t.Parallel()
	i, s := controlled(t)
	must(t, s.confirm(t.Context()))
	post := map[string]any{"personCode": personaCodes()["officer-2"], "role": "registration-officer", "place": sampleOffice}
	must(t, s.post(t.Context(), "admin", "dismiss-officer-2", "/dismissals", post, nil))

	d := deskOf(t, s, "officer-1", filepath.Join(filepath.Dir(i.dir), "tokens"))
	token := d.blank(sampleOffice)
	with := []string{s.code, "--token", token, "--algorithm", "p-256"}
	before := i.events(t, "certificate.issued")
	d.stops(2, "به دفتر بازگرداند", "gave the request back", "personalise", with...)
	if n := i.events(t, "enrollment.issuance-failed"); n != 1 || i.events(t, "certificate.issued") != before {
		t.Errorf("given back %d times, or certified all the same", n)
	}
	if on, err := workstation(t.Context(), d.dir, nil, "read", "--token", token); err == nil {
		t.Errorf("the token holds %s", on)
	}
	d.stops(2, "تأیید", "confirmed", "personalise", with...) // again, and it is still not

	post["until"] = time.Now().AddDate(0, 6, 0)
	must(t, s.post(t.Context(), "admin", "appoint-officer-2", "/appointments", post, nil))
	serial, err := s.officers.serial("officer-2")
	must(t, err)
	deskOf(t, s, "officer-2", s.officers.dir).does("confirm", s.code, "--token", serial, "--yes")
	fingerprint := d.does("personalise", with...)
	if on, err := workstation(t.Context(), d.dir, nil, "read", "--token", token); err != nil || on != fingerprint {
		t.Errorf("the token holds %s, expected %s: %v", on, fingerprint, err)
	}
}
