package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"text/tabwriter"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/domain/access"
	"govahi/domain/appointment"
	"govahi/domain/audit"
	"govahi/domain/ceremony"
	"govahi/domain/certificate"
	"govahi/domain/consignment"
	"govahi/domain/contract"
	"govahi/domain/credential"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fee"
	"govahi/domain/idempotency"
	"govahi/domain/inquiry"
	"govahi/domain/issuer"
	"govahi/domain/limit"
	"govahi/domain/notification"
	"govahi/domain/office"
	"govahi/domain/payment"
	"govahi/domain/person"
	"govahi/domain/policy"
	certprofile "govahi/domain/profile"
	"govahi/domain/projection"
	"govahi/domain/revocation"
	"govahi/domain/tariff"
	"govahi/domain/token"
)

// catalogs are those of every kind of stream, by category.
var catalogs = map[string]event.Catalog{
	audit.Kind.Category:             audit.Kind.Catalog,
	appointment.Founding.Category:   appointment.Founding.Catalog,
	appointment.Kind.Category:       appointment.Kind.Catalog,
	office.Kind.Category:            office.Kind.Catalog,
	tariff.Kind.Category:            tariff.Kind.Catalog,
	enrollment.Kind.Category:        enrollment.Kind.Catalog,
	enrollment.Opening.Category:     enrollment.Opening.Catalog,
	inquiry.Kind.Category:           inquiry.Kind.Catalog,
	fee.Kind.Category:               fee.Kind.Catalog,
	fee.Settlement.Category:         fee.Settlement.Catalog,
	payment.Kind.Category:           payment.Kind.Catalog,
	contract.Kind.Category:          contract.Kind.Catalog,
	token.Kind.Category:             token.Kind.Catalog,
	certificate.Key.Category:        certificate.Key.Catalog,
	certificate.Blocklist.Category:  certificate.Blocklist.Catalog,
	revocation.File.Category:        revocation.File.Catalog,
	ceremony.Kind.Category:          ceremony.Kind.Catalog,
	certprofile.Kind.Category:       certprofile.Kind.Catalog,
	credential.Kind.Category:        credential.Kind.Catalog,
	certificate.Kind.Category:       certificate.Kind.Catalog,
	certificate.Delegation.Category: certificate.Delegation.Catalog,
	consignment.Kind.Category:       consignment.Kind.Catalog,
	consignment.Packing.Category:    consignment.Packing.Catalog,
	issuer.Kind.Category:            issuer.Kind.Catalog,
	crl.Kind.Category:               crl.Kind.Catalog,
	revocation.Kind.Category:        revocation.Kind.Catalog,
	access.Kind.Category:            access.Kind.Catalog,
	access.Binding.Category:         access.Binding.Catalog,
	notification.Kind.Category:      notification.Kind.Catalog,
	idempotency.Kind.Category:       idempotency.Kind.Catalog,
	limit.Kind.Category:             limit.Kind.Catalog,
	person.Addressing.Category:      person.Addressing.Catalog,
	person.Kind.Category:            person.Kind.Catalog,
	policy.Kind.Category:            policy.Kind.Catalog,
	projection.Kind.Category:        projection.Kind.Catalog,
}

type verifyLog struct {
	attached
	Faults int `default:"20" help:"How many faults are printed; all are counted."`
}

// Run checks the log and says what it holds. It fails if there is any fault.
func (v verifyLog) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	defer stop()
	log, node, done, err := v.openOrRest(ctx)
	if err != nil {
		return err
	}
	defer done()
	c := &checking{log: log, most: v.Faults, streams: map[[16]byte]uint64{}}
	if node != nil {
		defer func() { _ = node.Close() }()
		if err := c.stored(ctx, node); err != nil {
			return err
		}
	}
	if err := c.read(ctx); err != nil {
		return err
	}
	return c.report()
}

// openOrRest connects to the log that runs, or else opens the directory's, which
// nobody changes meanwhile. Of a log elsewhere only what its clients see can be
// checked: then there is no node.
func (a attached) openOrRest(ctx context.Context) (*eventstore.Log, *eventnode.Maintenance, func(), error) {
	d, err := a.data()
	if err != nil {
		return nil, nil, nil, err
	}
	socket, rest := d.logSocket(), func() {}
	if a.Log == "" && d.running() != nil {
		socket = filepath.Join(d.sockets(), "rest.sock")
		if rest, err = d.rest(ctx, socket); err != nil {
			return nil, nil, nil, err
		}
	}
	if a.Log != "" {
		log, err := eventstore.Open(a.Log)
		return log, nil, func() { _ = log.Close() }, err
	}
	log, err := eventstore.Open(socket)
	if err != nil {
		rest()
		return nil, nil, nil, err
	}
	node, err := eventnode.Maintain(socket)
	return log, node, func() { _ = log.Close(); rest() }, err
}

// rest lets the log of an instance that does not run be read, and by no other
// process be opened.
func (d data) rest(ctx context.Context, socket string) (done func(), err error) {
	if _, err := os.Stat(d.path("log")); err != nil {
		return nil, d.unusable("دفتر رویدادی در آن نیست؛ پوشهٔ سامانه را با GOVAHI_DATA نام ببرید.", "it holds no log: name the instance's directory with GOVAHI_DATA")
	}
	if err := errors.Join(d.take(), d.makeSockets()); err != nil {
		return nil, err
	}
	node, err := eventnode.Open(ctx, d.path("log"), eventnode.Options{ReadOnly: true})
	if err != nil {
		return nil, errors.Join(err, d.lock.Close())
	}
	l, err := eventnode.ListenUnix(socket)
	if err != nil {
		return nil, errors.Join(err, node.Close(), d.lock.Close())
	}
	go func() { _ = node.Serve(l) }()
	return func() { _ = errors.Join(node.Close(), d.lock.Close()) }, nil
}

// checking counts what is there and what is wrong.
type checking struct {
	log    *eventstore.Log
	most   int
	held   *eventnode.Held // what the node's own files hold, if they could be looked at
	faults int

	events  uint64
	last    event.Position
	streams map[[16]byte]uint64 // next revision, by a hash of the name: names may be many
}

// fault prints one of the first, where it is found.
func (c *checking) fault(stream string, revision uint64, position event.Position, text string) {
	c.faults++
	if c.faults > c.most {
		return
	}
	where := "log"
	if stream != "" {
		where = fmt.Sprintf("%s@%d", stream, revision)
	}
	if position != 0 {
		where += fmt.Sprintf(" (position %d)", position)
	}
	fmt.Printf("✗ %s: %s\n", where, text)
}

// stored lets the node read its files.
func (c *checking) stored(ctx context.Context, node *eventnode.Maintenance) error {
	b, what := newBar("files", 0), "files"
	defer func() { b.ended() }()
	return node.Verify(ctx, func(s eventnode.Checked) error {
		if s.What != what {
			b.ended()
			b, what = startBar(s.What, unitOf(s.What), s.Total), s.What
		}
		b.reach(s.Done, s.Total)
		if f := s.Fault; f != nil {
			b.ended()
			c.fault(f.Stream, f.Revision, event.Position(f.Position), f.Text)
		}
		c.held = s.Held
		return nil
	})
}

// unitOf is what a node counts when it reads its index, and else bytes.
func unitOf(what string) string {
	if what == "index" {
		return "events"
	}
	return "bytes"
}

// read checks each event as a client sees it.
func (c *checking) read(ctx context.Context) error {
	head, err := c.log.Head(ctx)
	if err != nil {
		return err
	}
	b := newEventBar("catalogs")
	defer func() {
		b.reach(c.events, c.events)
		b.ended()
	}()
	for r, err := range c.log.ReadAll(ctx, 0) {
		if err != nil {
			if ctx.Err() == nil {
				c.fault("", 0, c.last, "nothing behind this can be read: "+err.Error())
			}
			return ctx.Err()
		}
		c.look(r)
		if c.events%1024 == 0 {
			b.reachEvents(c.events, uint64(r.Position), uint64(head))
		}
	}
	return nil
}

func (c *checking) look(r event.Recorded) {
	c.events++
	bad := func(format string, args ...any) {
		c.fault(string(r.Stream), r.Revision, r.Position, fmt.Sprintf(format, args...))
	}
	if r.Position <= c.last {
		bad("it stands behind position %d", c.last)
	}
	c.last = r.Position
	sum := sha256.Sum256([]byte(r.Stream))
	name := [16]byte(sum[:])
	if next := c.streams[name]; r.Revision != next {
		bad("revision %d was expected", next)
	}
	c.streams[name] = r.Revision + 1
	if err := decodes(r); err != nil {
		bad("%v", err)
	}
}

// decodes tells whether an event is one that this program knows, in its place.
func decodes(r event.Recorded) error {
	catalog, ok := catalogs[r.Stream.Category()]
	if !ok {
		return fmt.Errorf("no kind of stream is called %q", r.Stream.Category())
	}
	_, err := catalog.Open(r)
	_, wrong := r.DecodeMeta()
	return errors.Join(err, wrong)
}

// report prints the summary, and fails if there is any fault.
func (c *checking) report() error {
	if c.faults > c.most {
		fmt.Printf("… and %d faults more\n", c.faults-c.most)
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	row := func(what string, format string, args ...any) {
		_, _ = fmt.Fprintf(out, "%s\t%s\n", what, fmt.Sprintf(format, args...))
	}
	if c.held != nil {
		row("tables", "%d, %s", c.held.Tables, mebibytes(c.held.Bytes))
		row("index", "%d events in %d streams", c.held.Events, c.held.Streams)
	} else {
		row("files", "%s", notSeen)
	}
	row("events", "%d in %d streams", c.events, len(c.streams))
	row("head", "%d", c.last)
	row("faults", "%d", c.faults)
	if err := out.Flush(); err != nil || c.faults == 0 {
		return err
	}
	return fmt.Errorf("شمار خطاهای دفتر: %[1]d\nfaults in the log: %[1]d", c.faults)
}

const notSeen = "not looked at: they are the event store's own, elsewhere"

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
