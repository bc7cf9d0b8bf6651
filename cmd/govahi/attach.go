package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/eventstore"
	"govahi/adapters/postgres"
	"govahi/adapters/signer"
	"govahi/adapters/vault"
	"govahi/commands"
	"govahi/domain/fault"
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
		return fmt.Errorf("%s:\n%w", d.dir, errNotRunning)
	}
	return conn.Close()
}

var errNotRunning = fault.Remark("GOVAHI_DATA", "سامانه‌ای روی این پوشهٔ داده در کار نیست؛ آن را با ./task up آغاز کنید، یا پوشهٔ درست را نام ببرید.",
	"no instance is running on this data directory: start it with ./task up, or name the right one")

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
	pool, err := postgres.Pool(ctx, a.viewsDSN(d))
	if err != nil && a.Postgres == "" {
		err = errors.Join(errNotRunning, err)
	}
	return pool, err
}
