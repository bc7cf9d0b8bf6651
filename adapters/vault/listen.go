package vault

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"govahi/domain/event"
)

// channel carries the pseudonyms whose keys were destroyed.
const channel = "vault_destroyed"

// listen opens a connection of its own, outside the pool, so that waiting on
// it takes no connection away from those who seal.
func (v *Vault) listen(ctx context.Context) (*pgx.Conn, error) {
	config := v.pool.Config().ConnConfig
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, unavailable(err)
	}
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, unavailable(err)
	}
	return conn, nil
}

// hear drops destroyed keys from memory until the context ends. When the
// connection breaks, word may have been missed, so everything is dropped; until
// it is back, a key's short life in memory is the bound.
func (v *Vault) hear(ctx context.Context, conn *pgx.Conn) {
	defer close(v.ended)
	for ctx.Err() == nil {
		notice, err := conn.WaitForNotification(ctx)
		if err == nil {
			v.drop(event.Subject(notice.Payload))
			continue
		}
		_ = conn.Close(context.WithoutCancel(ctx))
		v.forget()
		conn = v.listenAgain(ctx)
		v.forget()
	}
	if conn != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
	}
}

// listenAgain returns nil only when the context has ended.
func (v *Vault) listenAgain(ctx context.Context) *pgx.Conn {
	for {
		if conn, err := v.listen(ctx); err == nil {
			return conn
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}
