package postgres

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// tail keeps the server's last words for the error that reports its death.
type tail struct {
	mu    sync.Mutex
	lines []string
}

// copy passes the server's log on, line by line, until the pipe ends.
func (t *tail) copy(output io.Reader, log *slog.Logger) {
	scanner := bufio.NewScanner(output)
	for scanner.Scan() {
		line := scanner.Text()
		t.add(line)
		log.Log(context.Background(), level(line), "postgres", "line", line)
	}
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	if len(t.lines) > 8 {
		t.lines = t.lines[1:]
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "; ")
}

// level is mild: what a statement or a connection failed of, its client knows.
func level(line string) slog.Level {
	switch {
	case strings.HasPrefix(line, "PANIC:"):
		return slog.LevelError
	case strings.HasPrefix(line, "WARNING:"):
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
