package main

import (
	"slices"
	"time"
)

// ofRenewal are differences between a certificate and the one that it follows.
// What the request says of that was part of the record that the officer signed.
func ofRenewal() []mutant {
	request := func(w *twin) string { return "enrollment-" + w.renewing }
	fee := func(w *twin) string { return "fee-" + w.renewing }
	token := func(w *twin) string { return "token-" + w.field("certificate-"+w.renewal, intended, "token") }
	basis := func(w *twin, basis string) { w.set(request(w), "enrollment.renewal-opened.v1", "basis", basis) }
	return []mutant{
		{"of somebody else's certificate", func(w *twin) {
			w.set(request(w), "enrollment.renewal-opened.v1", "certificate", w.heir)
		}, []string{"renewal record", "renewal renewal", "renewal token"}},
		{"of another request", func(w *twin) {
			w.set(request(w), "enrollment.renewal-opened.v1", "request", w.asked())
		}, []string{"renewal key-twice", "renewal record", "renewal renewal"}},
		{
			"a re-key of the same key", func(w *twin) { basis(w, "re-key") },
			[]string{"renewal fee-amount", "renewal key-twice", "renewal record", "renewal token"},
		},
		{
			"a modification, and nothing revoked before it", func(w *twin) { basis(w, "modification") },
			[]string{"renewal fee-amount", "renewal key-twice", "renewal record", "renewal renewal", "renewal token"},
		},
		{"the one before it still valid", func(w *twin) {
			w.drop("certificate-"+w.former, "certificate.revoked.v2")
			w.later = 2 * time.Hour
		}, []string{"former crl-surplus", "former ocsp", "renewal renewal"}},
		{"the token's price, too", func(w *twin) {
			w.set(fee(w), "fee.raised.v1", "amountRial", 3_445_110)
			w.set(fee(w), "fee.settled.v2", "payment.amountRial", 3_445_110)
		}, []string{"renewal fee-amount"}},
		{"a key that nobody handed on", func(w *twin) {
			key := "key-" + w.field("certificate-"+w.renewal, intended, "keyHash")
			last := slices.MaxFunc(w.all(key), func(a, b int) int { return a - b })
			w.events = slices.Delete(w.events, last, last+1)
		}, []string{"renewal key-twice"}},
		{"a key that an earlier renewal had, and came to nothing", func(w *twin) { w.tried("enrollment.withdrawn.v1") }, nil},
		{"a key that another renewal has", func(w *twin) { w.tried() }, []string{"renewal key-twice"}},
		{
			"a token of somebody else", func(w *twin) { w.set(token(w), "token.delivered.v1", "to", "somebody") },
			[]string{"former delivery", "renewal custody"},
		},
		{
			"a token with another certificate", func(w *twin) { w.set(token(w), "token.personalised.v1", "certificate", fresh) },
			[]string{"former token", "renewal token"},
		},
		{"not noted on the token", func(w *twin) {
			w.drop(token(w), "token.renewed.v1")
			w.later = 2 * time.Hour
		}, []string{"renewal token"}},
	}
}

// tried lets another request have the key before the renewal, and then what else
// became of that.
func (w *twin) tried(then ...string) {
	const other = "enrollment-140500000000"
	key := "key-" + w.field("certificate-"+w.renewal, intended, "keyHash")
	w.insert(w.index(key, "key.claimed.v1"), key, "key.claimed.v1", map[string]any{"request": other})
	for _, name := range append([]string{"enrollment.renewal-opened.v1"}, then...) {
		w.insert(w.index(key, "key.claimed.v1"), other, name, map[string]any{"certificate": w.former})
	}
}

// all are the places of a stream's events.
func (w *twin) all(stream string) (places []int) {
	for n, r := range w.events {
		if string(r.Stream) == stream {
			places = append(places, n)
		}
	}
	return places
}
