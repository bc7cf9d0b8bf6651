package http

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"govahi/adapters/signer"
	"govahi/adapters/web"
	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/event"
	"govahi/domain/fault/faulttest"
	"govahi/queries"
)

// refusing are the files with what may end the CA's work on a request: what they
// refuse for good is told by its code.
var refusing = []string{"../pki/faults.go", "../signer/faults.go", "../../domain/certificate/certificate.go", "../../domain/certificate/renew.go"}

// codesOf are those of a file's faults that are no trouble which passes.
func codesOf(t *testing.T, file string) (codes []string) {
	t.Helper()
	syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 4 {
			return true
		}
		kind, of := call.Args[0].(*ast.SelectorExpr)
		code, literal := call.Args[1].(*ast.BasicLit)
		if of && literal && kind.Sel.Name != "Unavailable" && kind.Sel.Name != "Internal" {
			text, _ := strconv.Unquote(code.Value)
			codes = append(codes, text)
		}
		return true
	})
	return codes
}

func TestEachReasonToGiveARequestBackHasItsWords(t *testing.T) {
	var codes []string
	for _, file := range refusing {
		of := codesOf(t, file)
		if len(of) == 0 {
			t.Errorf("%s refuses nothing", file)
		}
		codes = append(codes, of...)
	}
	for _, f := range returned {
		codes = append(codes, f.Code)
		if _, twice := returnedWords[f.Code]; twice {
			t.Errorf("%s has words twice", f.Code)
		}
	}
	for code := range returnedWords {
		codes = append(codes, code)
	}
	codes = append(codes, commands.ErrNotOfficers.Code, commands.ErrConfirmationVoid.Code)
	for _, code := range codes {
		why := whyReturned(code)
		if code != certificate.ErrNotSuspended.Code && (why.Fa == code || !bilingual(why)) { // nothing on the way asks for a suspended one
			t.Errorf("%s says %+v", code, why)
		}
	}
	if why := whyReturned("of-tomorrow"); why.Fa != "of-tomorrow" || why.En != "of-tomorrow" {
		t.Errorf("an unknown code says %+v", why)
	}
}

// TestBothLanguagesSayWhoConfirmsAVoidConfirmationAnew: whoever's certificate and
// appointment are in force, and that may be the same officer.
func TestBothLanguagesSayWhoConfirmsAVoidConfirmationAnew(t *testing.T) {
	why := whyReturned(commands.ErrConfirmationVoid.Code)
	if !strings.Contains(why.Fa, "مأموری با گواهی و انتصاب معتبر باید آن را از نو تأیید کند") ||
		!strings.Contains(why.En, "an officer whose certificate and appointment are in force must confirm it again") {
		t.Errorf("it says %+v", why)
	}
}

func bilingual(w queries.Words) bool {
	return faulttest.HasPersian(w.Fa) && w.En != "" && !faulttest.HasPersian(w.En)
}

// refuser is a signer that says no.
type refuser struct {
	commands.Signer
	why error
}

func (r refuser) SignCertificate(context.Context, event.Stream, uint64, []byte, []byte) ([]byte, string, error) {
	return nil, "", r.why
}

// TestTheQueueSaysWhyARequestWasGivenBack: the API in both languages, and the
// page in Persian.
func TestTheQueueSaysWhyARequestWasGivenBack(t *testing.T) {
	t.Parallel()
	l := tell(t)
	after := l.givenBack(signer.ErrProfileDiffers)
	var queue []queries.Issuance
	l.get("ca-operator", "/issuance-queue?"+after).json(t, &queue)
	if len(queue) != 1 || queue[0].Failure == nil || *queue[0].Failure != "profile-differs" || queue[0].Why == nil || *queue[0].Why != queries.Words(signer.ErrProfileDiffers.Text) {
		t.Fatalf("the queue is %+v", queue)
	}
	page := l.get("ca-operator", "/dashboard?"+after)
	for _, said := range []string{"آنچه مرکز صدور بازگردانده است", signer.ErrProfileDiffers.Text.Fa, "profile-differs"} {
		if !bytes.Contains(page.body, []byte(said)) {
			t.Errorf("no %q in\n%s", said, page.body)
		}
	}
}

// givenBack has the CA refuse a certificate that the office confirmed and asked
// for.
func (l *told) givenBack(why error) (after string) {
	l.t.Helper()
	l.app.Signer = refuser{l.app.Signer, why}
	l.confirmed("TOKEN1")
	_, after = l.done("officer-1", "/requests/"+l.code+"/issuance", map[string]string{"token": "TOKEN1", "csr": newCSR(l.t)})
	return after
}

// TestTheOfficeSeesThatTheCAGaveItsRequestBack: and why, and what to do, until
// that is done; the timeline keeps it.
func TestTheOfficeSeesThatTheCAGaveItsRequestBack(t *testing.T) {
	t.Parallel()
	l := tell(t)
	after := l.givenBack(commands.ErrConfirmationVoid)
	var p Progress
	l.get("officer-1", "/requests/"+l.code+"?"+after).json(t, &p)
	why := whyReturned("confirmation-void")
	if p.State != "controlled" || p.Failure == nil || *p.Failure != "confirmation-void" || p.Why == nil || *p.Why != why {
		t.Fatalf("the office sees %+v", p)
	}
	if !strings.Contains(p.Now, "مرکز صدور") || !strings.Contains(p.Now, "بازگردانده") || p.Next != why.Fa {
		t.Errorf("the office is told %q, %q", p.Now, p.Next)
	}
	kept := func(when string) {
		t.Helper()
		var causes []string
		for _, s := range p.Timeline {
			if s.Failure != nil && s.Why != nil && *s.Why == why {
				causes = append(causes, s.State+" "+*s.Failure)
			}
		}
		if !slices.Equal(causes, []string{"controlled confirmation-void"}) {
			t.Errorf("%s: the timeline says %v of %+v", when, causes, p.Timeline)
		}
	}
	kept("given back")
	var review commands.Review
	l.get("officer-2", "/requests/"+l.code+"/record").json(t, &review)
	l.does("officer-2", "confirmation", "confirmed", confirming("officer-2", review))
	p = Progress{}
	l.get("officer-1", "/requests/"+l.code).json(t, &p)
	if p.State != "confirmed" || p.Failure != nil || p.Why != nil || p.Next != web.StandOf("confirmed").Next {
		t.Errorf("confirmed anew, it says %+v", p)
	}
	kept("confirmed anew")
}

// TestAFailureStandsUntilItsRemedy: a request that the CA gave back confirmed
// until it goes there again, one that must be confirmed anew until it is.
func TestAFailureStandsUntilItsRemedy(t *testing.T) {
	way := func(failed int, states ...string) (steps []queries.Step) {
		for i, s := range states {
			step := queries.Step{State: s}
			if i == failed {
				step.Failure = new("key-weak")
			}
			steps = append(steps, step)
		}
		return steps
	}
	for _, c := range []struct {
		steps  []queries.Step
		stands bool
	}{
		{nil, false},
		{way(-1, "at-ca", "issued"), false},
		{way(1, "at-ca", "confirmed"), true},
		{way(1, "at-ca", "confirmed", "under-control"), true},
		{way(1, "at-ca", "confirmed", "needs-correction"), true},
		{way(1, "at-ca", "confirmed", "at-ca"), false},
		{way(1, "at-ca", "confirmed", "rejected"), false},
		{way(1, "at-ca", "controlled", "under-control", "controlled"), true},
		{way(1, "at-ca", "controlled", "confirmed"), false},
		{way(1, "at-ca", "confirmed", "at-ca", "issued"), false},
	} {
		if got := standing(c.steps); (got != nil) != c.stands {
			t.Errorf("%+v: %v", c.steps, got)
		}
	}
}
