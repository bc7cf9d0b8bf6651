package http

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/big"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"govahi/adapters/pki"
	"govahi/adapters/postgres/pgtest"
	"govahi/adapters/sso"
	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/commands/officertest"
	"govahi/commands/policies"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/event"
	"govahi/domain/event/spec"
	domainpayment "govahi/domain/payment"
	"govahi/projections"
	"govahi/queries"
)

// life is a house with all its routes, on a log in memory and real views. Its
// policies run when a test settles.
type life struct {
	*house
	app       *commands.App
	log       *fallible
	ca        *authority
	publisher *commands.Publisher
	read      event.Position
	keys      int
	queries   *queries.Queries // of those with views
}

// bare has every route, and nothing behind those that read views.
func bare(t testing.TB) *life {
	t.Helper()
	l := &life{log: &fallible{Log: memlog.New()}, ca: theAuthority(t)}
	l.app = &commands.App{
		Log: l.log, Standing: commands.NewStanding(l.log), Keeper: spec.NewKeeper(), People: population{}, Secrets: keyed{}, Authority: l.ca, Elder: []commands.Authority{l.ca.elder}, Signer: &pen{ca: l.ca, log: l.log}, Signatures: officertest.Signatures{},
		Registry: matching{}, Terms: commands.DefaultTerms(), Clock: now, Handler: "handler-1", Step: func(string) {},
	}
	l.app.Gateways = commands.Gateways{
		Named: map[string]commands.Gateway{"bank1": paying{}}, Base: "http://door.example.ir", Look: commands.DefaultLook, End: commands.DefaultEnd,
	}
	l.publish(memlog.NewShelf())
	return l
}

// publish has the lists laid on a shelf.
func (l *life) publish(shelf commands.Shelf) {
	l.publisher = commands.NewPublisher(l.app, commands.Publishing{
		Authority: l.ca, Signer: l.app.Signer, Shelf: shelf, Checker: l.ca.Checker(l.log),
	})
}

func now() time.Time { return time.Now().UTC() }

func (l *life) open(t testing.TB, h House, change ...func(*Config)) *life {
	t.Helper()
	h.App, h.Authorities, h.Base, h.Development = l.app, []*pki.Authority{l.ca.Authority, l.ca.elder}, "http://door.example.ir", true
	change = append([]func(*Config){func(c *Config) { c.Head = l.log.Head }}, change...)
	l.house = open(t, func(s *Server) { Declare(s, h) }, change...)
	return l
}

// alive is a house with views, an OCSP responder, and everybody in his post.
func alive(t *testing.T) *life {
	t.Helper()
	l, pool := bare(t), pgtest.Pool(t)
	l.publish(projections.NewShelf(pool))
	runner := projections.NewRunner(projections.Parts{
		Pool: pool, Log: l.log, Feed: func(string) event.Feed { return &prompt{log: l.log} }, Keeper: l.app.Keeper, Terms: keyed{},
		Report: slog.New(slog.DiscardHandler),
	}, projections.All()...)
	waiter := projections.NewWaiter(pool)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { _ = runner.Run(ctx) })
	all.Go(func() { _ = waiter.Run(ctx) })
	t.Cleanup(func() { cancel(); all.Wait() })
	l.queries = &queries.Queries{Pool: pool, Keeper: l.app.Keeper, Terms: keyed{}}
	h := House{Queries: l.queries, Responder: pki.Responders{l.responder(t)}}
	l.open(t, h, func(c *Config) { c.Waiter = waiter })
	l.settled()
	l.shown(waiter)
	return l
}

// shown waits until every view shows the offices and posts: pages that nobody
// asked by a position show what there is.
func (l *life) shown(w *projections.Waiter) {
	l.t.Helper()
	head, err := l.log.Head(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), 20*time.Second)
	defer cancel()
	for _, p := range projections.All() {
		if err := w.Wait(ctx, p.Name, head); err != nil {
			l.t.Fatalf("%s does not show the beginning: %v", p.Name, err)
		}
	}
}

func (l *life) responder(t *testing.T) *pki.Responder {
	t.Helper()
	key := newKey(t)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	der, err := l.app.EnsureResponder(t.Context(), l.ca, public)
	if err != nil {
		t.Fatal(err)
	}
	delegate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pki.NewResponder(l.ca.Certificate(), key, Statuses{l.app, l.ca.Issuer()}, now)
	if err != nil {
		t.Fatal(err)
	}
	r.Use(delegate)
	return r
}

// settled gives everybody his post, and the house a price.
func (l *life) settled() {
	l.t.Helper()
	codes := map[string]string{}
	for _, p := range sso.Personas() {
		codes[p.Name] = p.NationalCode
	}
	if _, err := l.app.Bootstrap(l.t.Context(), codes["admin"]); err != nil {
		l.t.Fatal(err)
	}
	if err := l.app.IntroduceIssuers(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	for code, sort := range map[string]string{"office-1": "registration-office", "office-2": "registration-office", "unit-rt": "research-unit"} {
		l.done("admin", "/offices", map[string]any{"sort": sort, "code": code, "name": "دفتر نمونه", "province": "تهران", "city": "تهران"})
	}
	for persona, post := range map[string][2]string{
		"manager": {"manager"}, "auditor": {"auditor"}, "ca-operator": {"ca-operator"},
		"officer-1": {"registration-officer", "office-1"}, "officer-2": {"registration-officer", "office-1"},
		"officer-other": {"registration-officer", "office-2"}, "research-officer": {"research-officer", "unit-rt"},
	} {
		l.done("admin", "/appointments", map[string]any{
			"personCode": codes[persona], "role": post[0], "place": post[1], "until": now().AddDate(1, 0, 0),
		})
	}
	for _, office := range []string{"office-1", "office-2"} {
		l.done("ca-operator", "/offices/"+office+"/licence", map[string]any{"number": "P-1", "validFrom": now().AddDate(-1, 0, 0), "validUntil": now().AddDate(1, 0, 0)})
	}
	for _, persona := range []string{"officer-1", "officer-2", "officer-other"} {
		person, err := population{}.Person(l.t.Context(), codes[persona])
		if err == nil {
			err = officertest.Certify(l.t.Context(), l.log.Log, l.app.Keeper, person, now())
		}
		if err != nil {
			l.t.Fatal(err)
		}
	}
	l.done("manager", "/tariffs", map[string]any{
		"product": "cpmis-signature", "tokenRial": 1_000_000, "issuanceRial": 500_000, "validFrom": now().AddDate(-1, 0, 0),
	})
}

// confirming is an officer's confirmation of what he saw, signed.
func confirming(persona string, review commands.Review) map[string]any {
	person, _ := population{}.Person(context.Background(), personOf(persona))
	return map[string]any{
		"revision": review.Record.Revision, "hash": review.Record.Hash,
		"signature": officertest.Sign(officertest.SerialOf(person), []byte(review.Statement)),
	}
}

// personOf is a persona's national code.
func personOf(persona string) string {
	for _, p := range sso.Personas() {
		if p.Name == persona {
			return p.NationalCode
		}
	}
	panic("no persona " + persona)
}

// post is a command with a key that was never used.
func (l *life) post(persona, path string, body any) answer {
	l.t.Helper()
	l.keys++
	text := []byte{}
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			l.t.Fatal(err)
		}
	}
	return l.ask("POST", path, string(text), l.commanding(persona, fmt.Sprint("key-", l.keys))...)
}

// done expects that a command was accepted, lets the policies react, and returns
// the answer and the position up to which a view must have come.
func (l *life) done(persona, path string, body any) (answer, string) {
	l.t.Helper()
	a := l.post(persona, path, body)
	if a.StatusCode/100 != 2 || a.Header.Get("Govahi-Position") == "0" || a.Header.Get("Govahi-Position") == "" {
		l.t.Fatalf("%s to %s: %d at %q: %s", persona, path, a.StatusCode, a.Header.Get("Govahi-Position"), a.body)
	}
	l.settle()
	head, err := l.log.Head(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return a, "after=" + head.String()
}

// get is a question by a persona, or by nobody.
func (l *life) get(persona, path string, headers ...string) answer {
	l.t.Helper()
	if persona != "" {
		headers = append(headers, l.as(persona)...)
	}
	return l.ask("GET", path, "", headers...)
}

// settle lets every policy react until nothing more follows.
func (l *life) settle() {
	l.t.Helper()
	all := slices.Concat(policies.OfRecord(), policies.OfIssuance(), policies.OfRevocation(commands.Publishers{l.publisher}))
	for {
		events, err := event.ReadBatch(l.t.Context(), l.log.Log, l.read, 1000)
		if err != nil {
			l.t.Fatal(err)
		}
		if len(events) == 0 {
			return
		}
		for _, e := range events {
			l.read = e.Position
			for _, p := range all {
				if err := p.Handle(l.t.Context(), l.app, e); err != nil {
					l.t.Fatalf("%s on %s: %v", p.Name, e.Type, err)
				}
			}
			if e.Type == "inquiry.requested.v1" {
				if err := l.app.AskRegistry(l.t.Context(), commands.Caller{Policy: "inquire"}, e.Stream.ID()); err != nil {
					l.t.Fatal(err)
				}
			}
		}
	}
}

// fallible is a log that can be down, and counts the readings of streams.
type fallible struct {
	event.Log
	down  atomic.Bool
	reads atomic.Int64
}

var errDown = errors.New("the log is down")

func (l *fallible) Read(ctx context.Context, s event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	l.reads.Add(1)
	if l.down.Load() {
		return func(yield func(event.Recorded, error) bool) { yield(event.Recorded{}, errDown) }
	}
	return l.Log.Read(ctx, s, from)
}

// population knows everybody, by the same pseudonyms as the door's own tests.
type population struct{ people }

func (p population) Person(ctx context.Context, code string) (event.Subject, error) {
	return p.people.Person(ctx, code)
}

func (p population) Lookup(ctx context.Context, code string) (event.Subject, bool, error) {
	s, err := p.Person(ctx, code)
	return s, true, err
}

// keyed derives secrets and search terms under a key that is no secret.
type keyed struct{}

func (keyed) Derive(purpose string, parts ...string) []byte {
	mac := hmac.New(sha256.New, []byte(purpose))
	for _, p := range parts {
		fmt.Fprintf(mac, "%d %s", len(p), p)
	}
	return mac.Sum(nil)
}

func (k keyed) Term(kind, text string) []byte { return k.Derive("term", kind, text) }

// matching is a registry that knows everybody.
type matching struct{}

func (matching) Inquire(_ context.Context, id string, _ commands.RegistryQuestion) (commands.RegistryAnswer, error) {
	return commands.RegistryAnswer{Matched: true, TrackingCode: "REG-" + id}, nil
}

// paying is a bank where whoever comes back has paid.
type paying struct{}

func (paying) Separate() bool { return false }

func (paying) Open(_ context.Context, p commands.GatewayPayment, _ string) (string, error) {
	return "R" + p.Attempt, nil
}

func (paying) Page(reference string) commands.GatewayPage {
	return commands.GatewayPage{Method: "GET", URL: "http://bank.example.ir/" + reference}
}

func (paying) Read(fields map[string]string) (domainpayment.Claim, string) {
	return map[string]domainpayment.Claim{"ok": domainpayment.ClaimsPaid}[fields["status"]], ""
}

func (paying) Verify(_ context.Context, p commands.GatewayPayment) (commands.Verdict, error) {
	return commands.Verdict{Standing: commands.Held, Money: domainpayment.Money{RRN: "700000000001", Card: "999999******1234", AmountRial: p.AmountRial}}, nil
}

func (paying) Settle(context.Context, commands.GatewayPayment) (commands.PaymentStanding, error) {
	return commands.Held, nil
}

func (paying) Inquire(context.Context, commands.GatewayPayment) (commands.PaymentStanding, error) {
	return commands.Paid, nil
}

func (paying) Reverse(context.Context, commands.GatewayPayment) error { return nil }

// prompt is a feed that brings what the log has, as soon as it has something.
type prompt struct {
	log event.Log
	at  event.Position
}

func (p *prompt) Fetch(ctx context.Context, n int) ([]event.Message, error) {
	var messages []event.Message
	for d, err := range p.log.Subscribe(ctx, p.at) {
		if err != nil {
			return messages, err
		}
		if d.Event != nil {
			messages = append(messages, event.Message{Recorded: *d.Event, Previous: p.at, Ack: func() {}})
			p.at = d.Checkpoint
		}
		if len(messages) == n || len(messages) > 0 && d.Event == nil {
			break
		}
	}
	return messages, nil
}

// authority is a real one with its key at hand.
type authority struct {
	*pki.Authority
	key   crypto.Signer
	elder *pki.Authority // another issuer, which nobody asks here
}

var held = sync.OnceValues(func() (*authority, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	root, err := certified("Test Root", nil, rootKey.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	issuer, err := certified("Test CA", root, key.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	a, err := pki.Open(issuer.Raw, root.Raw, pki.Under("http://door.example.ir"))
	if err != nil {
		return nil, err
	}
	before, err := certified("Test CA of Old", root, rootKey.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	beside, err := pki.Beside("http://door.example.ir", before.Raw)
	if err != nil {
		return nil, err
	}
	elder, err := pki.Open(before.Raw, root.Raw, beside)
	return &authority{a, key, elder}, err
})

func theAuthority(t testing.TB) *authority {
	t.Helper()
	a, err := held()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func certified(name string, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name))), NotBefore: now().Add(-time.Hour), NotAfter: now().AddDate(10, 0, 0),
		Subject:  pkix.Name{Country: []string{"IR"}, Organization: []string{"Test"}, CommonName: name},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
	}
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// pen fences and signs, as adapters/signer does.
type pen struct {
	ca  *authority
	log event.Log
}

func (s *pen) SignCertificate(ctx context.Context, stream event.Stream, revision uint64, tbs, _ []byte) ([]byte, string, error) {
	return s.sign(ctx, stream, revision, tbs, func(meta event.Meta) ([]event.Proposed, error) {
		return certificate.Kind.Encode(ctx, nil, stream, meta, []event.Event{certificate.SigningStarted{Signer: "test", At: now()}})
	})
}

func (s *pen) Ready(context.Context) error { return nil }

func (s *pen) SignCRL(ctx context.Context, stream event.Stream, revision uint64, tbs []byte) ([]byte, string, error) {
	return s.sign(ctx, stream, revision, tbs, func(meta event.Meta) ([]event.Proposed, error) {
		return crl.Kind.Encode(ctx, nil, stream, meta, []event.Event{crl.SigningStarted{Signer: "test", At: now()}})
	})
}

func (s *pen) sign(ctx context.Context, stream event.Stream, revision uint64, tbs []byte, started func(event.Meta) ([]event.Proposed, error)) ([]byte, string, error) {
	proposed, err := started(event.Meta{CommandID: fmt.Sprintf("signer/%s@%d", stream, revision), Actor: "signer", At: now()})
	if err != nil {
		return nil, "", err
	}
	if _, err := s.log.Append(ctx, stream, event.Expected(revision), proposed...); err != nil {
		return nil, "", err
	}
	der, err := s.ca.around(tbs)
	return der, "test", err
}

// around puts algorithm and signature around to-be-signed bytes; the algorithm
// is the first sequence in them.
func (a *authority) around(tbs []byte) ([]byte, error) {
	var whole, part asn1.RawValue
	if _, err := asn1.Unmarshal(tbs, &whole); err != nil {
		return nil, err
	}
	var err error
	for rest := whole.Bytes; err == nil && (part.Tag != asn1.TagSequence || part.Class != 0); {
		rest, err = asn1.Unmarshal(rest, &part)
	}
	digest := sha256.Sum256(tbs)
	signature, signing := a.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err := errors.Join(err, signing); err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, part, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
}

// newCSR is a certification request of a new key, in base64 as PEM has it.
func newCSR(t testing.TB) string {
	t.Helper()
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.StdEncoding.EncodeToString(csr) + "\n-----END CERTIFICATE REQUEST-----\n"
}
