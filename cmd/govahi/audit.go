package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"

	"govahi/adapters/cms"
	"govahi/adapters/pki"
	"govahi/adapters/relying"
	"govahi/commands"
	"govahi/domain/event"
	"govahi/queries/auditor"
)

// auditCmd checks what the house did.
type auditCmd struct {
	Certificates auditCertificates `cmd:"" help:"Check every certificate ever issued against its request, fee, token and officers, and against its issuer's list and responder."`
}

type auditCertificates struct {
	attached
	Base  string `env:"GOVAHI_BASE" help:"Public http URL under which lists and responders are; as the instance has it if empty."`
	JSON  string `name:"json" type:"path" placeholder:"FILE" help:"File to write differences and summary to."`
	Every int    `default:"1" help:"Ask responders about one in so many certificates that are good; always about those that are not."`
	Quiet bool   `name:"unpublished" help:"Neither fetch lists nor ask responders."`
}

// Run prints every difference and a summary; it fails if there is a difference.
func (a auditCertificates) Run() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	defer stop()
	app, done, err := a.app(ctx)
	if err != nil {
		return said(err)
	}
	defer done()
	d, err := a.data()
	if err != nil {
		return err
	}
	authorities, err := openAuthorities(a.caDir(d), a.base(d), "")
	if err != nil {
		return err
	}
	check, leave, err := auditOf(app, authorities, a.Quiet)
	if err != nil {
		return err
	}
	defer leave()
	check.Every = a.Every
	out, err := newAuditFile(a.JSON)
	if err != nil {
		return err
	}
	return a.report(ctx, check, out)
}

// base is where the instance's door is, as it wrote down itself.
func (a auditCertificates) base(d data) string {
	if a.Base != "" {
		return a.Base
	}
	text, _ := os.ReadFile(d.path(doorFile)) // without it nothing is found there, which is said
	return strings.TrimSpace(string(text))
}

// auditOf is an audit of everything that the log holds, by every issuer.
func auditOf(app *commands.App, authorities []*pki.Authority, unpublished bool) (a auditor.Audit, leave func(), err error) {
	standards, err := pki.Relint()
	a = auditor.Audit{
		Log: app.Log, Keeper: app.Keeper, Signatures: cms.Verifier{}, Lints: []auditor.Lint{standards, auditor.Rules}, Clock: app.Clock,
	}
	var parties []*relying.Party
	for _, of := range authorities {
		issuer := auditor.Authority{Certificate: of.Certificate()}
		issuer.List, issuer.Responder, issuer.Itself = of.Addresses()
		if !unpublished {
			party := relying.New(issuer.List, issuer.Responder, of.Certificate())
			issuer.Published, parties = party, append(parties, party)
		}
		a.Issuers = append(a.Issuers, issuer)
	}
	return a, func() {
		for _, p := range parties {
			p.Close()
		}
	}, err
}

// report runs it before the eyes of who asked.
func (a auditCertificates) report(ctx context.Context, check auditor.Audit, out *auditFile) error {
	b := newEventBar("certificates")
	check.Progress = func(checked uint64, at, of event.Position) { b.reachEvents(checked, uint64(at), uint64(of)) }
	check.Differs = func(d auditor.Difference) {
		fmt.Printf("✗ %s %s: expected %s, found %s\n", orList(d.Serial), d.Kind, d.Expected, d.Found)
		out.difference(d)
	}
	s, err := check.Run(ctx)
	b.ended()
	if err := errors.Join(err, out.end(s)); err != nil {
		return err
	}
	if err := summarise(os.Stdout, s); err != nil || s.Total() == 0 {
		return err
	}
	return fmt.Errorf("شمار ناهمخوانی‌ها: %[1]d\ndifferences found: %[1]d", s.Total())
}

func orList(serial string) string {
	if serial == "" {
		return "the house"
	}
	return serial
}

func summarise(w io.Writer, s auditor.Summary) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(what string, format string, args ...any) {
		_, _ = fmt.Fprintf(out, "%s\t%s\n", what, fmt.Sprintf(format, args...))
	}
	row("log up to", "position %d, %s@%d", s.Position, s.Stream, s.Revision)
	row("certificates", "%d checked, %d attempts that became none", s.Checked, s.Abandoned)
	row("erased", "%d, not wholly checkable", s.Erased)
	row("lists", "%d serials", s.Listed)
	row("responders", "asked about %d serials", s.Asked)
	for _, kind := range slices.Sorted(maps.Keys(s.Differences)) {
		row("✗ "+kind, "%d", s.Differences[kind])
	}
	row("differences", "%d", s.Total())
	return out.Flush()
}

// auditFile is a JSON object: the differences as they are found, then the summary.
type auditFile struct {
	file  *os.File
	out   *bufio.Writer
	first bool
	err   error
}

func newAuditFile(path string) (*auditFile, error) {
	if path == "" {
		return &auditFile{}, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	a := &auditFile{file: f, out: bufio.NewWriter(f), first: true}
	a.write(`{"differences":[`)
	return a, nil
}

func (a *auditFile) write(text string) {
	if a.file != nil && a.err == nil {
		_, a.err = a.out.WriteString(text)
	}
}

func (a *auditFile) difference(d auditor.Difference) {
	line, err := json.Marshal(d)
	a.err = errors.Join(a.err, err)
	if !a.first {
		a.write(",")
	}
	a.first = false
	a.write("\n" + string(line))
}

// end writes the summary, also of an audit that broke off: then its numbers are
// of what was checked.
func (a *auditFile) end(s auditor.Summary) error {
	if a.file == nil {
		return nil
	}
	line, err := json.Marshal(s)
	a.write("\n],\n\"summary\":" + string(line) + "}\n")
	return errors.Join(err, a.err, a.out.Flush(), a.file.Close())
}
