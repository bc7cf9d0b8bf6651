package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"govahi/adapters/postgres/pgtest"
	"govahi/domain/fault/faulttest"
)

// processes are the IDs of all that runs on the data directory: those who name
// it, and PostgreSQL's, which make a directory of it their working directory.
func processes(dir string) []string {
	cluster, _ := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	var found []string
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		line := commandLine(pid)
		where, _ := os.Readlink(filepath.Join("/proc", entry.Name(), "cwd"))
		if strings.Contains(line, dir) || cluster != "" && where == cluster {
			found = append(found, entry.Name()+" "+line)
		}
	}
	return found
}

func wantNoProcess(t *testing.T, dir string) {
	t.Helper()
	if left := processes(dir); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
}

func wantWithin(t *testing.T, what string, took, limit time.Duration) {
	t.Helper()
	t.Logf("%s: %d ms", what, took.Milliseconds())
	if took > limit {
		t.Errorf("%s took %v, promised are %v", what, took, limit)
	}
}

// The promises of the issue, §1.
const (
	firstStart = 10 * time.Second
	laterStart = 3 * time.Second
	stopping   = 5 * time.Second
	restarting = 5 * time.Second
	recovering = 15 * time.Second
)

func TestStartsAndStopsInTime(t *testing.T) {
	dir := dataDir(t)
	began := time.Now()
	i := begin(t, dir)
	wantWithin(t, "first start", time.Since(began), firstStart)
	wantWithin(t, "SIGTERM", i.signal(t, syscall.SIGTERM), stopping)
	wantNoProcess(t, dir)
	wantWithin(t, "later start", i.again(t), laterStart)
	wantWithin(t, "SIGINT", i.signal(t, syscall.SIGINT), stopping)
	wantNoProcess(t, dir)
	if code := i.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestAHouseWithAHistoryMakesNoOtherCA where its own is not found.
func TestAHouseWithAHistoryMakesNoOtherCA(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t))
	i.signal(t, syscall.SIGTERM)
	ca := filepath.Join(i.dir, "ca")
	must(t, os.Rename(ca, ca+".elsewhere"))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	said := &transcript{}
	if next, err := startAt(ctx, i.dir, i.listen, said); err == nil {
		next.signal(t, syscall.SIGTERM)
		t.Fatal("it started")
	}
	if text := said.String(); faulttest.Translated(text, "put that CA's directory back") != nil || !strings.Contains(text, ca) {
		t.Errorf("it says %s", text)
	}
	if _, err := os.Stat(filepath.Join(ca, "issuer.pem")); !os.IsNotExist(err) {
		t.Errorf("another CA: %v", err)
	}
	must(t, os.RemoveAll(ca))
	must(t, os.Rename(ca+".elsewhere", ca))
	i.again(t)
}

// TestStopsInTimeWhateverHangs: callers who wait for what does not come, and a
// child that no longer listens.
func TestStopsInTimeWhateverHangs(t *testing.T) {
	i := begin(t, dataDir(t))
	reading(t, i)
	pgtest.Freeze(t, i.signerPID())
	wantWithin(t, "SIGTERM", i.signal(t, syscall.SIGTERM), stopping)
	wantNoProcess(t, i.dir)
}

// reading leaves a connection open and a question in the air.
func reading(t *testing.T, i *instance) {
	t.Helper()
	c, err := net.Dial("tcp", i.listen)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	_, err = fmt.Fprint(c, "GET /health/live HTTP/1.1\r\nHost: govahi\r\n\r\n")
	must(t, err)
	_, err = c.Read(make([]byte, 1))
	must(t, err)
	go func() { _, _ = http.Get("http://" + i.listen + "/pki/issuer.crl?after=99999999999") }()
}

// TestStopsWhileStarting interrupts the start when each part has come up.
func TestStopsWhileStarting(t *testing.T) {
	dir := dataDir(t)
	for _, part := range []string{" bus ", " log ", " ca ", " postgres ", " signer ", " vault "} {
		listen, err := freeAddress()
		must(t, err)
		cmd, said, ended := launch(t, dir, listen)
		await(t, part, func() bool { return strings.Contains(said.String(), part) })
		began := time.Now()
		must(t, cmd.Process.Signal(syscall.SIGTERM))
		select {
		case <-ended:
			wantWithin(t, "SIGTERM after"+part, time.Since(began), stopping)
		case <-time.After(within):
			t.Fatalf("after%sit does not end:\n%s", part, said)
		}
		wantNoProcess(t, dir)
	}
	begin(t, dir) // whatever was left half done
}

// launch starts govahi and waits for nothing.
func launch(t *testing.T, dir, listen string, env ...string) (*exec.Cmd, *transcript, <-chan error) {
	t.Helper()
	said, ended := &transcript{}, make(chan error, 1)
	cmd := exec.Command(beside("govahi"), "up")
	cmd.Env = append(append(os.Environ(), "GOVAHI_DATA="+dir, "GOVAHI_LISTEN="+listen), env...)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, cmd.Start())
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, said, ended
}

// TestDeadChildrenComeBack kills each child, and then govahi itself.
func TestDeadChildrenComeBack(t *testing.T) {
	i := begin(t, dataDir(t))
	s := telling(t, i, "before")
	must(t, s.tell(t.Context(), untilReserved(s, 0)))
	t.Run("signer", func(t *testing.T) {
		was := i.signerPID()
		began := kill(t, was)
		await(t, "another signer answers", func() bool {
			pid := i.signerPID()
			return pid != 0 && pid != was && i.parts()["signer"] == "ready"
		})
		wantWithin(t, "signer back", time.Since(began), restarting)
		must(t, s.tell(t.Context(), s.untilActive()[1:]))
	})
	t.Run("postgres", func(t *testing.T) {
		was := i.postmaster(t)
		began := kill(t, was)
		await(t, "another postmaster serves", func() bool {
			pid := i.postmaster(t)
			return pid != 0 && pid != was && i.parts()[""] == "ready"
		})
		wantWithin(t, "postgres back", time.Since(began), restarting)
		must(t, s.get(t.Context(), "officer-1", "/requests/"+s.code, &struct{}{}))
	})
	t.Run("govahi", func(t *testing.T) {
		orphan, code := i.postmaster(t), s.code
		i.signal(t, syscall.SIGKILL)
		if !strings.Contains(commandLine(orphan), "postgres") {
			t.Error("killing govahi left no orphan to be stopped")
		}
		wantWithin(t, "start after kill -9", i.again(t), recovering)
		if strings.Contains(commandLine(orphan), "postgres") {
			t.Errorf("the orphan %d still runs", orphan)
		}
		must(t, s.open("outside")(t.Context())) // the same Idempotency-Key
		if s.code != code {
			t.Errorf("the same key was answered %s, before %s", s.code, code)
		}
		must(t, s.tell(t.Context(), s.untilRevoked()))
	})
}

func kill(t *testing.T, pid int) time.Time {
	t.Helper()
	if pid == 0 {
		t.Fatal("nothing runs there")
	}
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	return time.Now()
}

// postmaster is the process ID of the running server, or zero.
func (i *instance) postmaster(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(i.dir, "postgres", "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	return pid
}

// refusedUp runs `govahi up` where it must end by itself, saying every one of
// the words: the reason and the remedy.
func refusedUp(t *testing.T, dir, listen string, env []string, words ...string) {
	t.Helper()
	env = append([]string{"GOVAHI_DATA=" + dir, "GOVAHI_LISTEN=" + listen}, env...)
	out, err := govahi(t, "", env, "up")
	if err == nil {
		t.Fatalf("it ended well: %s", out)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the refusal does not say %q: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "Govahi is ready") {
		t.Errorf("it said that it was ready: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t))
	free, err := freeAddress()
	must(t, err)
	t.Run("second up", func(t *testing.T) {
		refusedUp(t, i.dir, free, nil, "in use", strconv.Itoa(i.cmd.Process.Pid), "GOVAHI_DATA")
		i.awaitReady(t)
	})
	t.Run("taken port", func(t *testing.T) {
		dir := dataDir(t)
		refusedUp(t, dir, i.listen, nil, "address already in use", "GOVAHI_LISTEN")
		wantNoProcess(t, dir)
	})
	t.Run("newer layout", func(t *testing.T) {
		dir := dataDir(t)
		must(t, os.MkdirAll(dir, 0o711))
		must(t, os.WriteFile(filepath.Join(dir, "VERSION"), []byte("2\n"), 0o644))
		refusedUp(t, dir, free, nil, "newer", "update", "GOVAHI_DATA")
	})
	t.Run("somebody else's directory", func(t *testing.T) {
		dir := dataDir(t)
		must(t, os.MkdirAll(dir, 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "letter.txt"), []byte("mine\n"), 0o644))
		refusedUp(t, dir, free, nil, "something else", "GOVAHI_DATA")
		info, err := os.Stat(dir)
		must(t, err)
		if entries, _ := os.ReadDir(dir); len(entries) != 1 || info.Mode().Perm() != 0o755 {
			t.Errorf("a refused start changed it: %v, %v", info.Mode(), entries)
		}
	})
	t.Run("no layout", func(t *testing.T) {
		dir := dataDir(t)
		must(t, os.MkdirAll(dir, 0o711))
		must(t, os.WriteFile(filepath.Join(dir, "VERSION"), []byte("gibberish\n"), 0o644))
		refusedUp(t, dir, free, nil, "VERSION", "GOVAHI_DATA")
	})
	t.Run("first administrator", func(t *testing.T) { bootstrapOnce(t, i) })
	t.Run("another mode", func(t *testing.T) {
		i.signal(t, syscall.SIGTERM)
		refusedUp(t, i.dir, free, production, "development", "production", "GOVAHI_DATA")
	})
}

// production names an issuer that nobody needs to ask here.
var production = []string{"GOVAHI_MODE=production", "GOVAHI_OIDC_ISSUER=https://sso.example.ir", "GOVAHI_OIDC_KEYS=https://sso.example.ir/jwks"}

// bootstrapOnce lets the first through, and his retry, and nobody ever after.
func bootstrapOnce(t *testing.T, i *instance) {
	const founder, another = "9992001011", "9992002026"
	first, err := i.govahi(t, founder+"\n", "bootstrap")
	must(t, err)
	second, err := i.govahi(t, founder+"\n", "bootstrap")
	if err != nil || first != second || first == "" {
		t.Errorf("his retry: %q, then %q: %v", first, second, err)
	}
	if _, err := i.govahi(t, another+"\n", "bootstrap"); err == nil || !strings.Contains(err.Error(), "administrator") {
		t.Errorf("another person: %v", err)
	}
	if _, err := i.govahi(t, "1234567890\n", "bootstrap"); err == nil || strings.Contains(err.Error(), "1234567890") {
		t.Errorf("no national code: %v", err)
	}
}

func TestProduction(t *testing.T) {
	t.Parallel()
	free, err := freeAddress()
	must(t, err)
	dir := dataDir(t)
	refusedUp(t, dir, free, production[:1], "GOVAHI_OIDC_ISSUER", "GOVAHI_OIDC_KEYS")
	if _, err := os.Stat(dir); err == nil {
		t.Error("a start without settings left a data directory")
	}
	refusedUp(t, dir, free, production, "govahi-signer ceremony")
	wantNoProcess(t, dir)
	out, err := exec.Command(beside("govahi-signer"), "ceremony", "--dir", filepath.Join(dir, "ca")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, hook := range []string{crashHook, troubleHook} {
		refusedUp(t, dir, free, append(slices.Clone(production), hook+"=anything"), hook)
	}
	i := begin(t, dir, production...)
	for _, command := range [][]string{{"dev", "token", "admin"}, {"dev", "seed"}, {"dev", "outbox"}} {
		if out, err := i.govahi(t, "", command...); err == nil || !strings.Contains(err.Error(), "development") {
			t.Errorf("%s: %v: %s", command, err, out)
		}
	}
	i.settled(t)
	if _, err := i.fetch("/dev/oidc/.well-known/openid-configuration", "", nil); err == nil {
		t.Error("production serves the development issuer")
	}
}

func TestEventSocketIsOurs(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t))
	for _, name := range []string{"log.sock", "signer.sock"} {
		info, err := os.Stat(filepath.Join(i.dir, "run", name))
		must(t, err)
		if mode := info.Mode(); mode.Perm() != 0o600 || mode&os.ModeSocket == 0 {
			t.Errorf("%s has mode %v", name, mode)
		}
	}
}

// TestOddPlaces: a path that is too long for a socket, below a directory that
// is nobody else's, as a checkout under /root would be.
func TestOddPlaces(t *testing.T) {
	t.Parallel()
	parent := filepath.Dir(dataDir(t))
	must(t, os.Chmod(parent, 0o700))
	dir := filepath.Join(parent, strings.Repeat("long", 25))
	t.Cleanup(func() { removeExiles(t, dir) })
	i := begin(t, dir)
	telling(t, i, "odd")
	if _, err := i.govahi(t, "", "log", "export"); err != nil {
		t.Error(err)
	}
	i.signal(t, syscall.SIGKILL)
	wantWithin(t, "start after kill -9", i.again(t), recovering)
	i.signal(t, syscall.SIGTERM)
	wantNoProcess(t, dir)
}

// removeExiles clears what stands outside the test's directory.
func removeExiles(t *testing.T, dir string) {
	t.Helper()
	sockets := data{dir: dir}.sockets()
	for _, link := range []string{filepath.Join(dir, "postgres"), filepath.Join(sockets, "postgres")} {
		if place, err := os.Readlink(link); err == nil {
			_ = errors.Join(os.RemoveAll(place), os.RemoveAll(place+".lock"))
		}
	}
	_ = os.RemoveAll(sockets)
}

// TestInstallRefusesWithoutApt gives the script a machine that lacks openssl
// and apt-get.
func TestInstallRefusesWithoutApt(t *testing.T) {
	t.Parallel()
	lacking := machine(t, "openssl", "apt-get")
	out, err := install(t, lacking)
	if err == nil || !strings.Contains(out, "Missing on this machine:") || !strings.Contains(out, "openssl") || !strings.Contains(out, "Install them") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := install(t, machine(t, "apt-get")); err != nil {
		t.Errorf("nothing is missing: %v: %s", err, out)
	}
}

func install(t *testing.T, path string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "../../install.sh", "product")
	cmd.Env = []string{"PATH=" + path}
	out, err := cmd.CombinedOutput()
	return string(bytes.TrimSpace(out)), err
}

// machine is a PATH with every program of this one but a few.
func machine(t *testing.T, without ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, place := range filepath.SplitList(os.Getenv("PATH")) {
		programs, _ := os.ReadDir(place)
		for _, p := range programs {
			if strings.Contains(" "+strings.Join(without, " ")+" ", " "+p.Name()+" ") {
				continue
			}
			_ = os.Symlink(filepath.Join(place, p.Name()), filepath.Join(dir, p.Name())) // the first of a name counts
		}
	}
	return dir
}
