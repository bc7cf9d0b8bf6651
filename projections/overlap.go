package projections

import "context"

// overlap applies a portion while PostgreSQL writes the one before. What that one
// leaves behind is known from memory; what it does not touch, the tables hold.
type overlap struct {
	*view
	under *writing // what PostgreSQL is at; nil if nothing
}

// writing is a batch on its way into the tables.
type writing struct {
	*Writer
	own  []told
	to   place
	lost bool
	err  error
	done chan struct{} // closed once lost and err are known
}

// take applies a portion, and leaves it to be written.
func (o *overlap) take(ctx context.Context, p portion) error {
	if o.under != nil && o.under.spoken { // no row is known of it
		if _, err := o.finish(ctx); err != nil {
			return err
		}
	}
	after := o.at
	if o.under != nil {
		after = o.under.to.Position
	}
	switch {
	case p.after > after:
		return errGap
	case p.upto <= after:
		return nil
	}
	next := &writing{own: p.of(o.prefixes, after), to: place{p.upto, p.anchor}, done: make(chan struct{})}
	var applied error
	next.Writer, applied = o.applied(ctx, next.own, next.to, o.under)
	redone, err := o.finish(ctx)
	next.under = nil // it may be forgotten
	switch {
	case err != nil:
		next.close()
		return err
	case redone || atFault(applied):
		next.close()
		return o.store(ctx, next.own, next.to)
	case applied != nil:
		next.close()
		return applied
	}
	o.under = next
	go next.run()
	return nil
}

func (w *writing) run() {
	defer close(w.done)
	defer w.close()
	w.lost, w.err = w.settle()
}

// finish waits until what is under way is in the tables. If an event of it is at
// fault, it is done again by and by, until that is alone.
func (o *overlap) finish(ctx context.Context) (redone bool, err error) {
	w := o.under
	if w == nil {
		return false, nil
	}
	<-w.done
	o.under = nil
	if w.err == nil {
		o.stands(w.Writer, w.to.Position)
		return false, nil
	}
	if err := o.judge(ctx, w.err, w.lost); !atFault(err) {
		return false, err
	}
	return true, o.store(ctx, w.own, w.to)
}
