package http

import (
	"context"
	"testing"

	"govahi/commands"
)

// TestTheQuestionIsOperationAndInput: what is the same to a person is the same
// question, and nothing else is.
func TestTheQuestionIsOperationAndInput(t *testing.T) {
	var asked []string
	h := open(t, func(s *Server) {
		Command(s, makeOperation, func(_ context.Context, c commands.Caller, _ *makeThing) (commands.Receipt, Nothing, error) {
			asked = append(asked, string(c.Question))
			return commands.Receipt{}, Nothing{}, nil
		})
	})
	first := `{"name":"one","count":1,"kind":"red"}`
	for _, other := range []struct {
		path, body string
		same       bool
	}{
		{"/things/a", `{ "kind": "red", "count": 1, "name": "\u006fne" }`, true},
		{"/things/a", `{"name":"two","count":1,"kind":"red"}`, false},
		{"/things/a", `{"name":"one","count":2,"kind":"red"}`, false},
		{"/things/a", `{"name":"one","count":1}`, false},
		{"/things/b", first, false},
	} {
		asked = nil
		for _, r := range [][2]string{{"/things/a", first}, {other.path, other.body}} {
			if a := h.ask("POST", r[0], r[1], h.commanding("applicant", "k")...); a.StatusCode != 201 {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
		}
		if same := asked[0] == asked[1]; same != other.same {
			t.Errorf("%s\n%s\nalike: %v", asked[0], asked[1], same)
		}
	}
}
