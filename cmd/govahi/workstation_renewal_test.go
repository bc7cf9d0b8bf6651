package main

import (
	"net/http"
	"net/http/httputil"
	"path/filepath"
	"strings"
	"testing"
)

// TestWorkstationRenews on the holder's token and on no other, in as many runs as
// it takes, by an officer who may not read the certificate before: the office that
// has the renewal need not be the one that issued that.
func TestWorkstationRenews(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t), soonRenewed(t))
	s := telling(t, i, "renewing")
	for _, part := range [][]step{s.untilSubmitted(), s.untilConfirmed(), s.untilActive(), s.untilRenewed()[:7]} {
		must(t, s.tell(t.Context(), part))
	}
	d := deskOf(t, s, "officer-1", filepath.Join(filepath.Dir(i.dir), "tokens"))
	before, err := workstation(t.Context(), d.dir, nil, "read", "--token", s.token)
	must(t, err)
	elsewhere := d.through(t, func(p *httputil.ReverseProxy) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/certificates/"+s.renews+"/certificate.pem") {
				http.NotFound(w, r)
				return
			}
			p.ServeHTTP(w, r)
		})
	})
	blank := d.blank(sampleOffice)
	elsewhere.stops(3, "تمدید", "that is renewed", "personalise", s.code, "--token", blank)

	with := []string{s.code, "--token", s.token}
	d.killedBetweenRequests("personalise", with...)
	fingerprint := elsewhere.does("personalise", with...)
	on, err := workstation(t.Context(), d.dir, nil, "read", "--token", s.token)
	if err != nil || on != fingerprint || on == before {
		t.Errorf("the token holds %s, expected %s, not %s: %v", on, fingerprint, before, err)
	}
}
