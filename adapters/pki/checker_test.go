package pki_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"govahi/adapters/pki"
	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/event"
)

// told is a log that a checker reads.
type told struct {
	*testing.T
	ca
	log     *memlog.Log
	checker *pki.Checker
	n       int
}

func telling(t *testing.T) *told {
	c, log := newCA(t, p256(t)), memlog.New()
	return &told{T: t, ca: c, log: log, checker: c.Checker(log)}
}

// tell appends one event at the end of a stream.
func tell[S any](x *told, kind event.Kind[S], stream event.Stream, e event.Event) {
	x.Helper()
	at := 0
	for range x.log.Read(context.Background(), stream, 0) {
		at++
	}
	x.n++
	proposed, err := kind.Encode(context.Background(), nil, stream, event.Meta{CommandID: fmt.Sprint(x.n)}, []event.Event{e})
	must(x.T, err)
	_, err = x.log.Append(context.Background(), stream, event.Expected(at)-1, proposed...)
	must(x.T, err)
}

func (x *told) serial(n int) string { return fmt.Sprintf("67%034x", n) }

func (x *told) revoke(n int, r certificate.Reason, at time.Time) {
	e := certificate.Revoked{Serial: x.serial(n), Reason: r, At: at, Issuer: x.Issuer(), NotAfter: x.now.AddDate(1, 0, 0)}
	tell(x, certificate.Kind, certificate.Kind.Stream(e.Serial), e)
}

func (x *told) head() event.Position {
	head, err := x.log.Head(context.Background())
	must(x.T, err)
	return head
}

func (x *told) check(tbs []byte) error { return x.checker.Check(context.Background(), tbs, x.head()) }

func (x *told) list(number uint64, revoked ...commands.RevokedSerial) []byte {
	x.Helper()
	tbs, err := x.EncodeCRL(number, x.now, revoked)
	must(x.T, err)
	return tbs
}

func (x *told) line(n int, r certificate.Reason, at time.Time) commands.RevokedSerial {
	return commands.RevokedSerial{Serial: x.serial(n), Reason: r, At: at}
}

// three are revoked, each for a reason of its own.
func (x *told) three() []commands.RevokedSerial {
	var lines []commands.RevokedSerial
	for n, r := range []certificate.Reason{certificate.Superseded, certificate.KeyCompromise, certificate.PrivilegeWithdrawn} {
		at := x.now.Add(time.Duration(n-5) * time.Hour)
		x.revoke(n, r, at)
		lines = append(lines, x.line(n, r, at))
	}
	return lines
}

func TestTheCheckerAcceptsWhatTheLogSays(t *testing.T) {
	x := telling(t)
	must(t, x.check(x.list(1)))
	lines := x.three()
	must(t, x.check(x.list(1, lines...)))
	must(t, x.checker.Follow(t.Context()))
	must(t, x.check(x.list(1, lines...)))
	x.revoke(0, certificate.KeyCompromise, x.now) // trust does not end later
	lines[0].Reason = certificate.KeyCompromise
	must(t, x.check(x.list(1, lines...)))
}

func TestTheCheckerRefusesAListThatDiffers(t *testing.T) {
	for name, c := range map[string]struct {
		list func(x *told, lines []commands.RevokedSerial) []byte
		want string
	}{
		"a line less": {func(x *told, l []commands.RevokedSerial) []byte { return x.list(5, l[1:]...) }, "has 2 entries, and the log knows 3"},
		"none at all": {func(x *told, _ []commands.RevokedSerial) []byte { return x.list(5) }, "has 0 entries"},
		"a line more": {func(x *told, l []commands.RevokedSerial) []byte {
			return x.list(5, append(l, x.line(9, certificate.Superseded, x.now))...)
		}, "the log knows no revocation"},
		"another line": {func(x *told, l []commands.RevokedSerial) []byte {
			return x.list(5, append(l[:2], x.line(9, certificate.Superseded, x.now))...)
		}, "the log knows no revocation"},
		"another reason": {func(x *told, l []commands.RevokedSerial) []byte {
			l[1].Reason = certificate.Superseded
			return x.list(5, l...)
		}, "wrong reason"},
		"no reason": {func(x *told, l []commands.RevokedSerial) []byte {
			l[1].Reason = ""
			return x.list(5, l...)
		}, "wrong reason"},
		"another time": {func(x *told, l []commands.RevokedSerial) []byte {
			l[1].At = l[1].At.Add(time.Second)
			return x.list(5, l...)
		}, "wrong time"},
		"a used number": {func(x *told, l []commands.RevokedSerial) []byte { return x.list(4, l...) }, "not above 4"},
		"an earlier time": {func(x *told, l []commands.RevokedSerial) []byte {
			x.now = x.now.Add(-2 * time.Hour)
			return x.list(5, l...)
		}, "go back"},
		"another issuer": {func(x *told, l []commands.RevokedSerial) []byte {
			tbs, err := newCA(x.T, p256(x.T)).EncodeCRL(5, x.now, l)
			must(x.T, err)
			return tbs
		}, "issuer or key identifier"},
		"out of order": {func(x *told, l []commands.RevokedSerial) []byte {
			slices.Reverse(l)
			return x.list(5, l...)
		}, "out of order"},
		"cut off":    {func(x *told, l []commands.RevokedSerial) []byte { tbs := x.list(5, l...); return tbs[:len(tbs)-1] }, "not of the form"},
		"more of it": {func(x *told, l []commands.RevokedSerial) []byte { return append(x.list(5, l...), 0) }, "not of the form"},
		"nothing":    {func(*told, []commands.RevokedSerial) []byte { return nil }, "not of the form"},
	} {
		t.Run(name, func(t *testing.T) {
			x := telling(t)
			lines := x.three()
			series := crl.Kind.Stream(x.Issuer())
			tell(x, crl.Kind, series, crl.Intended{Number: 3, ThisUpdate: x.now.Add(-time.Hour)})
			tell(x, crl.Kind, series, crl.Signed{Number: 3})
			tell(x, crl.Kind, series, crl.Intended{Number: 4, ThisUpdate: x.now.Add(-time.Minute)})
			must(t, x.check(x.list(5, lines...)))
			err := x.check(c.list(x, slices.Clone(lines)))
			if !errors.Is(err, commands.ErrListRefused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestAnyChangedByteOfALineIsSeen changes each byte of the entries and extensions.
func TestAnyChangedByteOfALineIsSeen(t *testing.T) {
	x := telling(t)
	lines := x.three()
	tbs := x.list(1, lines...)
	first, _ := hex.DecodeString(lines[0].Serial)
	from := strings.Index(string(tbs), string(first)) - 4
	for i := from; i < len(tbs); i++ {
		wrong := slices.Clone(tbs)
		if wrong[i] ^= 1; i == len(tbs)-1 {
			continue // the number: any that was not used is as good
		}
		if err := x.check(wrong); !errors.Is(err, commands.ErrListRefused) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
}

func TestTheCheckerKnowsSuspensions(t *testing.T) {
	x := telling(t)
	x.revoke(1, certificate.Superseded, x.now)
	held, stream := x.line(2, certificate.CertificateHold, x.now), certificate.Kind.Stream(x.serial(2))
	tell(x, certificate.Kind, stream, certificate.IssuanceIntended{Serial: x.serial(2), Issuer: x.Issuer(), NotAfter: x.now.AddDate(1, 0, 0)})
	tell(x, certificate.Kind, stream, certificate.Suspended{Serial: x.serial(2), At: x.now})
	must(t, x.check(x.list(1, x.line(1, certificate.Superseded, x.now), held)))
	tell(x, certificate.Kind, stream, certificate.SuspensionLifted{Serial: x.serial(2), At: x.now})
	must(t, x.check(x.list(1, x.line(1, certificate.Superseded, x.now))))
	tell(x, certificate.Kind, stream, certificate.Suspended{Serial: x.serial(2), At: x.now})
	x.revoke(2, certificate.KeyCompromise, x.now.Add(time.Hour)) // of the final reason
	must(t, x.check(x.list(1, x.line(1, certificate.Superseded, x.now), x.line(2, certificate.KeyCompromise, x.now.Add(time.Hour)))))
}

// TestWhatWasHeldAndLiftedBetweenTwoListsIsNotListed: a checker that was just
// started reads every suspension of the log at once.
func TestWhatWasHeldAndLiftedBetweenTwoListsIsNotListed(t *testing.T) {
	x := telling(t)
	stream := certificate.Kind.Stream(x.serial(2))
	tell(x, certificate.Kind, stream, certificate.IssuanceIntended{Serial: x.serial(2), Issuer: x.Issuer(), NotAfter: x.now.AddDate(1, 0, 0)})
	tell(x, certificate.Kind, stream, certificate.Suspended{Serial: x.serial(2), Issuer: x.Issuer(), At: x.now})
	tell(x, certificate.Kind, stream, certificate.SuspensionLifted{Serial: x.serial(2), At: x.now})
	must(t, x.check(x.list(1)))
}

func TestTheCheckerWantsTheExpiredOnceMore(t *testing.T) {
	x := telling(t)
	end := x.now.Add(-time.Hour)
	e := certificate.Revoked{Serial: x.serial(1), Reason: certificate.Superseded, At: x.now.AddDate(0, -1, 0), Issuer: x.Issuer(), NotAfter: end}
	tell(x, certificate.Kind, certificate.Kind.Stream(e.Serial), e)
	line, series := x.line(1, e.Reason, e.At), crl.Kind.Stream(x.Issuer())
	for _, c := range []struct {
		last   time.Duration
		listed bool
	}{{-time.Minute, true}, {time.Minute, false}} {
		tell(x, crl.Kind, series, crl.Intended{Number: uint64(x.n), ThisUpdate: end.Add(c.last)})
		tell(x, crl.Kind, series, crl.Signed{Number: uint64(x.n - 1)})
		if err := x.check(x.list(9, line)); (err == nil) != c.listed {
			t.Errorf("listed, %v after its end: %v", c.last, err)
		}
		if err := x.check(x.list(9)); (err == nil) == c.listed {
			t.Errorf("left out, %v after its end: %v", c.last, err)
		}
	}
}

// TestOldRevocationsAreLookedUp: certificate.revoked.v1 said neither issuer nor end.
func TestOldRevocationsAreLookedUp(t *testing.T) {
	for _, n := range []int{1, 150} {
		x := telling(t)
		var lines []commands.RevokedSerial
		for i := range n {
			stream := certificate.Kind.Stream(x.serial(i))
			issuer := x.Issuer()
			if i%3 == 2 {
				issuer = "another"
			}
			tell(x, certificate.Kind, stream, certificate.IssuanceIntended{Serial: x.serial(i), Issuer: issuer, NotAfter: x.now.AddDate(1, 0, 0)})
			tell(x, certificate.Kind, stream, certificate.Revoked{Serial: x.serial(i), Reason: certificate.Superseded, At: x.now})
			if issuer == x.Issuer() {
				lines = append(lines, x.line(i, certificate.Superseded, x.now))
			}
		}
		tell(x, certificate.Kind, certificate.Kind.Stream(x.serial(n)), certificate.Revoked{Serial: x.serial(n), Reason: certificate.Superseded, At: x.now})
		must(t, x.check(x.list(1, append(lines, x.line(n, certificate.Superseded, x.now))...))) // the last was never intended
	}
}
