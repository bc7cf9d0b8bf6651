package govahi_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
)

// machine is a kind of stream whose states are explored and printed.
type machine interface {
	commands() []string // as pkg.Type
	print() string
	untold() []string // what its life does not tell, or tells wrongly
}

// explored is a machine over states of type S. States with the same key are
// taken to be alike, so that the exploration ends.
type explored[S any] struct {
	kind    event.Kind[S]
	about   string
	order   []string // of the states, for reading; else in the order of discovery
	status  func(S) string
	key     func(S) string
	samples []sample[S]
}

// sample is a command to try in each state; the label tells samples of one
// command apart.
type sample[S any] struct {
	label   string
	command func(S) event.Command[S]
}

// try is a sample that is the same in every state.
func try[S any](c event.Command[S]) sample[S] { return tryAs("", c) }

func tryAs[S any](label string, c event.Command[S]) sample[S] {
	return sample[S]{label, func(S) event.Command[S] { return c }}
}

func (s sample[S]) of() string {
	var zero S
	return fmt.Sprintf("%T", s.command(zero))
}

func (s sample[S]) row() string {
	_, name, _ := strings.Cut(s.of(), ".")
	if s.label == "" {
		return name
	}
	return name + ", " + s.label
}

func (m explored[S]) commands() []string {
	var names []string
	for _, s := range m.samples {
		names = append(names, s.of())
	}
	return names
}

// findings is what an exploration saw.
type findings struct {
	statuses []string                     // in the order of discovery
	outcomes map[[2]string]map[string]int // by status and row
	edges    map[[2]string][]string       // by status and next status: rows
	accepted map[[2]string]bool           // by status and command, as pkg.Type
	refused  map[string][]*fault.Fault    // by status
}

// explore goes breadth-first from the stream that does not exist.
func (m explored[S]) explore() findings {
	f := findings{
		outcomes: map[[2]string]map[string]int{}, edges: map[[2]string][]string{},
		accepted: map[[2]string]bool{}, refused: map[string][]*fault.Fault{},
	}
	var zero S
	seen, queue := map[string]bool{m.key(zero): true}, []S{zero}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if !slices.Contains(f.statuses, m.status(s)) {
			f.statuses = append(f.statuses, m.status(s))
		}
		for _, sample := range m.samples {
			next := m.try(&f, s, sample)
			if key := m.key(next); !seen[key] {
				seen[key], queue = true, append(queue, next)
			}
		}
	}
	slices.SortStableFunc(f.statuses, func(a, b string) int {
		return slices.Index(m.order, a) - slices.Index(m.order, b)
	})
	return f
}

func (m explored[S]) try(f *findings, s S, sample sample[S]) S {
	events, err := sample.command(s).Decide(s)
	from, row := m.status(s), sample.row()
	if err != nil {
		f.note(from, row, refusal(err))
		if refused, ok := fault.Of(err); ok {
			f.refused[from] = append(f.refused[from], refused)
		}
		return s
	}
	if len(events) == 0 {
		f.note(from, row, "done")
		return s
	}
	f.accepted[[2]string{from, sample.of()}] = true
	for _, e := range events {
		s = m.kind.Evolve(s, e)
	}
	to := m.status(s)
	if to == from {
		f.note(from, row, "✓")
		return s
	}
	f.note(from, row, "→ "+orNone(to))
	if edge := [2]string{from, to}; !slices.Contains(f.edges[edge], row) {
		f.edges[edge] = append(f.edges[edge], row)
	}
	return s
}

func refusal(err error) string {
	var f *fault.Fault
	if !errors.As(err, &f) {
		return err.Error()
	}
	if f.Code == "wrong-state" {
		return "·"
	}
	return "`" + f.Code + "`"
}

func (f *findings) note(status, row, outcome string) {
	cell := [2]string{status, row}
	if f.outcomes[cell] == nil {
		f.outcomes[cell] = map[string]int{}
	}
	f.outcomes[cell][outcome]++
}

func (m explored[S]) print() string {
	f := m.explore()
	return fmt.Sprintf("\n## %s\n\n%s.\n\n%s\n%s%s", m.kind.Category, m.about, m.diagram(f), m.table(f), m.life(f))
}

// diagram prints every change of state; what leaves the state as it is stands
// in the table only.
func (m explored[S]) diagram(f findings) string {
	var out strings.Builder
	out.WriteString("```mermaid\nstateDiagram-v2\n")
	for _, status := range f.statuses[1:] {
		fmt.Fprintf(&out, "    state \"%s\" as %s\n", status, mermaid(status))
	}
	for _, from := range f.statuses {
		last := from != ""
		for _, to := range f.statuses {
			if rows := f.edges[[2]string{from, to}]; rows != nil {
				fmt.Fprintf(&out, "    %s --> %s: %s\n", mermaid(from), mermaid(to), strings.Join(rows, " / "))
				last = false
			}
		}
		if last {
			fmt.Fprintf(&out, "    %s --> [*]\n", mermaid(from))
		}
	}
	return out.String() + "```\n"
}

func mermaid(status string) string {
	if status == "" {
		return "[*]"
	}
	return strings.ReplaceAll(status, "-", "_")
}

func (m explored[S]) table(f findings) string {
	var out strings.Builder
	out.WriteString("| command |")
	for _, status := range f.statuses {
		out.WriteString(" " + orNone(status) + " |")
	}
	out.WriteString("\n|---|" + strings.Repeat("---|", len(f.statuses)) + "\n")
	for _, s := range m.samples {
		fmt.Fprintf(&out, "| %s |", s.row())
		for _, status := range f.statuses {
			cell := sortedKeys(f.outcomes[[2]string{status, s.row()}])
			out.WriteString(" " + strings.Join(cell, "<br>") + " |")
		}
		out.WriteString("\n")
	}
	return out.String()
}

// life prints what a refusal says of each state.
func (m explored[S]) life(f findings) string {
	if m.kind.Life == nil {
		return ""
	}
	var out strings.Builder
	out.WriteString("\n| state | وضعیت | what a refusal says then | |\n|---|---|---|---|\n")
	for _, status := range f.statuses {
		s := m.kind.Life[status]
		possible := s.Possible()
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", orNone(status), s.Name.Fa, possible.En, possible.Fa)
	}
	return out.String()
}

func orNone(status string) string {
	if status == "" {
		return "(none)"
	}
	return status
}

func printMachines(t *testing.T) string {
	var out strings.Builder
	out.WriteString("# State machines\n\n" +
		"Printed from the deciders by `docs_test.go`; do not edit. Each machine was explored breadth-first from the " +
		"stream that does not exist, by putting the sample commands of `docs_samples_test.go` to every state that " +
		"was reached. A cell lists what came of the command in the states of that column:\n\n" +
		"- `→ x`: accepted, the stream is in state x afterwards; `✓`: accepted, in the same state;\n" +
		"- `done`: asked before, done already, nothing is appended;\n" +
		"- `·`: refused as `wrong-state`; another code: refused for that reason.\n\n" +
		"Several lines mean that it depends on what else is known of the stream. Below it stands what people call each " +
		"state, and what somebody who is refused is told of it; a test holds these words against the cells above.\n")
	for _, m := range machines() {
		out.WriteString(m.print())
	}
	return out.String()
}

// withoutMachine are the commands of streams with a single state, or with none
// to speak of.
var withoutMachine = []string{
	"appointment.Appoint", "appointment.Dismiss", "appointment.Found", "office.Open", "office.License", "office.AnnounceControls", "policy.Start", "projection.Skip", "audit.Start", "audit.Complete",
	"tariff.Publish", "certificate.ClaimKey", "certificate.RenewKey", "profile.Claim", "ceremony.Record", "certificate.Delegate", "access.Bind", "fee.Claim", "fee.ClaimTransfer", "certificate.Block", "revocation.PutOnFile",
	"person.Address", "idempotency.Claim", "limit.Count",
}

func TestWithoutMachineIsUpToDate(t *testing.T) {
	types := decided(t)
	for _, name := range withoutMachine {
		if !types[name] {
			t.Errorf("there is no command %s", name)
		}
	}
}

// TestEveryStateIsReached expects each state of the lists to be found by the
// samples: a state that no command leads to is a mistake in either.
func TestEveryStateIsReached(t *testing.T) {
	found := enrollments().(explored[enrollment.Enrollment]).explore().statuses
	if diff := cmp.Diff(append([]string{""}, story(enrollment.Statuses)...), found); diff != "" {
		t.Error(diff)
	}
}
