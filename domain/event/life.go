package event

import (
	"slices"
	"strings"

	"govahi/domain/fault"
)

// Life is what people call the states of a kind of stream, by their status, and
// what each accepts; the empty status is the stream that does not exist. It is
// there to be told to whoever was refused: the deciders decide, and a test
// holds the words against them.
type Life map[string]State

// State is one state of a life.
type State struct {
	Name    fault.Text
	Now     []Act      // what it accepts, those of one person beside each other
	Instead fault.Text // what to do where the story is over
}

// Act is something that is done to a stream.
type Act struct {
	Command any        // of the type that does it
	Name    fault.Text // after “now possible”, after «اکنون می‌توان»
	By      fault.Text // who does it
}

// Refuse is a refusal that also says in which state the stream is, and what is
// possible now.
func (l Life) Refuse(f *fault.Fault, status string) *fault.Fault {
	g, s := *f, l[status]
	now := s.Possible()
	g.Text.Fa += " وضعیت کنونی: «" + s.Name.Fa + "». " + now.Fa
	g.Text.En += " It is now: " + s.Name.En + ". " + now.En
	return &g
}

// Possible says what can be done in this state, and by whom, or what to do
// instead.
func (s State) Possible() fault.Text {
	var now fault.Text
	if len(s.Now) > 0 {
		now.Fa = "اکنون می‌توان: " + s.acts(fa, "، ", "؛ ") + "."
		now.En = "Now possible: " + s.acts(en, ", ", "; ") + "."
	}
	return fault.Text{
		Fa: strings.TrimSpace(now.Fa + " " + s.Instead.Fa), En: strings.TrimSpace(now.En + " " + s.Instead.En),
	}
}

func fa(t fault.Text) string { return t.Fa }

func en(t fault.Text) string { return t.En }

// acts lists the acts by who does them.
func (s State) acts(in func(fault.Text) string, comma, semicolon string) string {
	var groups []string
	for from := 0; from < len(s.Now); {
		to := from
		var names []string
		for ; to < len(s.Now) && s.Now[to].By == s.Now[from].By; to++ {
			if name := in(s.Now[to].Name); !slices.Contains(names, name) { // several commands may be one act to people
				names = append(names, name)
			}
		}
		groups = append(groups, strings.Join(names, comma)+" ("+in(s.Now[from].By)+")")
		from = to
	}
	return strings.Join(groups, semicolon)
}
