package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sys/unix"
)

// silence is when the server gives up a client that was cut off in the midst of
// a transaction: until then it keeps its rows locked, and others, who could go on,
// wait for it.
var silence = map[string]string{
	"idle_in_transaction_session_timeout": "3s",
	"tcp_keepalives_idle":                 "2", // seconds
	"tcp_keepalives_interval":             "1",
	"tcp_keepalives_count":                "3",
}

// dialer finds out that the server's machine is gone without a word, or the way to
// it, whether an answer is waited for (keep-alive) or not even the question was
// received (TCP_USER_TIMEOUT, RFC 5482): else a transaction, or who listens, would
// wait a quarter of an hour.
var dialer = net.Dialer{
	KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 2 * time.Second, Interval: time.Second, Count: 3},
	Control: func(network, _ string, c syscall.RawConn) (err error) {
		if !strings.HasPrefix(network, "tcp") {
			return nil
		}
		const unheard = 5000 // ms
		failed := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, unheard) })
		return errors.Join(failed, err)
	},
}

// Pool opens a pool of at most 16 connections, so that the few pools of one
// process fit the private cluster's hundred; pool_max_conns in the connection
// string says otherwise. It fails if the server cannot be reached now.
func Pool(ctx context.Context, dsn string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		config.MaxConns = 16
	}
	config.MinIdleConns = 1
	config.MaxConnIdleTime = 5 * time.Minute
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	config.ConnConfig.DialFunc = dialer.DialContext
	for name, value := range silence {
		config.ConnConfig.RuntimeParams[name] = value
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return pool, nil
}
