package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"
)

// profileHook names a directory, in development only. As long as the file
// "profile" stands there, the CPU is profiled into the file that it names.
const profileHook = "GOVAHI_PROFILE"

// askedProfile is where to, or nothing.
func askedProfile(dir string) string {
	text, _ := os.ReadFile(filepath.Join(dir, "profile")) // most often there is none
	return strings.TrimSpace(string(text))
}

// profiles writes a profile whenever one is asked for.
func profiles(ctx context.Context) error {
	dir := os.Getenv(profileHook)
	for dir != "" && ctx.Err() == nil {
		if file := askedProfile(dir); file != "" {
			profile(ctx, dir, file)
		}
		pauseUntil(ctx, profileLook)
	}
	return ctx.Err()
}

const profileLook = 20 * time.Millisecond

func profile(ctx context.Context, dir, file string) {
	f, err := os.Create(file)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	if pprof.StartCPUProfile(f) != nil { // one is being written
		return
	}
	defer pprof.StopCPUProfile()
	for ctx.Err() == nil && askedProfile(dir) == file {
		pauseUntil(ctx, profileLook)
	}
}
