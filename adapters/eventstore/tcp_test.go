package eventstore_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventnode/tlstest"
	"govahi/adapters/eventstore"
	"govahi/commands/logtest"
	"govahi/domain/event"
)

var mina = eventnode.User{Name: "mina", Password: "p:a/s s@?"}

// serveTCP lets a new node answer over TCP until the test ends.
func serveTCP(t testing.TB, secure *tls.Config, users ...eventnode.User) (address string) {
	t.Helper()
	node, err := eventnode.Open(t.Context(), t.TempDir(), eventnode.Options{Users: users})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- node.ServeTCP(l, secure) }()
	t.Cleanup(func() {
		if err := errors.Join(node.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// serveTLS is a node with TLS and a user, and the authority of its certificate.
func serveTLS(t testing.TB) (address string, ca *tlstest.CA) {
	t.Helper()
	ca = tlstest.NewCA(t)
	secure, err := eventnode.TLS(ca.Issue(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return serveTCP(t, secure, mina), ca
}

func TestLogOverTCP(t *testing.T) {
	leavesNothing(t)
	target := fmt.Sprintf("esdb://%s?tls=false", serveTCP(t, nil))
	logtest.Run(t, func(t *testing.T) event.Log { return open(t, target) })
}

func TestLogOverTLS(t *testing.T) {
	leavesNothing(t)
	address, ca := serveTLS(t)
	for name, target := range map[string]string{
		"one address": "esdb://mina:p%%3Aa%%2Fs%%20s%%40%%3F@%s?tls=true&tlsCaFile=%s",
		"by gossip":   "esdb+discover://mina:p%%3Aa%%2Fs%%20s%%40%%3F@%s?tlsCaFile=%s",
	} {
		t.Run(name, func(t *testing.T) {
			logtest.Run(t, func(t *testing.T) event.Log { return open(t, fmt.Sprintf(target, address, ca.File)) })
		})
	}
}

func TestStrangersAreRefused(t *testing.T) {
	leavesNothing(t)
	address, ca := serveTLS(t)
	other := tlstest.NewCA(t)
	for name, test := range map[string]struct {
		who, ca string
		want    codes.Code
	}{
		"a wrong password":            {"mina:wrong@", ca.File, codes.Unauthenticated},
		"an unknown name":             {"nobody:wrong@", ca.File, codes.Unauthenticated},
		"nobody":                      {"", ca.File, codes.PermissionDenied},
		"a node of another authority": {"mina:p%3Aa%2Fs%20s%40%3F@", other.File, codes.Unavailable},
		"a node of unknown authority": {"mina:p%3Aa%2Fs%20s%40%3F@", "", codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			target := fmt.Sprintf("esdb://%s%s?maxDiscoverAttempts=1", test.who, address)
			if test.ca != "" {
				target += "&tlsCaFile=" + test.ca
			}
			log := open(t, target)
			if err := appendOne(t.Context(), log, "a"); codeOf(err) != test.want {
				t.Errorf("append: %v", err)
			}
			if err := readError(t, log); codeOf(err) != test.want {
				t.Errorf("read: %v", err)
			}
			for _, err := range log.Subscribe(t.Context(), 0) {
				if codeOf(err) != test.want {
					t.Errorf("subscription: %v", err)
				}
				break
			}
		})
	}
}

// codeOf is Unavailable for what our own error says, too.
func codeOf(err error) codes.Code {
	if errors.Is(err, eventstore.ErrUnavailable) {
		return codes.Unavailable
	}
	return status.Code(err)
}

// A connection string holds a password: no error repeats it.
func TestBadConnectionStringIsNotRepeated(t *testing.T) {
	for _, target := range []string{"esdb://mina:sec/ret@host:1", "esdb://mina:sec%zzret@host", "esdb://mina:secret@host:port", "esdb://mina:secret@host?tls=perhaps"} {
		_, err := eventstore.Open(target)
		if err == nil || strings.Contains(err.Error(), "sec") {
			t.Errorf("%v", err)
		}
	}
}
