package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"govahi/commands/memlog"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/queries/auditor"
)

// twin is what a house's log says, under issuers whose keys the test has: it can
// be changed anywhere, certificates and lists among it, and still hold together
// everywhere else.
type twin struct {
	*testing.T
	keeper event.Keeper
	events []event.Recorded
	*seat  // the elder issuer's
	newer  *seat
	says   map[string]auditor.Answer
	trusts bool          // officers' signatures are taken for good
	later  time.Duration // than now the audit is made

	applicant, officer, other, responder string // serials; officer is who confirmed
	heir, delegate                       string // the newer issuer's: the employee of channel B, and the responder
	former, renewal                      string // serials
	renewing                             string // code of the renewal
	request                              string // the applicant's code
}

// seat is an issuer, and its present list.
type seat struct {
	issuer *x509.Certificate
	key    crypto.Signer
	list   x509.RevocationList
	der    []byte // of the list

	listAt, responderAt, itselfAt string
}

func (s *seat) copied() *seat {
	c := *s
	c.list.RevokedCertificateEntries = slices.Clone(s.list.RevokedCertificateEntries)
	return &c
}

// copied is another that can be changed.
func (w *twin) copied(t *testing.T) *twin {
	c := *w
	c.T, c.events, c.says = t, slices.Clone(w.events), maps.Clone(w.says)
	c.seat, c.newer = w.seat.copied(), w.newer.copied()
	return &c
}

// real is an issuer of the house, and its list.
type real struct {
	issuer *x509.Certificate
	list   []byte

	listAt, responderAt, itselfAt string
}

// twinOf takes the log over from two issuers to others of the same names.
func twinOf(t *testing.T, events []event.Recorded, keeper event.Keeper, elder, newer real, says map[string]auditor.Answer) *twin {
	w := &twin{T: t, keeper: keeper, events: events, says: says, later: 2 * time.Minute}
	w.seat, w.newer = w.takes(elder), w.takes(newer)
	for _, r := range w.events {
		if r.Type == issued {
			w.reissue(r.Stream.ID(), func(tbs []byte) []byte { return tbs })
		}
	}
	w.relist(w.seat)
	w.relist(w.newer)
	w.meet()
	return w
}

// takes has everybody name the sibling.
func (w *twin) takes(of real) *seat {
	s := &seat{listAt: of.listAt, responderAt: of.responderAt, itselfAt: of.itselfAt}
	s.key, s.issuer = sibling(w.T, of.issuer)
	was, is := sum(of.issuer.Raw), sum(s.issuer.Raw)
	for n, r := range w.events {
		w.events[n].Stream = event.Stream(strings.ReplaceAll(string(r.Stream), was, is))
		w.events[n].Data = bytes.ReplaceAll(r.Data, []byte(was), []byte(is))
	}
	list, err := x509.ParseRevocationList(of.list)
	must(w.T, err)
	s.list = *list
	return s
}

// seatOf is that of the issuer that a certificate's intent names.
func (w *twin) seatOf(serial string) *seat {
	w.Helper()
	if w.field("certificate-"+serial, intended, "issuer") == sum(w.newer.issuer.Raw) {
		return w.newer
	}
	return w.seat
}

// authority is the issuer as the audit knows it.
func (w *twin) authority(s *seat) auditor.Authority {
	return auditor.Authority{Certificate: s.issuer, Published: public{w, s}, List: s.listAt, Responder: s.responderAt, Itself: s.itselfAt}
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// sibling is an issuer with a key of the same kind, and everything else alike.
func sibling(t *testing.T, c *x509.Certificate) (key crypto.Signer, issuer *x509.Certificate) {
	var err error
	switch public := c.PublicKey.(type) {
	case *rsa.PublicKey:
		key, err = rsa.GenerateKey(rand.Reader, public.N.BitLen())
	case *ecdsa.PublicKey:
		key, err = ecdsa.GenerateKey(public.Curve, rand.Reader)
	}
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: c.SerialNumber, RawSubject: c.RawSubject, SubjectKeyId: c.SubjectKeyId, KeyUsage: c.KeyUsage,
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	issuer, err = x509.ParseCertificate(der)
	must(t, err)
	return key, issuer
}

// meet finds out who is who.
func (w *twin) meet() {
	for _, r := range w.events {
		if r.Type == "enrollment.renewal-opened.v1" {
			w.renewing, w.former = r.Stream.ID(), w.data(r)["certificate"].(string)
		}
	}
	for _, r := range w.events {
		if r.Type != issued {
			continue
		}
		id, profile := r.Stream.ID(), w.data(r)["profile"].(string)
		switch name, _, _ := strings.Cut(profile, "@"); {
		case id == w.former:
		case name == "cpmis-signature" && w.data(r)["request"] == "enrollment-"+w.renewing:
			w.renewal = id
		case name == "cpmis-signature" && w.seatOf(id) == w.newer:
			w.heir = id
		case name == "cpmis-signature":
			w.applicant, w.request = id, event.Stream(w.data(r)["request"].(string)).ID()
		case name == "ocsp-responder" && w.seatOf(id) == w.newer:
			w.delegate = id
		case name == "ocsp-responder":
			w.responder = id
		}
	}
	w.officer = w.field(w.asked(), confirmed, "certificate")
	for _, r := range w.events {
		if d := w.data(r); r.Type == issued && strings.HasPrefix(d["profile"].(string), "ra-officer@") && r.Stream.ID() != w.officer {
			w.other = r.Stream.ID()
		}
	}
}

func (w *twin) data(r event.Recorded) (d map[string]any) {
	w.Helper()
	decoder := json.NewDecoder(bytes.NewReader(r.Data))
	decoder.UseNumber()
	must(w.T, decoder.Decode(&d))
	return d
}

// edit changes the events of a stored name in a stream, which must be there.
func (w *twin) edit(stream, name string, change func(map[string]any)) {
	w.Helper()
	found := false
	for n, r := range w.events {
		if string(r.Stream) == stream && r.Type == name {
			d := w.data(r)
			change(d)
			text, err := json.Marshal(d)
			must(w.T, err)
			w.events[n].Data, found = text, true
		}
	}
	if !found {
		w.Fatalf("no %s in %s", name, stream)
	}
}

// set gives a field, by its path, another value.
func (w *twin) set(stream, name, path string, value any) {
	w.Helper()
	w.edit(stream, name, func(d map[string]any) {
		steps := strings.Split(path, ".")
		for _, s := range steps[:len(steps)-1] {
			d = d[s].(map[string]any)
		}
		d[steps[len(steps)-1]] = value
	})
}

// drop takes the events of a name out of a stream.
func (w *twin) drop(stream, name string) {
	w.Helper()
	before := len(w.events)
	w.events = slices.DeleteFunc(w.events, func(r event.Recorded) bool { return string(r.Stream) == stream && r.Type == name })
	if len(w.events) == before {
		w.Fatalf("no %s in %s", name, stream)
	}
	w.shift(stream, int64(len(w.events)-before))
}

// index is where the last of a name stands in a stream.
func (w *twin) index(stream, name string) int {
	w.Helper()
	for n, r := range slices.Backward(w.events) {
		if string(r.Stream) == stream && r.Type == name {
			return n
		}
	}
	w.Fatalf("no %s in %s", name, stream)
	return 0
}

// insert puts an event in before an index; at is the time that it tells.
func (w *twin) insert(before int, stream, name string, data map[string]any) {
	w.Helper()
	if data["at"] == nil {
		data["at"] = time.Now().UTC()
	}
	text, err := json.Marshal(data)
	must(w.T, err)
	r := event.Recorded{Stream: event.Stream(stream), Type: name, Data: text, Meta: []byte("{}")}
	w.events = slices.Insert(w.events, before, r)
}

// repeat tells the last of a name once more.
func (w *twin) repeat(stream, name string) {
	w.Helper()
	n := w.index(stream, name)
	w.events = slices.Insert(w.events, n+1, w.events[n])
	w.shift(stream, 1)
}

// shift has a list that covers what came later in a stream cover that still.
func (w *twin) shift(stream string, by int64) {
	w.Helper()
	for at, r := range w.events {
		if !strings.HasPrefix(r.Type, "crl.intended.") {
			continue
		}
		d := w.data(r)
		if covers, _ := d["covers"].(map[string]any); covers["stream"] == stream {
			revision, err := covers["revision"].(json.Number).Int64()
			must(w.T, err)
			covers["revision"] = revision + by
			text, err := json.Marshal(d)
			must(w.T, err)
			w.events[at].Data = text
		}
	}
}

// bytes is the certificate of a serial.
func (w *twin) bytes(serial string) []byte {
	w.Helper()
	r := w.events[w.index("certificate-"+serial, issued)]
	d := w.data(r)
	if text, clear := d["public"].(string); clear {
		der, err := base64.StdEncoding.DecodeString(text)
		must(w.T, err)
		return der
	}
	sealed := d["certificate"].(map[string]any)
	text, err := base64.StdEncoding.DecodeString(sealed["sealed"].(string))
	must(w.T, err)
	place := event.PlaceOf(r.Stream, r.Type)
	plain, err := w.keeper.Open(w.Context(), event.Subject(sealed["subject"].(string)), place, text)
	must(w.T, err)
	var held struct{ DER []byte }
	must(w.T, json.Unmarshal(plain, &held))
	return held.DER
}

// store replaces the bytes of a certificate, and nothing else.
func (w *twin) store(serial string, der []byte) {
	w.Helper()
	stream, name := "certificate-"+serial, issued
	w.edit(stream, name, func(d map[string]any) {
		if _, clear := d["public"]; clear {
			d["public"] = der
			return
		}
		sealed := d["certificate"].(map[string]any)
		plain, err := json.Marshal(map[string]any{"der": der})
		must(w.T, err)
		text, err := w.keeper.Seal(w.Context(), event.Subject(sealed["subject"].(string)), event.PlaceOf(event.Stream(stream), name), plain)
		must(w.T, err)
		sealed["sealed"] = text
	})
}

// name gives the certificate's fingerprint to everybody who names it.
func (w *twin) name(serial string, der []byte) {
	w.Helper()
	w.set("certificate-"+serial, issued, "fingerprint", sum(der))
	for n, r := range w.events {
		if (r.Type == "enrollment.issued.v1" || r.Type == "credential.issued.v1") && w.data(r)["serial"] == serial {
			w.set(string(w.events[n].Stream), r.Type, "fingerprint", sum(der))
		}
	}
}

// reissue signs a certificate anew, with other bytes to be signed.
func (w *twin) reissue(serial string, change func([]byte) []byte) {
	w.Helper()
	c, err := x509.ParseCertificate(w.bytes(serial))
	must(w.T, err)
	der := w.signed(w.seatOf(serial).key, c, change(bytes.Clone(c.RawTBSCertificate)))
	w.store(serial, der)
	w.name(serial, der)
}

// intended has what was signed intended so.
func (w *twin) intended(serial string) {
	w.Helper()
	c, err := x509.ParseCertificate(w.bytes(serial))
	must(w.T, err)
	w.set("certificate-"+serial, intended, "tbsSha256", sum(c.RawTBSCertificate))
}

func (w *twin) signed(key crypto.Signer, c *x509.Certificate, tbs []byte) []byte {
	w.Helper()
	var outer struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	_, err := asn1.Unmarshal(c.Raw, &outer)
	must(w.T, err)
	hash := map[x509.SignatureAlgorithm]crypto.Hash{
		x509.SHA256WithRSA: crypto.SHA256, x509.ECDSAWithSHA256: crypto.SHA256, x509.ECDSAWithSHA384: crypto.SHA384,
	}[c.SignatureAlgorithm]
	h := hash.New()
	h.Write(tbs)
	signature, err := key.Sign(rand.Reader, h.Sum(nil), hash)
	must(w.T, err)
	outer.TBS = asn1.RawValue{FullBytes: tbs}
	outer.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	der, err := asn1.Marshal(outer)
	must(w.T, err)
	return der
}

// relist signs an issuer's revocation list anew, and has it recorded.
func (w *twin) relist(s *seat) {
	w.Helper()
	template := x509.RevocationList{
		Number: s.list.Number, ThisUpdate: s.list.ThisUpdate, NextUpdate: s.list.NextUpdate,
		RevokedCertificateEntries: s.list.RevokedCertificateEntries,
	}
	der, err := x509.CreateRevocationList(rand.Reader, &template, s.issuer, s.key)
	must(w.T, err)
	s.der = der
	for n, r := range w.events {
		if r.Stream.ID() == sum(s.issuer.Raw) && strings.HasPrefix(r.Type, "crl.signed.") && fmt.Sprint(w.data(r)["number"]) == s.list.Number.String() {
			d := w.data(r)
			d["sha256"] = sum(der)
			text, err := json.Marshal(d)
			must(w.T, err)
			w.events[n].Data = text
		}
	}
}

// rehash has the officer confirm what the request's stream is now.
func (w *twin) rehash() {
	w.Helper()
	stream := "enrollment-" + w.request
	var seen []event.Recorded
	for _, r := range w.events {
		if r.Type == confirmed {
			break
		}
		if string(r.Stream) == stream {
			r.Revision = uint64(len(seen))
			seen = append(seen, r)
		}
	}
	record := enrollment.RecordOf(seen)
	w.set(stream, confirmed, "recordHash", record.Hash)
	w.set(stream, confirmed, "recordRevision", record.Revision)
	intent := func(path string, value any) {
		w.set("certificate-"+w.applicant, intended, path, value)
	}
	intent("record.hash", record.Hash)
	intent("record.revision", record.Revision)
	intent("confirmation.revision", record.Revision+1)
	w.trusts = true // nobody here has his token
}

// log tells everything to a log in memory.
func (w *twin) log() *memlog.Log {
	w.Helper()
	l, revisions := memlog.New(), map[event.Stream]event.Expected{}
	for n, r := range w.events {
		expected, known := revisions[r.Stream]
		if !known {
			expected = event.NoStream
		}
		_, err := l.Append(w.Context(), r.Stream, expected, event.Proposed{ID: event.DeriveID("twin", fmt.Sprint(n)), Type: r.Type, Data: r.Data, Meta: r.Meta})
		must(w.T, err)
		revisions[r.Stream] = expected + 1
	}
	return l
}

// public is what relying parties are told of an issuer.
type public struct {
	*twin
	of *seat
}

func (p public) List(context.Context) ([]byte, error) {
	if p.of.der == nil {
		return nil, errors.New("there is none")
	}
	return p.of.der, nil
}

func (w *twin) Status(_ context.Context, serial *big.Int) (auditor.Answer, error) {
	a, ok := w.says[hex.EncodeToString(serial.Bytes())]
	if !ok {
		a.State = auditor.Unknown
	}
	return a, nil
}
