package eventnode

import (
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// subscribe sends events as they become durable. It always reads them from the
// store, so a slow subscriber falls behind but loses nothing.
func (r *reader) subscribe() error {
	if err := r.confirm(); err != nil {
		return err
	}
	checks := &checkpoints{reader: r}
	for live := false; ; {
		limit, moved := r.store.tail.now()
		r.limit = limit
		more, err := r.follow(checks)
		switch {
		case err != nil:
			return err
		case more:
			live = false
			continue
		case !live:
			if err := r.caughtUp(checks, limit); err != nil {
				return err
			}
			live = true
		}
		select {
		case <-moved:
		case <-r.call.Context().Done():
			return status.FromContextError(r.call.Context().Err()).Err()
		case <-r.node.stopping:
			return errStopping
		}
	}
}

var errStopping = status.Error(codes.Unavailable, "the node is stopping")

// follow sends a page, and tells whether there may be more.
func (r *reader) follow(checks *checkpoints) (bool, error) {
	select {
	case <-r.node.stopping:
		return false, errStopping
	case <-r.call.Context().Done():
		return false, status.FromContextError(r.call.Context().Err()).Err()
	default:
	}
	p := r.take(r.want)
	if p.err != nil {
		return false, internal(p.err)
	}
	if err := r.sendAll(p, checks); err != nil {
		return false, err
	}
	limit := r.limit
	r.want, _ = p.next()
	return p.full || p.limit < limit, nil // it may have been read a while ago
}

// sendAll sends the events of a page, and checkpoints where they are due.
func (r *reader) sendAll(p *page, checks *checkpoints) error {
	left := p.found
	for _, at := range p.looked {
		if len(left) > 0 && left[0].position == at {
			if err := r.call.SendMsg(left[0].written); err != nil {
				return err
			}
			left = left[1:]
		}
		if err := checks.looked(at); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) confirm() error {
	return r.call.Send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{
		Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: uuid.NewString()},
	}})
}

func (r *reader) caughtUp(checks *checkpoints, limit uint64) error {
	if err := checks.send(limit); err != nil {
		return err
	}
	return r.call.Send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}})
}

// checkpoints tell a filtered subscription how far it is although nothing
// passed its filter.
type checkpoints struct {
	reader *reader
	count  uint64 // events looked at
	sent   uint64 // the last checkpoint, not to be repeated
}

func (c *checkpoints) looked(position uint64) error {
	if c.reader.filter == nil {
		return nil
	}
	if c.count++; c.count%c.reader.filter.interval != 0 {
		return nil
	}
	return c.send(position)
}

func (c *checkpoints) send(position uint64) error {
	if c.reader.filter == nil || position == c.sent {
		return nil
	}
	c.sent = position
	return c.reader.call.Send(&streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{
		Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: position, PreparePosition: position},
	}})
}
