package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"govahi/adapters/cms"
	"govahi/adapters/pki"
	"govahi/adapters/relying"
	"govahi/domain/event"
	"govahi/queries/auditor"
)

// lenient takes every officer's signature for good.
type lenient struct{ cms.Verifier }

func (lenient) Check(_, _, _ []byte) error { return nil }

// audited are the differences that are found, and the summary.
func (w *twin) audited() ([]string, auditor.Summary) {
	w.Helper()
	standards, err := pki.Relint()
	must(w.T, err)
	found, told := map[string]bool{}, 0
	a := auditor.Audit{
		Log: w.log(), Keeper: w.keeper, Signatures: cms.Verifier{}, Lints: []auditor.Lint{standards, auditor.Rules},
		Issuers: []auditor.Authority{w.authority(w.seat), w.authority(w.newer)},
		Clock:   func() time.Time { return now().Add(w.later) }, Differs: func(d auditor.Difference) {
			w.Log(d)
			found[w.called(d.Serial)+" "+d.Kind] = true
			told++
		},
	}
	if w.trusts {
		a.Signatures = lenient{}
	}
	s, err := a.Run(w.Context())
	must(w.T, err)
	if s.Total() != told {
		w.Errorf("%d differences are counted, %d are told", s.Total(), told)
	}
	return slices.Sorted(maps.Keys(found)), s
}

// called is what a serial is called here.
func (w *twin) called(serial string) string {
	switch serial {
	case "":
		return "house"
	case w.applicant:
		return "applicant"
	case w.officer:
		return "officer"
	case w.other:
		return "other"
	case w.responder:
		return "responder"
	case w.heir:
		return "heir"
	case w.former:
		return "former"
	case w.renewal:
		return "renewal"
	case w.delegate:
		return "delegate"
	}
	return "forged"
}

// mutant is a log in which something is not as it must be.
type mutant struct {
	name   string
	change func(*twin)
	found  []string // all that is, in order
}

// TestEachDifferenceIsFoundAndNothingElse changes the log of a healthy house at
// one place after the other.
func TestEachDifferenceIsFoundAndNothingElse(t *testing.T) {
	healthy := healthyTwin(t)
	if found, s := healthy.audited(); len(found) > 0 || s.Checked < 9 || s.Listed != 3 || s.Erased != 0 {
		t.Fatalf("the healthy house has the differences %v: %+v", found, s)
	}
	kinds := map[string]bool{}
	for _, m := range slices.Concat(ofSigning(), ofBytes(), ofRecord(), ofOfficers(), ofFee(), ofToken(), ofRenewal(), ofPublished(), ofIssuers()) {
		t.Run(m.name, func(t *testing.T) {
			w := healthy.copied(t)
			m.change(w)
			found, _ := w.audited()
			if diff := cmp.Diff(m.found, found); diff != "" {
				t.Errorf("-expected +found:\n%s", diff)
			}
		})
		for _, f := range m.found {
			_, kind, _ := strings.Cut(f, " ")
			kinds[kind] = true
		}
	}
	for _, kind := range auditor.Kinds {
		if !kinds[kind] {
			t.Errorf("no log here has the difference %q", kind)
		}
	}
	t.Run("erased", func(t *testing.T) { erased(t, healthy) })
}

// healthyTwin tells both channels' stories in a real house, with a suspension and
// its lifting, and takes its log over. Between them a further issuer comes.
func healthyTwin(t *testing.T) *twin {
	soon := soonRenewed(t)
	i := begin(t, dataDir(t), soon)
	s := telling(t, i, "story")
	for _, part := range [][]step{
		s.untilSubmitted(), s.untilConfirmed(), s.untilActive(), s.whileSuspended(), s.whenLifted(), s.untilRevoked(),
	} {
		must(t, s.tell(t.Context(), part))
	}
	r := telling(t, i, "renewing")
	for _, part := range [][]step{r.untilSubmitted(), r.untilConfirmed(), r.untilActive(), r.untilRenewed()} {
		must(t, r.tell(t.Context(), part))
	}
	i.succeeds(t, soon)
	b := s.inside()
	for _, part := range [][]step{b.untilControlledInside(), {b.confirmation()}, b.untilActiveInside(), b.untilLost()} {
		must(t, b.tell(t.Context(), part))
	}
	if out, err := i.govahi(t, "", "audit", "certificates"); err != nil {
		t.Errorf("by the program: %v\n%s", err, out)
	}
	a := attached{Data: i.dir}
	app, done, err := a.app(t.Context())
	must(t, err)
	t.Cleanup(done)
	authorities, err := openAuthorities(a.caDir(data{dir: i.dir}), "http://"+i.listen, "")
	must(t, err)
	var of []real
	says := map[string]auditor.Answer{}
	for n, one := range authorities {
		listAt, responderAt, itselfAt := one.Addresses()
		party := relying.New(listAt, responderAt, one.Certificate())
		t.Cleanup(party.Close)
		list := listed(t, party, 2-n) // of the first one also what was renewed
		of = append(of, real{one.Certificate(), list, listAt, responderAt, itselfAt})
		answers(t, app.Log, party, one.Issuer(), says)
	}
	events, err := event.ReadBatch(t.Context(), app.Log, 0, 1<<20)
	must(t, err)
	return twinOf(t, events, app.Keeper, of[0], of[1], says)
}

// soonRenewed is a setting of a house whose certificates may be renewed at once.
func soonRenewed(t *testing.T) string {
	dir := t.TempDir()
	must(t, renewable(dir))
	return "GOVAHI_PROFILES=" + dir
}

// listed awaits a list of so many lines.
func listed(t *testing.T, party *relying.Party, lines int) (der []byte) {
	await(t, "the revocation is listed", func() bool {
		var err error
		der, err = party.List(t.Context())
		list, wrong := x509.ParseRevocationList(der)
		return err == nil && wrong == nil && len(list.RevokedCertificateEntries) == lines
	})
	return der
}

// answers adds what an issuer's responder says of its certificates.
func answers(t *testing.T, log event.Log, party *relying.Party, issuer string, says map[string]auditor.Answer) {
	events, err := event.ReadBatch(t.Context(), log, 0, 1<<20)
	must(t, err)
	revoked := map[event.Stream]bool{}
	for _, r := range events {
		revoked[r.Stream] = revoked[r.Stream] || strings.HasPrefix(r.Type, "certificate.revoked.")
	}
	for _, r := range events {
		if r.Type == intended && strings.Contains(string(r.Data), `"issuer":"`+issuer+`"`) {
			number, _ := new(big.Int).SetString(r.Stream.ID(), 16)
			await(t, "the answer", func() bool {
				says[r.Stream.ID()], err = party.Status(t.Context(), number)
				must(t, err)
				return says[r.Stream.ID()].State == auditor.Revoked || !revoked[r.Stream]
			})
		}
	}
}

const (
	intended  = "certificate.issuance-intended.v2"
	issued    = "certificate.issued.v2"
	confirmed = "enrollment.information-confirmed.v2"
)

func (w *twin) own() string     { return "certificate-" + w.applicant }
func (w *twin) asked() string   { return "enrollment-" + w.request }
func (w *twin) ordered() string { return "fee-" + w.request }

// found in the log of a single event.
func (w *twin) field(stream, name, field string) string {
	w.Helper()
	text, _ := w.data(w.events[w.index(stream, name)])[field].(string)
	return text
}

func (w *twin) token() string { return "token-" + w.field(w.own(), intended, "token") }

const fresh = "67fedcba98765432100123456789abcdef01"

func ofSigning() []mutant {
	return []mutant{
		{"never intended", func(w *twin) { w.drop(w.own(), intended) }, []string{"applicant intent"}},
		{"signed without a start", func(w *twin) { w.drop(w.own(), "certificate.signing-started.v1") }, []string{"applicant signing"}},
		{"signed twice", func(w *twin) { w.repeat(w.own(), "certificate.signing-started.v1") }, []string{"applicant signing"}},
		{"issued twice", func(w *twin) { w.repeat(w.own(), issued) }, []string{"applicant serial-twice"}},
		{"abandoned and alive", func(w *twin) {
			w.insert(len(w.events), "certificate-"+fresh, "certificate.issuance-abandoned.v1", map[string]any{"serial": fresh})
		}, []string{"forged abandoned"}},
		{"abandoned as it must be", func(w *twin) {
			w.insert(len(w.events), "certificate-"+fresh, "certificate.issuance-abandoned.v1", map[string]any{"serial": fresh})
			at := now()
			w.insert(len(w.events), "certificate-"+fresh, "certificate.revoked.v2", map[string]any{"serial": fresh, "reason": "superseded", "at": at})
			w.says[fresh] = auditor.Answer{State: auditor.Revoked, Reason: 4, At: at, By: w.responder}
		}, nil},
		{"never finished", func(w *twin) {
			w.insert(len(w.events), "certificate-"+fresh, intended, map[string]any{"serial": fresh, "at": now().Add(-2 * time.Hour)})
		}, []string{"forged unfinished"}},
		{"under way", func(w *twin) {
			w.insert(len(w.events), "certificate-"+fresh, intended, map[string]any{"serial": fresh})
		}, nil},
	}
}

func ofBytes() []mutant {
	return []mutant{
		{"sealed for elsewhere", func(w *twin) { w.set(w.own(), issued, "certificate.place", "elsewhere") }, []string{"applicant unreadable"}},
		{"other bytes", func(w *twin) { w.store(w.applicant, w.bytes(w.officer)) }, []string{"applicant fingerprint"}},
		{"other bytes than intended", func(w *twin) { w.reissue(w.applicant, swap("http://", "htTp://")) }, []string{"applicant tbs"}},
		{"a forged signature", func(w *twin) {
			der := bytes.Clone(w.bytes(w.applicant))
			der[len(der)-1] ^= 1
			w.store(w.applicant, der)
			w.name(w.applicant, der)
		}, []string{"applicant signature"}},
		{"of another issuer", func(w *twin) { w.set(w.own(), intended, "issuer", "another") }, []string{"applicant issuer"}},
		{"another serial inside", func(w *twin) {
			inside, _ := hex.DecodeString(w.applicant)
			outside, _ := hex.DecodeString(fresh)
			w.rewrite(w.applicant, string(inside), string(outside))
		}, []string{"applicant serial"}},
		{"another key inside", func(w *twin) { w.rewrite(w.other, spkiOf(w, w.other), newKey(w)) }, []string{"other key"}},
		{"the key of another", func(w *twin) {
			w.rewrite(w.other, spkiOf(w, w.other), spkiOf(w, w.officer))
			key := w.field("certificate-"+w.officer, intended, "keyHash")
			w.set("certificate-"+w.other, intended, "keyHash", key)
			record := w.data(w.events[w.index("certificate-"+w.other, intended)])["record"].(map[string]any)
			w.set(record["stream"].(string), "credential.requested.v1", "keyHash", key)
		}, []string{"other key-twice"}},
		{"a key that another request claimed", func(w *twin) {
			w.set("key-"+w.field(w.own(), intended, "keyHash"), "key.claimed.v1", "request", "enrollment-140500000000")
		}, []string{"applicant key-twice"}},
		{"of another profile", func(w *twin) { w.set(w.own(), issued, "profile", "stamp@1") }, []string{"applicant profile"}},
		{"of a profile that was changed", func(w *twin) { w.set(w.own(), intended, "profileSha256", "0") }, []string{"applicant profile"}},
		{"a longer validity in the log", func(w *twin) { w.set(w.own(), issued, "notAfter", now().AddDate(9, 0, 0)) }, []string{"applicant validity"}},
		{"a longer validity inside", func(w *twin) {
			c, err := x509.ParseCertificate(w.bytes(w.applicant))
			must(w.T, err)
			w.rewrite(w.applicant, c.NotAfter.Format("060102150405Z"), c.NotAfter.AddDate(0, 0, 1).Format("060102150405Z"))
		}, []string{"applicant validity"}},
		{"against the rules", func(w *twin) { w.rewrite(w.applicant, "http://", "htxp://") }, []string{"applicant address", "applicant lint"}},
		{"another list", func(w *twin) { w.rewrite(w.applicant, w.listAt, w.listAt[:len(w.listAt)-1]+"1") }, []string{"applicant address"}},
		{"another responder", func(w *twin) { w.rewrite(w.officer, w.responderAt, w.responderAt[:len(w.responderAt)-1]+"q") }, []string{"officer address"}},
		{"another issuer's certificate", func(w *twin) { w.rewrite(w.responder, w.itselfAt, w.itselfAt[:len(w.itselfAt)-1]+"t") }, []string{"responder address"}},
		{"not the elder issuer's certificate", func(w *twin) { w.newer.itselfAt = w.itselfAt }, []string{"delegate address", "heir address"}},
		{"not the elder issuer's list", func(w *twin) { w.newer.listAt = w.listAt }, []string{"heir address"}},
		{"not the elder issuer's responder", func(w *twin) { w.newer.responderAt = w.responderAt }, []string{"heir address"}},
		{"the issuers' addresses unknown", func(w *twin) { w.newer.listAt, w.newer.responderAt, w.newer.itselfAt = "", "", "" }, nil},
		{"about somebody else", func(w *twin) { w.set(w.own(), issued, "subject", "somebody") }, []string{"applicant subject"}},
	}
}

func swap(old, new string) func([]byte) []byte {
	return func(tbs []byte) []byte { return bytes.ReplaceAll(tbs, []byte(old), []byte(new)) }
}

// rewrite has other bytes of the same length signed, and intended.
func (w *twin) rewrite(serial, old, new string) {
	w.Helper()
	if len(old) != len(new) || !bytes.Contains(w.bytes(serial), []byte(old)) {
		w.Fatalf("%x cannot become %x", old, new)
	}
	w.reissue(serial, swap(old, new))
	w.intended(serial)
}

func spkiOf(w *twin, serial string) string {
	c, err := x509.ParseCertificate(w.bytes(serial))
	must(w.T, err)
	return string(c.RawSubjectPublicKeyInfo)
}

// newKey is one of an officer's kind.
func newKey(w *twin) string {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(w.T, err)
	spki, err := x509.MarshalPKIXPublicKey(k.Public())
	must(w.T, err)
	return string(spki)
}

func ofRecord() []mutant {
	return []mutant{
		{"another record", func(w *twin) { w.set(w.own(), intended, "record.hash", strings.Repeat("0", 64)) }, []string{"applicant record"}},
		{"a changed record", func(w *twin) {
			w.set(w.asked(), "enrollment.document-sighted.v1", "at", now())
		}, []string{"applicant record"}},
		{"no confirmation", func(w *twin) { w.set(w.own(), intended, "confirmation.revision", 1) }, []string{"applicant confirmation"}},
		{"a confirmation taken back", func(w *twin) {
			w.insert(w.index(w.asked(), "enrollment.issuance-requested.v1"), w.asked(), "enrollment.correction-requested.v1", map[string]any{"fields": []string{"city"}})
		}, []string{"applicant confirmation"}},
		{"no e-mail", func(w *twin) { w.drop(w.asked(), "enrollment.email-confirmed.v1"); w.rehash() }, []string{"applicant control"}},
		{"an open control", func(w *twin) {
			w.insert(w.index(w.asked(), confirmed), w.asked(), "enrollment.control-required.v1", map[string]any{"control": "address", "by": "p-x"})
			w.rehash()
		}, []string{"applicant control"}},
		{"an older form", func(w *twin) { w.set(w.asked(), "enrollment.liability-accepted.v1", "formVersion", 7); w.rehash() }, []string{"applicant control"}},
		{"two eyes", func(w *twin) {
			w.set(w.asked(), "enrollment.document-sighted.v1", "by", w.field(w.asked(), confirmed, "by"))
			w.rehash()
		}, []string{"applicant four-eyes"}},
		{"his own word", func(w *twin) {
			w.set(w.asked(), "enrollment.form-completed.v2", "person", w.field(w.asked(), confirmed, "by"))
			w.rehash()
		}, []string{"applicant four-eyes", "applicant subject"}},
		{"another attempt", func(w *twin) { w.set(w.asked(), "enrollment.issuance-attempted.v1", "serial", fresh) }, []string{"applicant request"}},
		{"another certificate noted", func(w *twin) { w.set(w.asked(), "enrollment.issued.v1", "serial", fresh) }, []string{"applicant request"}},
	}
}

func ofOfficers() []mutant {
	return []mutant{
		{"not signed", func(w *twin) { w.set(w.asked(), confirmed, "signature", "") }, []string{"applicant ra-signature"}},
		{"signed for something else", func(w *twin) {
			w.set(w.asked(), confirmed, "recordRevision", 3)
		}, []string{"applicant ra-signature", "applicant record"}},
		{"signed by another", func(w *twin) { w.set(w.asked(), confirmed, "certificate", w.applicant) }, []string{"applicant ra-certificate"}},
		{"signed by an ended certificate", func(w *twin) {
			w.set("certificate-"+w.officer, issued, "notAfter", now().Add(-time.Hour))
		}, []string{"applicant ra-certificate", "former ra-certificate", "heir ra-certificate", "officer validity", "renewal ra-certificate"}},
		{"dismissed before", func(w *twin) {
			by := w.field(w.asked(), confirmed, "by")
			w.insert(w.index(w.asked(), confirmed), "appointment-"+by, "appointment.dismissed.v1",
				map[string]any{"role": "registration-officer", "place": w.field(w.asked(), confirmed, "office")})
		}, []string{"applicant appointment", "former appointment", "heir appointment", "renewal appointment"}},
		{"without a licence", func(w *twin) {
			w.set("office-"+w.field(w.asked(), confirmed, "office"), "office.licensed.v1", "until", now().Add(-time.Hour))
		}, []string{"applicant licence", "former licence", "heir licence", "renewal licence"}},
		{"vouched for by himself", func(w *twin) {
			record := w.data(w.events[w.index("certificate-"+w.other, intended)])["record"].(map[string]any)
			w.set(record["stream"].(string), "credential.approved.v1", "by", w.field("certificate-"+w.other, intended, "subject"))
		}, []string{"other vouched"}},
		{"vouched for by nobody in office", func(w *twin) {
			record := w.data(w.events[w.index("certificate-"+w.other, intended)])["record"].(map[string]any)
			w.set(record["stream"].(string), "credential.approved.v1", "by", "somebody")
		}, []string{"other appointment"}},
		{"a responder of nobody", func(w *twin) {
			w.set("delegation-"+sum(w.issuer.Raw), "delegation.attempted.v1", "serial", fresh)
		}, []string{"responder delegation"}},
	}
}

func ofFee() []mutant {
	return []mutant{
		{"another's fee", func(w *twin) { w.set(w.ordered(), "fee.raised.v1", "request", "enrollment-140500000000") }, []string{"applicant fee"}},
		{"unpaid", func(w *twin) { w.drop(w.ordered(), "fee.settled.v2") }, []string{"applicant fee"}},
		{"paid twice", func(w *twin) { w.repeat(w.ordered(), "fee.settled.v2") }, []string{"applicant fee-twice"}},
		{"too little", func(w *twin) { w.set(w.ordered(), "fee.settled.v2", "payment.amountRial", 1) }, []string{"applicant fee-amount"}},
		{"not the tariff", func(w *twin) {
			w.set(w.ordered(), "fee.raised.v1", "amountRial", 1)
			w.set(w.ordered(), "fee.settled.v2", "payment.amountRial", 1)
		}, []string{"applicant fee-amount"}},
		{"a tariff not yet in force", func(w *twin) {
			w.set("tariff-cpmis-signature", "tariff.published.v2", "validFrom", now().Add(time.Hour))
		}, []string{"applicant fee-amount", "former fee-amount", "heir fee-amount", "renewal fee-amount"}},
		{"another's reference", func(w *twin) {
			w.set(fmt.Sprintf("settlement-%s-%s", w.bank(), w.payment()["rrn"]), "settlement.claimed.v1", "order", "140500000000")
		}, []string{"applicant fee-reference"}},
		{"settled when the bank was not named", func(w *twin) { w.unnamed() }, nil},
		{"settled so at another bank, too", func(w *twin) {
			rrn := w.unnamed()
			w.insert(0, "settlement-otherbank-"+rrn, "settlement.claimed.v1", map[string]any{"order": "140500000000"})
		}, nil},
		{"settled so by another's reference", func(w *twin) {
			w.set("settlement-"+w.bank()+"-"+w.unnamed(), "settlement.claimed.v1", "order", "140500000000")
		}, []string{"applicant fee-reference"}},
		{"settled so without a claim", func(w *twin) { w.drop("settlement-"+w.bank()+"-"+w.unnamed(), "settlement.claimed.v1") }, []string{"applicant fee-reference"}},
		{"a contract of nobody", func(w *twin) { w.byContract("contract-10999000000") }, []string{"applicant fee-contract"}},
		{"a contract that ended", func(w *twin) {
			w.concluded(w.byContract(w.company()))
			w.insert(w.index(w.ordered(), "fee.settled.v2"), w.company(), "contract.ended.v1", map[string]any{"number": "1"})
		}, []string{"applicant fee-contract", "heir fee-contract"}},
		{"a contract in force", func(w *twin) { w.concluded(w.byContract(w.company())) }, nil},
	}
}

func (w *twin) payment() map[string]any {
	return w.data(w.events[w.index(w.ordered(), "fee.settled.v2")])["payment"].(map[string]any)
}

// bank is what the settlement of the story names.
func (w *twin) bank() string {
	for _, r := range w.events {
		if bank, _, _ := strings.Cut(r.Stream.ID(), "-"); r.Type == "settlement.claimed.v1" && w.data(r)["order"] == w.request {
			return bank
		}
	}
	w.Fatal("no settlement")
	return ""
}

// unnamed gives the settlement its first shape, and tells the reference.
func (w *twin) unnamed() (rrn string) {
	rrn = w.payment()["rrn"].(string)
	w.edit(w.ordered(), "fee.settled.v2", func(d map[string]any) { delete(d["payment"].(map[string]any), "provider") })
	w.events[w.index(w.ordered(), "fee.settled.v2")].Type = "fee.settled.v1"
	return rrn
}

func (w *twin) company() string {
	return "contract-" + w.field(w.asked(), "enrollment.form-completed.v2", "organization")
}

func (w *twin) byContract(stream string) string {
	w.set(w.ordered(), "fee.settled.v2", "payment.mode", "contract")
	w.set(w.ordered(), "fee.settled.v2", "payment.contract", stream+"@0")
	return stream
}

func (w *twin) concluded(stream string) {
	w.insert(0, stream, "contract.concluded.v1", map[string]any{"number": "1", "until": now().Add(time.Hour)})
}

func ofToken() []mutant {
	return []mutant{
		{"another's token", func(w *twin) { w.set(w.token(), "token.reserved.v1", "request", "enrollment-140500000000") }, []string{"applicant token"}},
		{"another certificate on it", func(w *twin) { w.set(w.token(), "token.personalised.v1", "certificate", fresh) }, []string{"applicant token"}},
		{"on its way", func(w *twin) { w.travels("post", true, "origin", "unit") }, nil},
		{"no receipt", func(w *twin) { w.travels("post", false, "origin") }, []string{"applicant custody"}},
		{"handed over by who has it not", func(w *twin) {
			w.travels("post", true, "origin")
			w.set(w.token(), "token.handed-over.v1", "from", "elsewhere")
		}, []string{"applicant custody"}},
		{"received elsewhere", func(w *twin) {
			w.travels("post", true, "origin")
			w.set(w.token(), "token.received.v1", "place", "elsewhere")
		}, []string{"applicant custody"}},
		{"a broken seal, and delivered", func(w *twin) {
			w.travels("post", true, "origin")
			w.set(w.token(), "token.received.v1", "sealIntact", false)
		}, []string{"applicant custody"}},
		{"a seal that was broken after all, and delivered", func(w *twin) {
			w.travels("post", true, "origin")
			w.insert(w.index(w.token(), "token.delivered.v1"), w.token(), "token.received.v1", map[string]any{"place": "origin", "sealIntact": false})
		}, []string{"applicant custody"}},
		{"received twice", func(w *twin) {
			w.travels("post", true, "origin")
			w.insert(w.index(w.token(), "token.delivered.v1"), w.token(), "token.received.v1", map[string]any{"place": "origin", "sealIntact": true})
		}, []string{"applicant custody"}},
		{"with its PIN", func(w *twin) { w.travels("origin", true, "origin") }, []string{"applicant pin"}},
		{"no PIN", func(w *twin) { w.travels("", true, "origin") }, []string{"applicant pin"}},
		{"of channel B, with its PIN", func(w *twin) {
			w.set("token-"+w.field("certificate-"+w.heir, intended, "token"), "token.pin-issued.v1", "via", sampleAuthority)
		}, []string{"heir pin"}},
		{"of channel B, received elsewhere", func(w *twin) {
			w.set("token-"+w.field("certificate-"+w.heir, intended, "token"), "token.received.v1", "place", sampleOffice)
		}, []string{"heir custody"}},
		{"lost, and its certificate in force", func(w *twin) { w.gone(w.renewal, "token.lost.v1", -2*time.Hour) }, []string{"renewal custody"}},
		{"lost a moment ago", func(w *twin) { w.gone(w.renewal, "token.lost.v1", 0) }, nil},
		{"lost, and its certificate revoked", func(w *twin) { w.gone(w.applicant, "token.lost.v1", -2*time.Hour) }, nil},
		{"delivered to another", func(w *twin) { w.set(w.token(), "token.delivered.v1", "to", "somebody") }, []string{"applicant delivery"}},
		{"delivered without identity", func(w *twin) {
			w.set(w.asked(), "enrollment.delivered.v2", "identityChecked", "letter")
		}, []string{"applicant delivery"}},
	}
}

// gone says of a certificate's token that it is no more where it was.
func (w *twin) gone(serial, name string, since time.Duration) {
	token := "token-" + w.field("certificate-"+serial, intended, "token")
	w.insert(len(w.events), token, name, map[string]any{"by": "somebody", "at": now().Add(w.later + since)})
}

// travels sends the token over places before it is delivered.
func (w *twin) travels(pin string, receipts bool, over ...string) {
	at := w.index(w.token(), "token.delivered.v1")
	from := w.field(w.token(), "token.received-in-stock.v1", "office")
	put := func(name string, data map[string]any) {
		w.insert(at, w.token(), name, data)
		at++
	}
	if pin != "" {
		put("token.pin-issued.v1", map[string]any{"envelope": "1", "via": pin})
	}
	for _, to := range over {
		put("token.handed-over.v1", map[string]any{"from": from, "to": to, "seal": "1"})
		if receipts {
			put("token.received.v1", map[string]any{"place": to, "sealIntact": true})
		}
		from = to
	}
}

func ofPublished() []mutant {
	line := func(w *twin) *x509.RevocationListEntry {
		all := w.list.RevokedCertificateEntries
		return &all[slices.IndexFunc(all, func(e x509.RevocationListEntry) bool { return e.SerialNumber.Text(16) == w.applicant })]
	}
	add := func(w *twin, serial string) {
		n, _ := new(big.Int).SetString(serial, 16)
		w.list.RevokedCertificateEntries = append(w.list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: now(), ReasonCode: 1})
	}
	return []mutant{
		{"not listed", func(w *twin) { w.list.RevokedCertificateEntries = nil; w.relist(w.seat) }, []string{"applicant crl-missing", "former crl-missing"}},
		{"listed for nothing", func(w *twin) { add(w, w.officer); w.relist(w.seat) }, []string{"officer crl-surplus"}},
		{"listed and unknown", func(w *twin) { add(w, fresh); w.relist(w.seat) }, []string{"forged crl-unknown"}},
		{"another reason", func(w *twin) { line(w).ReasonCode = 5; w.relist(w.seat) }, []string{"applicant crl-reason"}},
		{"another date", func(w *twin) { line(w).RevocationTime = now().Add(-time.Hour); w.relist(w.seat) }, []string{"applicant crl-date"}},
		{"not the list that was signed", func(w *twin) {
			w.der = bytes.Clone(w.der)
			w.set("crl-"+sum(w.issuer.Raw), w.events[w.lastList()].Type, "sha256", strings.Repeat("0", 64))
		}, []string{"house crl"}},
		{"an older list than was signed", func(w *twin) {
			w.insert(len(w.events), "crl-"+sum(w.issuer.Raw), w.events[w.lastList()].Type, map[string]any{"number": 1000, "at": now().Add(-time.Hour)})
		}, []string{"house crl"}},
		{"a list on its way", func(w *twin) {
			w.insert(len(w.events), "crl-"+sum(w.issuer.Raw), w.events[w.lastList()].Type, map[string]any{"number": 1000})
		}, nil},
		{"a list that covers what never was", func(w *twin) { w.shift("certificate-"+w.former, 1) }, []string{"house crl"}},
		{"an answer that all is well", func(w *twin) {
			w.says[w.applicant] = auditor.Answer{State: auditor.Good, By: w.responder}
		}, []string{"applicant ocsp"}},
		{"an answer that is a little behind", func(w *twin) {
			w.later = 0
			w.says[w.applicant] = auditor.Answer{State: auditor.Good, By: w.responder}
			w.set(w.own(), "certificate.revoked.v2", "at", now())
			line(w).RevocationTime = now()
			w.relist(w.seat)
		}, nil},
		{"an answer that nothing is known", func(w *twin) { delete(w.says, w.officer) }, []string{"officer ocsp"}},
		{"answers by a stranger", func(w *twin) {
			a := w.says[w.officer]
			a.By = fresh
			w.says[w.officer] = a
		}, []string{"house ocsp"}},
	}
}

// ofIssuers are differences between two of them.
func ofIssuers() []mutant {
	line := func(s *seat) *[]x509.RevocationListEntry { return &s.list.RevokedCertificateEntries }
	ends := func(w *twin, s *seat, name string, at time.Time) {
		w.insert(0, "issuer-"+sum(s.issuer.Raw), name, map[string]any{"at": at})
	}
	return []mutant{
		{"signed by another issuer than intended", func(w *twin) {
			c, err := x509.ParseCertificate(w.bytes(w.heir))
			must(w.T, err)
			der := w.signed(w.key, c, c.RawTBSCertificate)
			w.store(w.heir, der)
			w.name(w.heir, der)
		}, []string{"heir signature"}},
		{"intended by another issuer than it names", func(w *twin) {
			w.set("certificate-"+w.heir, intended, "issuer", sum(w.issuer.Raw))
			w.set("certificate-"+w.heir, issued, "issuer", sum(w.issuer.Raw))
			w.reissue(w.heir, func(tbs []byte) []byte { return tbs })
		}, []string{"heir address", "heir crl-surplus", "heir issuer", "house ocsp"}},
		{"issued in another's name", func(w *twin) {
			w.set("certificate-"+w.heir, issued, "issuer", sum(w.issuer.Raw))
		}, []string{"heir issuer"}},
		{"not on the newer's list", func(w *twin) { *line(w.newer) = nil; w.relist(w.newer) }, []string{"heir crl-missing"}},
		{"on the elder's list, too", func(w *twin) {
			*line(w.seat) = append(*line(w.seat), *line(w.newer)...)
			w.relist(w.seat)
		}, []string{"heir crl-surplus"}},
		{"the elder's list in the newer's place", func(w *twin) {
			w.newer.der = w.der
		}, []string{"applicant crl-surplus", "former crl-surplus", "heir crl-missing", "house crl"}},
		{"no list of the newer", func(w *twin) {
			w.newer.der = nil
			w.drop("crl-"+sum(w.newer.issuer.Raw), w.events[w.lastList()].Type)
			w.set("certificate-"+w.heir, "certificate.revoked.v2", "at", now().Add(-2*time.Hour))
			w.says[w.heir] = auditor.Answer{State: auditor.Revoked, Reason: w.says[w.heir].Reason, At: now().Add(-2 * time.Hour), By: w.delegate}
		}, []string{"house crl"}},
		{"the newer's responder says that all is well", func(w *twin) {
			w.says[w.heir] = auditor.Answer{State: auditor.Good, By: w.delegate}
		}, []string{"heir ocsp"}},
		{"answers by the elder's responder", func(w *twin) {
			a := w.says[w.heir]
			a.By = w.responder
			w.says[w.heir] = a
		}, []string{"house ocsp"}},
		{"issued after its issuer retired", func(w *twin) {
			ends(w, w.newer, "issuer.retired.v1", now().Add(-time.Hour))
		}, []string{"heir issuer-ended"}},
		{"issued after its key was compromised", func(w *twin) {
			ends(w, w.newer, "issuer.compromised.v1", now().Add(-time.Hour))
		}, []string{"delegate issuer-ended", "heir issuer-ended"}},
		{"trusted though its issuer's key is compromised", func(w *twin) {
			w.later = 2 * time.Hour
			ends(w, w.seat, "issuer.compromised.v1", now())
		}, []string{"forged issuer-ended", "officer issuer-ended", "other issuer-ended", "renewal issuer-ended"}},
		{"under way when its issuer retired", func(w *twin) {
			ends(w, w.newer, "issuer.retired.v1", now().Add(-5*time.Minute))
		}, nil},
	}
}

// lastList is where the present list was recorded.
func (w *twin) lastList() int {
	for n, r := range slices.Backward(w.events) {
		if strings.HasPrefix(r.Type, "crl.signed.v") {
			return n
		}
	}
	w.Fatal("no list")
	return 0
}

// forgetful is a vault in which a person was erased.
type forgetful struct {
	event.Keeper
	erased event.Subject
}

func (k forgetful) Open(ctx context.Context, s event.Subject, place string, sealed []byte) ([]byte, error) {
	if s == k.erased {
		return nil, event.ErrErased
	}
	return k.Keeper.Open(ctx, s, place, sealed)
}

// erased says that who was erased is counted and is no difference; what is in
// clear is checked all the same.
func erased(t *testing.T, healthy *twin) {
	for who, erased := range map[string]int{healthy.applicant: 3, healthy.officer: 5} {
		w := healthy.copied(t)
		w.keeper = forgetful{w.keeper, event.Subject(w.field("certificate-"+who, intended, "subject"))}
		if found, s := w.audited(); len(found) > 0 || s.Erased != erased {
			t.Errorf("%s: %v, %+v", w.called(who), found, s)
		}
		w.set(w.own(), intended, "record.hash", "0")
		if found, _ := w.audited(); !slices.Equal(found, []string{"applicant record"}) {
			t.Errorf("%s: %v", w.called(who), found)
		}
	}
}
