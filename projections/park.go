package projections

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// faulty is an error that the event itself causes: trying again will not help.
type faulty struct{ error }

func (f faulty) Unwrap() error { return f.error }

func atFault(err error) bool { return errors.As(err, &faulty{}) }

var errPanic = errors.New("projections: Apply panicked")

// blame holds the event responsible for an error outside PostgreSQL, unless a
// part was merely down.
func blame(err error) error {
	f, refused := fault.Of(err)
	var netErr net.Error
	down := refused && f.Kind == fault.Unavailable ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr)
	if down {
		return err
	}
	return faulty{err}
}

// judge holds the batch responsible for an error, unless the connection or
// PostgreSQL is. Missing tables are the batch's fault only if they never were.
func (v *view) judge(ctx context.Context, err error, lost bool) error {
	var pg *pgconn.PgError
	switch {
	case ctx.Err() != nil, errors.Is(err, errMoved):
		return err
	case missing(err):
		held, heldErr := v.held(ctx, v.Pool, v.schema)
		if heldErr != nil || !held.whole {
			return err
		}
		return faulty{err}
	case errors.As(err, &pg):
		if dataClass(pg.Code) {
			return faulty{err}
		}
		return err
	case lost:
		return err
	}
	return faulty{err} // an argument that does not fit its column's type
}

// dataClass says whether an SQLSTATE is about statement and data (PostgreSQL,
// Appendix A): cardinality, data exception, constraint, syntax and names, check
// option, program limit, raised. Others pass: connections, resources, deadlocks.
func dataClass(code string) bool {
	if code == "42501" { // insufficient privilege: the operator's to mend
		return false
	}
	switch code[:2] {
	case "0A", "21", "22", "23", "42", "44", "54", "P0":
		return true
	}
	return false
}

// behind is the reason of an event whose stream has a parked one before it.
const behind = "behind-a-parked-event"

// park puts an event aside, and with it all later ones of its stream.
func (v *view) park(ctx context.Context, r event.Recorded, upto place, cause error) error {
	w := v.step(ctx, upto.Position, 1, cmp.Or(upto.anchor, anchor(r)))
	v.addParked(w, r, reason(cause), attempts)
	if err := v.commit(ctx, w, upto.Position); err != nil {
		return err
	}
	v.parked[r.Stream] = true
	v.status.set(func(s *Status) { s.Parked = len(v.parked) })
	v.Report.Error("projection parked an event", "projection", v.projection.Name,
		"stream", r.Stream, "revision", r.Revision, "type", r.Type, "reason", reason(cause))
	return nil
}

func (v *view) addParked(w *Writer, r event.Recorded, reason string, attempts int) {
	w.Exec(`INSERT INTO govahi.parked (projection, position, stream, revision, type, reason, attempts)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		v.schema, int64(r.Position), storable(r.Stream), int64(r.Revision), storable(r.Type), reason, attempts)
}

// storable is a name as PostgreSQL's text can hold it. Ours can; what anybody else
// put into the log must not hold up a view.
func storable[T ~string](name T) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(name), "\uFFFD"), "\x00", "\uFFFD")
}

// reason names an error without its text, which may repeat personal data.
func reason(err error) string {
	var pg *pgconn.PgError
	var unreachable *pgconn.ConnectError
	f, refused := fault.Of(err)
	switch {
	case refused:
		return f.Error()
	case errors.As(err, &pg):
		names := []string{"sqlstate", pg.Code, pg.TableName, pg.ColumnName, pg.ConstraintName}
		return strings.Join(strings.Fields(strings.Join(names, " ")), " ")
	case errors.As(err, &unreachable):
		return "postgres-unreachable"
	case errors.Is(err, event.ErrUnlisted):
		return "event-unlisted"
	case errors.Is(err, errPanic):
		return err.Error()
	case errors.Is(err, event.ErrUndecodable):
		return "event-undecodable"
	}
	return fmt.Sprintf("%T", innermost(err))
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
