package pgtest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"govahi/adapters/postgres"
)

// Remote is a cluster that is reached over TCP and by passwords, as one on
// another machine is. It may be killed and started again.
type Remote struct {
	*postgres.Server
	cluster postgres.Cluster
	address string
}

// password of every role. Nobody but this machine reaches the address.
const password = "sample"

// TCP starts a cluster at an address of this machine, on PostgreSQL's port, with
// databases that each belong to a role of the same name, which is no superuser.
func TCP(t testing.TB, ip string, databases ...string) *Remote {
	t.Helper()
	home := ownHome(t)
	hba := filepath.Join(home, "hba.conf")
	rules := fmt.Sprintf("local all all peer map=govahi\nhost sameuser all %s/8 scram-sha-256\n", ip)
	if err := os.WriteFile(hba, []byte(rules), 0o644); err != nil { // PostgreSQL's user reads it
		t.Fatal(err)
	}
	r := &Remote{address: net.JoinHostPort(ip, "5432"), cluster: postgres.Cluster{
		Dir: filepath.Join(home, "data"), Settings: map[string]string{"listen_addresses": ip, "hba_file": hba, "max_connections": "400"},
	}}
	r.Again(t)
	t.Cleanup(func() { stop(r.Server) })
	for _, name := range databases {
		execute(t, r.Server, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", name, password))
		execute(t, r.Server, fmt.Sprintf("CREATE DATABASE %s OWNER %s", name, name))
	}
	return r
}

// Address is where it listens.
func (r *Remote) Address() string { return r.address }

// URL is the connection string of a database by way of an address, which may be
// that of a link to the server, or several by commas.
func (r *Remote) URL(addresses, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(database, password), Host: addresses, Path: "/" + database}
	return u.String() + "?sslmode=disable&target_session_attrs=read-write"
}

// Kill ends the postmaster and all who serve for it, at once.
func (r *Remote) Kill(t testing.TB) {
	t.Helper()
	all := append([]int{r.Pid()}, children(t, r.Pid())...)
	for _, pid := range all {
		signal(t, pid, syscall.SIGKILL)
	}
	<-r.Done()
}

// Again starts the server, at first or after its end.
func (r *Remote) Again(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := postgres.Start(ctx, r.cluster)
	if err != nil {
		t.Fatal(err)
	}
	r.Server = server
}
