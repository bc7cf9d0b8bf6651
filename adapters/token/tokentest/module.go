// Package tokentest puts a PKCS#11 module that fails on demand between a process
// and its token, for tests of trouble. The module is C, built when a test asks
// for it; nothing of it is in a program.
package tokentest

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

//go:embed testdata/faulty.c
var source []byte

// SoftHSM is the module behind the faulty one, where Debian and Ubuntu have it.
const SoftHSM = "/usr/lib/softhsm/libsofthsm2.so"

// Module is a faulty module in a directory of its own, and its switch. It has no
// fault until one is set.
type Module struct {
	Path string // of the module
	env  []string
	file string // with the rule
}

// Build makes a module that passes everything on to the one behind: SoftHSM, or
// another witness before it.
func Build(t testing.TB, behind string) *Module {
	t.Helper()
	dir := t.TempDir()
	m := &Module{Path: filepath.Join(dir, "faulty.so"), file: filepath.Join(dir, "fault")}
	m.env = []string{"TOKENTEST_MODULE=" + behind, "TOKENTEST_FAULT=" + m.file, "GOVAHI_PKCS11_MODULE=" + m.Path}
	code := filepath.Join(dir, "faulty.c")
	must(t, os.WriteFile(code, source, 0o600))
	if out, err := exec.Command("gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", m.Path, code, "-ldl", "-lpthread").CombinedOutput(); err != nil {
		t.Fatalf("the faulty module: %v\n%s", err, out)
	}
	return m
}

// Env is for the process that shall use the module, as GOVAHI_PKCS11_MODULE.
func (m *Module) Env() []string { return m.env }

// Set makes the token fail from the next call on, in every process.
func (m *Module) Set(t testing.TB, f Fault) {
	t.Helper()
	next := m.file + ".next"
	must(t, os.WriteFile(next, []byte(f.rule()), 0o600))
	m.Heal(t)
	must(t, os.Rename(next, m.file))
}

// Heal ends the fault.
func (m *Module) Heal(t testing.TB) {
	t.Helper()
	for _, file := range []string{m.file, m.file + ".hits"} {
		if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			must(t, err)
		}
	}
}

// Hits is how many calls the present fault has hit.
func (m *Module) Hits(t testing.TB) int {
	t.Helper()
	info, err := os.Stat(m.file + ".hits")
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	must(t, err)
	return int(info.Size())
}

// Fault is one kind of trouble.
type Fault struct {
	function, action string
	code             uint // PKCS#11 return value
	times            int
	wait             time.Duration
}

// The faults. Unless Times says otherwise each lasts until Heal.
var (
	// Removed is a token that was pulled: nothing works, and its slot is empty.
	Removed = Fault{function: "*", action: "before", code: 0x32}
	// GeneralError and DeviceError say that something failed, not what.
	GeneralError = Fault{function: "C_SignInit", action: "before", code: 0x05}
	DeviceError  = Fault{function: "*", action: "before", code: 0x30}
	// FunctionFailed is a failure that leaves session and token well.
	FunctionFailed = Fault{function: "C_SignInit", action: "before", code: 0x06}
	// Stuck is one that leaves the signature begun, as it should not: the session
	// signs nothing any more.
	Stuck = Fault{function: "C_Sign", action: "before", code: 0x06, times: 1}
	// SessionLost kills, once, all sessions that are open; new ones work.
	SessionLost = Fault{function: "C_SignInit", action: "lost", code: 0xB3, times: 1}
	// WrongPIN and LockedPIN refuse the login.
	WrongPIN  = Fault{function: "C_Login", action: "before", code: 0xA0}
	LockedPIN = Fault{function: "C_Login", action: "before", code: 0xA4}
	// SignedAndFailed makes the signature, and says that it failed.
	SignedAndFailed = Fault{function: "C_Sign", action: "after", code: 0x30}
)

// Slow makes each signature take so long.
func Slow(wait time.Duration) Fault { return Fault{function: "C_Sign", action: "slow", wait: wait} }

// In makes the fault one of another function, such as C_FindObjects.
func (f Fault) In(function string) Fault {
	f.function = function
	return f
}

// Times makes the fault one of the next n calls.
func (f Fault) Times(n int) Fault {
	f.times = n
	return f
}

func (f Fault) rule() string {
	return fmt.Sprintf("%s %s %x %d %d\n", f.function, f.action, f.code, f.times, f.wait.Milliseconds())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
