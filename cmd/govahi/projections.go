package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/eventstore"
	"govahi/commands"
	"govahi/domain/event"
	"govahi/projections"
)

// projectionsCmd looks at the views, and at what they could not take.
type projectionsCmd struct {
	List   listProjections `cmd:"" default:"1" help:"How far each view, and each policies' runner, is behind the log."`
	Parked listParked      `cmd:"" help:"Events that fail, and those that wait behind them in their streams."`
	Retry  retryParked     `cmd:"" help:"Try parked events again, in their order: after the program was mended."`
	Skip   skipParked      `cmd:"" help:"Leave the first parked event of a stream out for good, and go on with those behind it."`
}

type listProjections struct{ attached }

// Run prints a table.
func (l listProjections) Run() error {
	return l.withViews(func(ctx context.Context, log *eventstore.Log, pool *pgxpool.Pool) error {
		list, err := projections.Standings(ctx, pool, log)
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(out, "name\tversion\tstate\tposition\tevents behind\tseconds behind\tparked events\tof streams")
		for _, s := range list {
			_, _ = fmt.Fprintf(out, "%s\t%d\t%s\t%d\t%s\t%.0f\t%d\t%d\n",
				s.Name, s.Version, s.State, s.Position, atLeast(s.Behind), s.Late.Seconds(), s.Parked, s.ParkedStreams)
		}
		return out.Flush()
	})
}

// atLeast says a number that was not counted to its end.
func atLeast(n int) string {
	if n >= projections.CountedMost {
		return fmt.Sprintf("%d or more", n)
	}
	return fmt.Sprint(n)
}

type listParked struct {
	attached
	Name string `arg:"" optional:"" help:"View, or policy:NAME."`
}

// Run prints a table. An event's data stays where it is.
func (l listParked) Run() error {
	return l.withViews(func(ctx context.Context, _ *eventstore.Log, pool *pgxpool.Pool) error {
		if l.Name != "" {
			if err := knownName(ctx, pool, l.Name); err != nil {
				return err
			}
		}
		list, err := projections.ListParked(ctx, pool, l.Name)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			fmt.Println("nothing is parked")
			return nil
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(out, "name\tstream\trevision\ttype\treason\tattempts\tsince")
		for _, p := range list {
			_, _ = fmt.Fprintf(out, "%s\t%s\t%d\t%s\t%s\t%d\t%s\n",
				p.Projection, p.Stream, p.Revision, p.Type, p.Reason, p.Attempts, p.Parked.Local().Format(time.DateTime))
		}
		return out.Flush()
	})
}

// knownName refuses a name that is neither a view's nor a policies' runner's: that
// nothing is parked there would look like good news.
func knownName(ctx context.Context, pool *pgxpool.Pool, name string) error {
	names, err := projections.Names(ctx, pool)
	if err != nil {
		return err
	}
	if !slices.Contains(names, name) {
		return fmt.Errorf("%[1]q نیست؛ یکی از این‌ها را نام ببرید: %[2]s\nthere is no %[1]q: name one of %[2]s", name, strings.Join(names, ", "))
	}
	return nil
}

type retryParked struct {
	attached
	Name   string `arg:"" help:"View, or policy:NAME."`
	Stream string `arg:"" optional:"" help:"One stream; default: all."`
}

// Run asks the running instance, and tells what came of it.
func (r retryParked) Run() error {
	return r.withViews(func(ctx context.Context, _ *eventstore.Log, pool *pgxpool.Pool) error {
		if err := knownName(ctx, pool, r.Name); err != nil {
			return err
		}
		return retry(ctx, pool, r.Name, event.Stream(r.Stream))
	})
}

// retryWithin is how long a running instance may take to try what was asked.
const retryWithin = 30 * time.Second

var errNobodyRetries = errors.New("هنوز هیچ برنامهٔ در کاری آن را نیازموده است؛ هنگامی می‌شود که یکی با این نما یا این سیاست‌ها به راه افتد.\nno running instance has tried it yet; it will when one runs that keeps this view, or these policies")

func retry(ctx context.Context, pool *pgxpool.Pool, name string, stream event.Stream) error {
	asked, err := projections.Retry(ctx, pool, name, stream)
	if err != nil {
		return err
	}
	if asked == 0 {
		return fmt.Errorf("چیزی کنار گذاشته نشده است؛ govahi projections parked %[1]s را ببینید.\nnothing is parked there: see govahi projections parked %[1]s", name)
	}
	ctx, cancel := context.WithTimeout(ctx, retryWithin)
	defer cancel()
	for {
		left, waiting, err := stillAsked(ctx, pool, name, stream)
		switch {
		case ctx.Err() != nil:
			return errNobodyRetries
		case err != nil:
			return err
		case waiting == 0:
			return toldOf(asked, left)
		}
		pauseUntil(ctx, 50*time.Millisecond)
	}
}

// stillAsked are the events that are parked, and how many of them nobody has
// tried again so far.
func stillAsked(ctx context.Context, pool *pgxpool.Pool, name string, stream event.Stream) (left []projections.Parked, waiting int, err error) {
	list, err := projections.ListParked(ctx, pool, name)
	for _, p := range list {
		if stream != "" && p.Stream != stream {
			continue
		}
		left = append(left, p)
		if p.Asked != nil {
			waiting++
		}
	}
	return left, waiting, err
}

func toldOf(asked int64, left []projections.Parked) error {
	fmt.Printf("%d of %d parked events were taken\n", max(0, asked-int64(len(left))), asked)
	for _, p := range left {
		if p.Attempts > 0 {
			fmt.Printf("%s revision %d fails: %s\n", p.Stream, p.Revision, p.Reason)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%[1]d رویداد همچنان کنار گذاشته است.\n%[1]d events stay parked", len(left))
	}
	return nil
}

type skipParked struct {
	attached
	Name   string `arg:"" help:"View, or policy:NAME."`
	Stream string `arg:"" help:"Stream of the parked event."`
	Reason string `required:"" help:"Why, for the auditor; nothing personal."`
}

// Run records it in the log, and has those behind tried.
func (s skipParked) Run() error {
	return s.withViews(func(ctx context.Context, log *eventstore.Log, pool *pgxpool.Pool) error {
		if err := knownName(ctx, pool, s.Name); err != nil {
			return err
		}
		first, err := s.first(ctx, pool)
		if err != nil {
			return err
		}
		app := &commands.App{Log: log, Clock: now}
		if err := app.SkipEvent(ctx, s.Name, first.Stream, first.Revision, s.Reason, account()); err != nil {
			return said(err)
		}
		fmt.Printf("%s revision %d (%s) is left out of %s\n", first.Stream, first.Revision, first.Type, s.Name)
		return retry(ctx, pool, s.Name, first.Stream)
	})
}

func (s skipParked) first(ctx context.Context, pool *pgxpool.Pool) (projections.Parked, error) {
	list, err := projections.ListParked(ctx, pool, s.Name)
	for _, p := range list {
		if p.Stream == event.Stream(s.Stream) {
			return p, err
		}
	}
	return projections.Parked{}, errors.Join(err, fmt.Errorf("از %[1]s چیزی در %[2]s کنار گذاشته نشده است؛ govahi projections parked را ببینید.\nnothing of %[1]s is parked in %[2]s: see govahi projections parked", s.Stream, s.Name))
}

// account is who sits at the machine.
func account() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	u, err := user.Current()
	if err != nil {
		return fmt.Sprint("uid ", os.Getuid())
	}
	return u.Username
}

// withViews gives log and views database to a command.
func (a attached) withViews(do func(context.Context, *eventstore.Log, *pgxpool.Pool) error) error {
	ctx := context.Background()
	log, err := a.openLog()
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	pool, err := a.views(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	return do(ctx, log, pool)
}

// rebuild builds views anew from the log, beside the present ones.
type rebuild struct {
	attached
	Views []string `arg:"" optional:"" help:"Names of views."`
	All   bool     `help:"Every view."`
	Back  bool     `help:"Put back what the last rebuild or release has replaced, if it was kept."`
}

// Run asks the running instance, whose work it is, and shows how far it is.
func (r rebuild) Run() error {
	names, err := r.names()
	if err != nil {
		return err
	}
	return r.withViews(func(ctx context.Context, _ *eventstore.Log, pool *pgxpool.Pool) error {
		for _, name := range names {
			if err := r.ask(ctx, pool, name); err != nil {
				return said(err)
			}
		}
		return r.watch(ctx, pool, names)
	})
}

func (r rebuild) ask(ctx context.Context, pool *pgxpool.Pool, name string) error {
	if r.Back {
		return projections.Back(ctx, pool, name)
	}
	return projections.Rebuild(ctx, pool, name)
}

// watch shows the work until it is done.
func (r rebuild) watch(ctx context.Context, pool *pgxpool.Pool, names []string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	bar := beginProgress("rebuild", "events", 0)
	defer bar.end()
	for {
		done, total, err := projections.Progress(ctx, pool, names)
		switch {
		case ctx.Err() != nil:
			return errGoesOn
		case err != nil:
			return err
		}
		bar.of(total)
		bar.at(done)
		if done >= total {
			return nil
		}
		pauseUntil(ctx, 100*time.Millisecond)
	}
}

var errGoesOn = errors.New("دیگر تماشایش نمی‌کنید، ولی بازسازی در برنامهٔ در کار پیش می‌رود؛ govahi projections را ببینید.\nyou no longer watch it, but the rebuild goes on in the running instance: see govahi projections")

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
			return nil, fmt.Errorf("نمایی به نام %[1]q نیست؛ از این‌ها نام ببرید یا --all بدهید: %[2]s\nthere is no view %[1]q: name some of %[2]s, or --all", name, strings.Join(all, ", "))
		}
	}
	if len(r.Views) == 0 {
		return nil, fmt.Errorf("از این نماها نام ببرید یا --all بدهید: %[1]s\nname some views of %[1]s, or --all", strings.Join(all, ", "))
	}
	return r.Views, nil
}
