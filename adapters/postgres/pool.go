package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
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
