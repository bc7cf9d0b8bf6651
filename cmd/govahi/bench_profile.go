package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// profiled lets a measurement be profiled, of the bench's own process and of an
// instance of it, if profiles are asked for. The last round's remains.
func (r *benchRun) profiled(name string, measure func() (float64, error)) func() (float64, error) {
	if r.Profile == "" {
		return measure
	}
	return func() (figure float64, err error) {
		err = r.profile(name, func() (err error) { figure, err = measure(); return err })
		return figure, err
	}
}

func (r *benchRun) profile(name string, do func() error) error {
	if r.Profile == "" {
		return do()
	}
	file := filepath.Join(r.Profile, name)
	f, err := os.Create(file + ".bench.pprof")
	if err != nil {
		return err
	}
	if err := errors.Join(pprof.StartCPUProfile(f), askProfile(r.dir, file+".instance.pprof")); err != nil {
		return err
	}
	err = do()
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close(), os.Remove(filepath.Join(r.dir, "profile")))
}

// askProfile asks an instance for one; see profileHook.
func askProfile(dir, file string) error {
	asked := filepath.Join(dir, "profile.new")
	if err := os.WriteFile(asked, []byte(file), 0o644); err != nil {
		return err
	}
	return os.Rename(asked, filepath.Join(dir, "profile"))
}
