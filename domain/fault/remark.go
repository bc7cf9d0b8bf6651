package fault

import (
	"errors"
	"fmt"
)

// Remark says in both languages, a line for each, what is wrong with one field of
// a file and what may stand there. A fault repeats no value; a remark does, for it
// is read by whoever wrote the file. Both texts take the same args.
func Remark(field, fa, en string, args ...any) error {
	return errors.New("  " + field + ": " + fmt.Sprintf(fa, args...) + "\n  " + field + ": " + fmt.Sprintf(en, args...))
}

// Remarks collects all that is wrong with a file.
type Remarks struct{ all []error }

// Need remarks on the field unless all is well with it.
func (r *Remarks) Need(ok bool, field, fa, en string, args ...any) {
	if !ok {
		r.all = append(r.all, Remark(field, fa, en, args...))
	}
}

// Err is all remarks, or nil.
func (r *Remarks) Err() error { return errors.Join(r.all...) }
