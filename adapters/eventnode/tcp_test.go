package eventnode_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventnode/tlstest"
)

var mina = eventnode.User{Name: "mina", Password: "right:password"}

// outside is a node that serves TCP, and how to trust it.
type outside struct {
	*eventnode.Node
	address string
	trusts  *tls.Config // nil is plain
	cert    [2]string   // files
	ca      *tlstest.CA
	ended   chan struct{} // closed when it serves no more
}

func (o outside) credentials() credentials.TransportCredentials {
	if o.trusts == nil {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(o.trusts)
}

func (o outside) dial(t *testing.T) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(o.address, grpc.WithTransportCredentials(o.credentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// get asks for a page, as browsers and curl do.
func (o outside) get(t *testing.T, page, user, password string) (int, string) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: o.trusts, DisableKeepAlives: true, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	scheme := "http"
	if o.trusts != nil {
		scheme = "https"
	}
	r, err := http.NewRequestWithContext(soon(t), http.MethodGet, scheme+"://"+o.address+page, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func serveOutside(t *testing.T, secured bool, users ...eventnode.User) outside {
	t.Helper()
	o := outside{Node: openNode(t, t.TempDir(), eventnode.Options{Users: users})}
	var secure *tls.Config
	if secured {
		o.ca = tlstest.NewCA(t)
		o.cert[0], o.cert[1] = o.ca.Issue(t, t.TempDir())
		var err error
		if secure, err = eventnode.TLS(o.cert[0], o.cert[1]); err != nil {
			t.Fatal(err)
		}
		o.trusts = &tls.Config{RootCAs: x509.NewCertPool()}
		root, err := os.ReadFile(o.ca.File)
		if err != nil || !o.trusts.RootCAs.AppendCertsFromPEM(root) {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.address = l.Addr().String()
	o.ended = make(chan struct{})
	go func() {
		defer close(o.ended)
		if err := o.ServeTCP(l, secure); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
		<-o.ended
	})
	return o
}

func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

func bearing(t *testing.T, authorization ...string) context.Context {
	ctx := soon(t)
	for _, a := range authorization {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", a)
	}
	return ctx
}

// callWith calls a method with an empty message, and the credentials that the
// context bears.
func callWith(t *testing.T, ctx context.Context, conn *grpc.ClientConn, method string) (codes.Code, string) {
	t.Helper()
	call, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		t.Fatal(err)
	}
	_ = call.SendMsg(&shared.Empty{})
	_ = call.CloseSend()
	err = call.RecvMsg(&shared.Empty{})
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return status.Code(err), strings.Join(call.Trailer().Get("exception"), ",")
}

func TestWhoMayCall(t *testing.T) {
	for _, node := range []struct {
		name    string
		secured bool
		users   []eventnode.User
	}{{"plain, no users", false, nil}, {"plain, users", false, []eventnode.User{mina}}, {"TLS, users", true, []eventnode.User{mina}}} {
		t.Run(node.name, func(t *testing.T) {
			o := serveOutside(t, node.secured, node.users...)
			conn := o.dial(t)
			for _, method := range contract() {
				open := method == gossip.Gossip_Read_FullMethodName || method == serverfeatures.ServerFeatures_GetSupportedMethods_FullMethodName
				code, exception := callWith(t, bearing(t), conn, method)
				if open && code != codes.OK || !open && node.users != nil && (code != codes.PermissionDenied || exception != "access-denied") ||
					node.users == nil && code == codes.PermissionDenied {
					t.Errorf("%s, by nobody: %v, %q", method, code, exception)
				}
				if node.users == nil {
					continue
				}
				if code, _ := callWith(t, bearing(t, basic("mina", "right:password")), conn, method); code == codes.Unauthenticated || code == codes.PermissionDenied {
					t.Errorf("%s, by mina: %v", method, code)
				}
			}
		})
	}
}

func TestWrongCredentialsAreRefusedEverywhere(t *testing.T) {
	for _, users := range [][]eventnode.User{nil, {mina}} {
		wrong := [][]string{
			{basic("mina", "wrong")},
			{basic("mina", "")},
			{basic("", "")},
			{basic("admin", "changeit")},
			{basic("Mina", "right:password")},
			{"Bearer right:password"},
			{"Basic"},
			{""},
			{"Basic !"},
			{basic("mina", "right:password"), basic("mina", "right:password")},
		}
		for _, authorization := range wrong {
			o := serveOutside(t, false, users...) // each counts its guesses
			conn := o.dial(t)
			for _, method := range []string{
				streams.Streams_Append_FullMethodName, streams.Streams_BatchAppend_FullMethodName, streams.Streams_Read_FullMethodName,
				gossip.Gossip_Read_FullMethodName, serverfeatures.ServerFeatures_GetSupportedMethods_FullMethodName, "/event_store.client.users.Users/Create",
			} {
				if code, _ := callWith(t, bearing(t, authorization...), conn, method); code != codes.Unauthenticated {
					t.Errorf("%q on %s: %v", authorization, method, code)
				}
			}
		}
		o := serveOutside(t, true, users...)
		for _, page := range []string{"/health/live", "/gossip", "/"} {
			if code, _ := o.get(t, page, "mina", "wrong"); code != http.StatusUnauthorized {
				t.Errorf("%s: %d", page, code)
			}
		}
	}
}

// Whoever comes by the house's own socket needs no password.
func TestTheHouseNeedsNoPassword(t *testing.T) {
	conn := dialNode(t, openNode(t, t.TempDir(), eventnode.Options{Users: []eventnode.User{mina}}))
	if _, _, err := send(t, conn, noStream(), message(idA, 1, typed())); err != nil {
		t.Fatal(err)
	}
}

// Guessing is slow, but not for a connection that has shown a right password.
func TestGuessingIsSlow(t *testing.T) {
	o := serveOutside(t, false, mina)
	known, guesser := o.dial(t), o.dial(t)
	features := serverfeatures.ServerFeatures_GetSupportedMethods_FullMethodName
	right := basic("mina", "right:password")
	if code, _ := callWith(t, bearing(t, right), known, features); code != codes.OK {
		t.Fatal(code)
	}
	for range 30 {
		if code, _ := callWith(t, bearing(t, basic("mina", "wrong")), guesser, features); code != codes.Unauthenticated {
			t.Fatal(code)
		}
	}
	if code, _ := callWith(t, bearing(t, right), guesser, features); code != codes.Unauthenticated {
		t.Errorf("after 30 guesses the right password passes: %v", code)
	}
	if code, _ := callWith(t, bearing(t, right), known, features); code != codes.OK {
		t.Errorf("a known connection is refused: %v", code)
	}
	if code, _ := callWith(t, bearing(t), guesser, features); code != codes.OK {
		t.Errorf("nobody is refused: %v", code)
	}
}

func TestPages(t *testing.T) {
	for _, secured := range []bool{false, true} {
		o := serveOutside(t, secured, mina)
		if code, body := o.get(t, "/health/live", "", ""); code != http.StatusNoContent || body != "" {
			t.Errorf("/health/live: %d, %q", code, body)
		}
		if code, _ := o.get(t, "/health/live", "mina", "right:password"); code != http.StatusNoContent {
			t.Errorf("/health/live as mina: %d", code)
		}
		if code, body := o.get(t, "/stats", "", ""); code != http.StatusNotFound || !strings.Contains(body, "gRPC") {
			t.Errorf("/stats: %d, %q", code, body)
		}
		code, body := o.get(t, "/gossip", "", "")
		var cluster struct {
			Members []struct {
				InstanceID, State, HTTPEndPointIP string
				IsAlive                           bool
				TimeStamp                         time.Time
				HTTPEndPointPort                  int
			}
		}
		if err := json.Unmarshal([]byte(body), &cluster); err != nil || code != http.StatusOK || len(cluster.Members) != 1 {
			t.Fatalf("/gossip: %d, %s, %v", code, body, err)
		}
		m := cluster.Members[0]
		if m.State != "Leader" || !m.IsAlive || fmt.Sprint(m.HTTPEndPointIP, ":", m.HTTPEndPointPort) != o.address || m.TimeStamp.IsZero() {
			t.Errorf("/gossip: %s", body)
		}
		info, err := gossip.NewGossipClient(o.dial(t)).Read(soon(t), &shared.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		id := info.Members[0].GetInstanceId().GetStructured()
		if want := fmt.Sprintf("%016x%016x", uint64(id.GetMostSignificantBits()), uint64(id.GetLeastSignificantBits())); strings.ReplaceAll(m.InstanceID, "-", "") != want {
			t.Errorf("two names for one node: %s, %s", m.InstanceID, want)
		}
	}
}

// What is neither gRPC nor HTTP, what says nothing and what says too little
// neither disturbs the node nor outlives it.
func TestOddVisitors(t *testing.T) {
	before := goleak.IgnoreCurrent()
	for _, secured := range []bool{false, true} {
		t.Run(fmt.Sprint("TLS ", secured), func(t *testing.T) {
			o := serveOutside(t, secured)
			for _, words := range []string{
				"", "P", "PRI", "PRI ", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET ", "GET / HTTP/1.1\r\nHost: x\r\nX: ",
				"\x16\x03\x01", strings.Repeat("x", 1<<20),
			} {
				for _, inTLS := range []bool{false, true} {
					if inTLS && !secured {
						continue
					}
					visit(t, o, words, inTLS)
				}
			}
			if code, _ := o.get(t, "/health/live", "", ""); code != http.StatusNoContent {
				t.Errorf("/health/live: %d", code)
			}
			if _, _, err := send(t, o.dial(t), noStream(), message(idA, 1, typed())); err != nil {
				t.Error(err)
			}
			stopsSoon(t, o.Node)
			select {
			case <-o.ended:
			case <-time.After(5 * time.Second):
				t.Error("somebody is still served")
			}
		})
	}
	goleak.VerifyNone(t, append(forgotten, before)...)
}

// visit says something and stays.
func visit(t *testing.T, o outside, words string, inTLS bool) {
	t.Helper()
	conn := call(t, o)
	if inTLS {
		conn = tls.Client(conn, &tls.Config{RootCAs: o.trusts.RootCAs, ServerName: "localhost"})
	}
	if _, err := conn.Write([]byte(words)); err != nil && len(words) < 1<<20 { // which may be cut off
		t.Fatal(err)
	}
}

// The door has places for so many, and for half of the process's descriptors at
// most; the next come in when others go.
func TestDoorIsNarrow(t *testing.T) {
	var limit, few unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	few.Cur, few.Max = 256, limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	o := serveOutside(t, false)
	conn := o.dial(t)
	if _, _, err := send(t, conn, noStream(), message(idA, 1, typed())); err != nil { // one place is taken
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil { // our own ends need some, too
		t.Fatal(err)
	}
	var crowd []net.Conn
	for range 127 {
		crowd = append(crowd, call(t, o))
	}
	late := call(t, o)
	if _, err := io.WriteString(late, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := late.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := late.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("there was room: %v", err)
	}
	if n := stored(t, conn, "wire"); n != 1 {
		t.Errorf("who is in already reads %d events", n)
	}
	if err := errors.Join(crowd[0].Close(), late.SetReadDeadline(time.Now().Add(20*time.Second))); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(late).ReadString('\n'); err != nil || !strings.Contains(line, "204") {
		t.Fatalf("%q, %v", line, err)
	}
}

// call comes to the door and says nothing.
func call(t *testing.T, o outside) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", o.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestTLS(t *testing.T) {
	o := serveOutside(t, true, mina)
	for name, client := range map[string]*tls.Config{
		"TLS 1.1":             {RootCAs: o.trusts.RootCAs, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"another authority":   {RootCAs: x509.NewCertPool()},
		"another application": {RootCAs: o.trusts.RootCAs, NextProtos: []string{"smtp"}},
	} {
		if conn, err := tls.Dial("tcp", o.address, client); err == nil {
			t.Errorf("%s is served", name)
			conn.Close()
		}
	}
	first := shown(t, o)
	if again := shown(t, o); again != first {
		t.Errorf("%s, then %s", first, again)
	}
	if err := os.WriteFile(o.cert[1], []byte("half"), 0o600); err != nil { // a renewal under way
		t.Fatal(err)
	}
	if again := shown(t, o); again != first {
		t.Errorf("%s, then %s", first, again)
	}
	fresh, key := o.ca.Issue(t, t.TempDir())
	if err := errors.Join(os.Rename(fresh, o.cert[0]), os.Rename(key, o.cert[1])); err != nil {
		t.Fatal(err)
	}
	if again := shown(t, o); again == first {
		t.Error("the renewed certificate is not shown")
	}
	if _, err := eventnode.TLS(o.cert[0], "/nowhere"); err == nil {
		t.Error("a certificate without its key is taken")
	}
}

// shown is the serial of the certificate that a node shows.
func shown(t *testing.T, o outside) string {
	t.Helper()
	conn, err := tls.Dial("tcp", o.address, o.trusts)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

func TestParseUser(t *testing.T) {
	if u, err := eventnode.ParseUser("mina:right:password"); u != mina || err != nil {
		t.Errorf("%v, %v", u, err)
	}
	for _, text := range []string{"", "secret", ":secret", "secret:"} {
		if _, err := eventnode.ParseUser(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
