package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// evict ends what a killed process left behind: a postmaster, or backends that
// outlived theirs and would keep its shared memory. We hold the cluster's lock,
// so nobody needs them. Then files that name dead processes can go: the kernel
// may have given their numbers to others.
func (s *Server) evict(ctx context.Context) error {
	pidFile := filepath.Join(s.dir, "postmaster.pid")
	text, err := os.ReadFile(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if pid, err := strconv.Atoi(strings.TrimSpace(first)); err == nil && serves(pid, s.dir) {
		s.log.Warn("stopping a PostgreSQL server left behind", "pid", pid)
		if err := end(ctx, pid, s.dir, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL); err != nil {
			return err
		}
	}
	for _, pid := range servants(s.dir) {
		if err := end(ctx, pid, s.dir, syscall.SIGKILL); err != nil {
			return err
		}
	}
	return s.sweep(pidFile)
}

func (s *Server) sweep(pidFile string) error {
	socket := filepath.Join(s.sockets, socketName)
	for _, path := range []string{pidFile, socket, socket + ".lock"} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// serves tells whether a living process is PostgreSQL on this directory, which
// every one of its processes makes its working directory.
func serves(pid int, dir string) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	exe, err := os.Readlink(filepath.Join(proc, "exe"))
	if err != nil || !strings.HasPrefix(filepath.Base(exe), "postgres") {
		return false
	}
	cwd, err := os.Readlink(filepath.Join(proc, "cwd"))
	return err == nil && cwd == dir
}

// servants are all processes of PostgreSQL on this directory.
func servants(dir string) []int {
	entries, _ := os.ReadDir("/proc")
	var pids []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && serves(pid, dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// wake lets processes go on that were stopped: a frozen server does not hear
// what it is told.
func wake(dir string) {
	for _, pid := range servants(dir) {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// end sends one signal after the other, giving each five seconds.
func end(ctx context.Context, pid int, dir string, signals ...syscall.Signal) error {
	for _, signal := range signals {
		_ = syscall.Kill(pid, signal)
		wake(dir)
		if gone(ctx, pid, dir) {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("process %d on %s does not end", pid, dir), ctx.Err())
}

func gone(ctx context.Context, pid int, dir string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for serves(pid, dir) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return true
}
