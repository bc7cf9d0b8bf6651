package govahi_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/person"
)

// beside are the conflicts that are not about the stream's own state: their own
// words name the remedy.
var beside = []string{
	"tracking-code-taken",    // the door derives the next code
	"issuance-attempt-taken", // a handler's, never a person's
	"acceptance-late",        // it is revoked in a moment
	"certificate-expired",    // no state of the serial: its time is over
	"email-code-not-sent", "control-not-required", "record-changed",
	"token-not-delivered", "token-not-at-unit", "certificate-not-valid", // the door tells of the request
}

// TestRefusalsTellTheTruth expects what a refusal calls possible to be what the
// deciders accept, in each state, and each refusal for a state to say it.
func TestRefusalsTellTheTruth(t *testing.T) {
	for _, m := range machines() {
		for _, complaint := range m.untold() {
			t.Error(complaint)
		}
	}
}

func (m explored[S]) untold() []string {
	var wrong []string
	f := m.explore()
	complain := func(status, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s, %s: ", m.kind.Category, orNone(status))+fmt.Sprintf(format, args...))
	}
	for _, status := range f.statuses {
		for _, refused := range f.refused[status] {
			if !says(refused, m.kind.Life, status) {
				complain(status, "%s does not say what is possible: %s", refused, refused.Text.En)
			}
		}
		if s, told := m.kind.Life[status]; told {
			m.judge(f, status, s, func(format string, args ...any) { complain(status, format, args...) })
		} else if m.kind.Life != nil {
			complain(status, "this state has no name")
		}
	}
	for status := range m.kind.Life {
		if !slices.Contains(f.statuses, status) {
			complain(status, "no command leads to this state")
		}
	}
	return wrong
}

// says tells whether a conflict names the state and what is possible in it, in
// both languages.
func says(refused *fault.Fault, life event.Life, status string) bool {
	if refused.Kind != fault.Conflict || slices.Contains(beside, refused.Code) {
		return true
	}
	s, told := life[status]
	possible := s.Possible()
	return told && strings.Contains(refused.Text.Fa, "«"+s.Name.Fa+"». "+possible.Fa) &&
		strings.Contains(refused.Text.En, s.Name.En+". "+possible.En)
}

func (m explored[S]) judge(f findings, status string, s event.State, complain func(string, ...any)) {
	told := map[string]bool{}
	for _, act := range s.Now {
		name := fmt.Sprintf("%T", act.Command)
		told[name] = true
		if !f.accepted[[2]string{status, name}] {
			complain("%s is called possible and never accepted", name)
		}
		for _, text := range []fault.Text{act.Name, act.By} {
			if text.Fa == "" || text.En == "" {
				complain("%s is not named in both languages", name)
			}
		}
	}
	for _, name := range m.commands() {
		if f.accepted[[2]string{status, name}] && !told[name] {
			complain("%s is accepted and not called possible", name)
		}
	}
	if s.Name.Fa == "" || s.Name.En == "" || (s.Instead.Fa == "") != (s.Instead.En == "") {
		complain("it is not named in both languages")
	}
	if f.leadsNowhere(status) && s.Instead.Fa == "" && len(s.Now) == 0 {
		complain("it does not say what to do instead")
	}
}

// leadsNowhere tells whether the story is over.
func (f findings) leadsNowhere(status string) bool {
	for edge := range f.edges {
		if edge[0] == status {
			return false
		}
	}
	return true
}

func TestAnUntrueLifeIsFound(t *testing.T) {
	for name, spoil := range map[string]func(event.Life){
		"an act is left out":    func(l event.Life) { l["ordered"] = event.State{Name: l["ordered"].Name} },
		"an act is not there":   func(l event.Life) { s := l["erased"]; s.Now = l[""].Now; l["erased"] = s },
		"a state is left out":   func(l event.Life) { delete(l, "ordered") },
		"a state is not there":  func(l event.Life) { l["gone"] = l["erased"] },
		"nothing to do instead": func(l event.Life) { l["erased"] = event.State{Name: l["erased"].Name} },
		"one language":          func(l event.Life) { s := l["ordered"]; s.Name.Fa = ""; l["ordered"] = s },
		"another language's":    func(l event.Life) { s := l[""]; s.Name.En = "other"; l[""] = s },
	} {
		m := people().(explored[person.Person])
		if wrong := m.untold(); len(wrong) != 0 {
			t.Fatal(wrong)
		}
		m.kind.Life = maps.Clone(m.kind.Life)
		spoil(m.kind.Life)
		if len(m.untold()) == 0 {
			t.Errorf("%s, and nobody complains", name)
		}
	}
}
