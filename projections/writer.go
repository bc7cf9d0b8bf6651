package projections

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"govahi/domain/event"
)

// Terms makes keyed search terms, by which sealed data can be found by equality
// and by nobody without the key. Kinds keep equal texts of different meaning
// apart.
type Terms interface {
	Term(kind, text string) []byte
}

// Writer collects the statements of a batch of events; they take effect together
// with the checkpoint, in one transaction, or not at all.
type Writer struct {
	ctx    context.Context // of the batch that is being written
	mark   string
	keeper event.Keeper
	terms  Terms
	batch  pgx.Batch
	err    error
}

// Exec adds a statement. Its error, if any, is the batch's.
func (w *Writer) Exec(sql string, args ...any) {
	w.batch.Queue(w.mark+sql, args...)
}

// Term is the search term of a text, for a column of type bytea.
func (w *Writer) Term(kind, text string) []byte { return w.terms.Term(kind, text) }

// fail keeps the first error: the batch cannot be stored.
func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// Open reads personal data, to derive search terms or groups from it; nothing
// of it may be stored in clear. It is not ok once the person's data was erased;
// any other failure is the batch's.
func Open[T any](w *Writer, p *event.Personal[T]) (value T, ok bool) {
	if p == nil || w.err != nil {
		return value, false
	}
	value, err := p.Open(w.ctx, w.keeper)
	switch {
	case errors.Is(err, event.ErrErased):
		return value, false
	case err != nil:
		w.fail(err)
		return value, false
	}
	return value, true
}

// Column is personal data as a jsonb column holds it: sealed, with the place
// for which it was sealed. Queries read it back into an event.Personal.
func Column[T any](p *event.Personal[T]) []byte {
	if p == nil {
		return nil
	}
	sealed, err := json.Marshal(p)
	if err != nil {
		panic(err) // what comes from the log is sealed
	}
	return sealed
}
