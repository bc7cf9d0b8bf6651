package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/eventstore"
	"govahi/adapters/postgres"
	"govahi/adapters/signer"
	"govahi/adapters/vault"
	"govahi/commands"
	"govahi/domain/event"
	"govahi/projections"
)

// attached is a command that speaks to the running instance of a data directory.
type attached struct {
	connections
	Data string `env:"GOVAHI_DATA" default:"var" help:"Data directory of the instance."`
}

func (a attached) data() (data, error) {
	dir, err := filepath.Abs(a.Data)
	return data{dir: dir}, err
}

// running tells whether an instance answers on the data directory's socket.
func (d data) running() error {
	conn, err := net.Dial("unix", d.logSocket())
	if err != nil {
		return fmt.Errorf("%w (looked in %s)", errNotRunning, d.dir)
	}
	return conn.Close()
}

var errNotRunning = errors.New("no instance is running on this data directory: start it with ./task up")

// openLog connects to the instance's log.
func (a attached) openLog() (*eventstore.Log, error) {
	d, err := a.data()
	if err != nil {
		return nil, err
	}
	if a.Log == "" {
		if err := d.running(); err != nil {
			return nil, err
		}
	}
	return eventstore.Open(a.logTarget(d))
}

// bootstrap appoints the first administrator.
type bootstrap struct{ attached }

// Run reads the national code from standard input: on a command line everybody
// on the machine could read it.
func (b bootstrap) Run() error {
	fmt.Fprint(os.Stderr, "national code: ")
	code, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	ctx := context.Background()
	app, done, err := b.app(ctx)
	if err != nil {
		return err
	}
	defer done()
	person, err := app.Bootstrap(ctx, strings.TrimSpace(code))
	if err != nil {
		return said(err)
	}
	fmt.Println("administrator:", person)
	return nil
}

// app is enough of the house for a command that needs log and vault.
func (a attached) app(ctx context.Context) (*commands.App, func(), error) {
	log, err := a.openLog()
	if err != nil {
		return nil, nil, err
	}
	d, err := a.data()
	if err != nil {
		return nil, nil, err
	}
	if err := refuseHooks(d.modeOf()); err != nil {
		return nil, nil, err
	}
	pool, err := postgres.Pool(ctx, a.vaultDSN(d))
	if err != nil {
		return nil, nil, errors.Join(errNotRunning, err)
	}
	v, err := vault.Open(ctx, pool, signer.NewClient(d.signerSocket()), now)
	if err != nil {
		return nil, nil, err
	}
	app := &commands.App{Log: log, Keeper: v, People: v, Secrets: v, Clock: now, Handler: handlerID(), Step: func(string) {}}
	return app, func() { v.Close(); pool.Close(); _ = log.Close() }, nil
}

// views connects to the database of the read views.
func (a attached) views(ctx context.Context) (*pgxpool.Pool, error) {
	d, err := a.data()
	if err != nil {
		return nil, err
	}
	if a.Postgres == "" {
		if err := d.running(); err != nil {
			return nil, err
		}
	}
	return postgres.Pool(ctx, a.viewsDSN(d))
}

// rebuild asks a running instance to build views anew.
type rebuild struct {
	attached
	Views []string `arg:"" optional:"" help:"Names of views."`
	All   bool     `help:"Every view."`
}

// Run marks the views; the instance's runner does the rest.
func (r rebuild) Run() error {
	ctx := context.Background()
	pool, err := r.views(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	names, err := r.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := projections.Rebuild(ctx, pool, name); err != nil {
			return err
		}
		fmt.Println(name, "will be built anew")
	}
	return nil
}

// names are the views to build; all are asked for by name.
func (r rebuild) names() ([]string, error) {
	var all []string
	for _, p := range projections.All() {
		all = append(all, p.Name)
	}
	if r.All {
		return all, nil
	}
	for _, name := range r.Views {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("there is no view %q: name some of %s, or --all", name, strings.Join(all, ", "))
		}
	}
	if len(r.Views) == 0 {
		return nil, fmt.Errorf("name some views of %s, or --all", strings.Join(all, ", "))
	}
	return r.Views, nil
}

// logCmd looks at the log.
type logCmd struct {
	Export export `cmd:"" help:"Print every event in order, as stored, one JSON object a line."`
}

type export struct{ attached }

// Run prints the log; personal data is in its sealed form.
func (e export) Run() error {
	log, err := e.openLog()
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	out := bufio.NewWriter(os.Stdout)
	if err := exportTo(context.Background(), log, out); err != nil {
		return err
	}
	return out.Flush()
}

// line is one event as exported.
type line struct {
	Position event.Position  `json:"position"`
	Stream   event.Stream    `json:"stream"`
	Revision uint64          `json:"revision"`
	ID       event.ID        `json:"id"`
	Type     string          `json:"type"`
	Data     json.RawMessage `json:"data"`
	Meta     json.RawMessage `json:"metadata"`
}

func exportTo(ctx context.Context, log event.Log, out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for r, err := range log.ReadAll(ctx, 0) {
		if err != nil {
			return err
		}
		if err := encoder.Encode(line{r.Position, r.Stream, r.Revision, r.ID, r.Type, r.Data, r.Meta}); err != nil {
			return err
		}
	}
	return nil
}
