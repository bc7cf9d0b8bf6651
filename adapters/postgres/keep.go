package postgres

import (
	"context"
	"log/slog"
	"time"
)

// A server that dies is started again after a moment; while that fails, or it
// dies again and again, once a second. A server that lives so long is well.
const (
	soonest = 20 * time.Millisecond
	latest  = time.Second
	healthy = 10 * time.Second
)

// Keep starts the cluster's server again whenever it has ended, until the
// context ends; then it returns the last one, which may still run. One that is
// merely frozen, or slow, is left alone. It never makes a new cluster: if there
// is none any more, such as on a disk that is away, it waits for it to return.
func Keep(ctx context.Context, c Cluster, s *Server) *Server {
	c.known = true
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	for wait := soonest; ; {
		began := time.Now()
		select {
		case <-ctx.Done():
			return s
		case <-s.Done():
			c.Log.Warn("postgres died; starting it again", "error", s.Wait())
		}
		if time.Since(began) > healthy {
			wait = soonest
		}
		if s = c.again(ctx, &wait, s); ctx.Err() != nil {
			return s
		}
	}
}

// again tries until the server is there; what it fails of is said once.
func (c Cluster) again(ctx context.Context, wait *time.Duration, dead *Server) *Server {
	began, failed := time.Now(), false
	for {
		select {
		case <-ctx.Done():
			return dead
		case <-time.After(*wait):
		}
		*wait = min(2**wait, latest)
		s, err := Start(ctx, c)
		if err == nil {
			c.Log.Info("postgres is back", "after", time.Since(began))
			return s
		}
		if !failed && ctx.Err() == nil {
			c.Log.Error("postgres does not start; it is tried each second", "error", err)
		}
		failed = true
	}
}
