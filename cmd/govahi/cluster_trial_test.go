package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"govahi/projections"
)

// siege is a cluster to which harm is done while requests arrive at its doors.
type siege struct {
	*cluster
	*traffic
	strikes []strike
}

// strike is what one harm cost: while it lasted, where another process takes
// over, and from its end on.
type strike struct {
	kind string
	cost [5]time.Duration // in the order of the table; zero where nobody takes over
}

func besiege(t *testing.T, roles ...string) *siege {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := newCluster(t, roles...)
	s := &siege{cluster: c, traffic: newTraffic(t, c.operator(c.of(roleAPI)[0]), seed)}
	s.letters = newLetters(c.outboxes()...)
	_, err := s.instance.viewsPool(t).Exec(t.Context(), backwards)
	must(t, err)
	return s
}

// backwards writes down each checkpoint that goes back: a projector that was cut off
// still holds events that the other has stored meanwhile. In the end nobody would
// see that it stored them again, for it stores all that follows again, too.
const backwards = `
CREATE TABLE govahi.backwards (projection text, was bigint, became bigint);
CREATE FUNCTION govahi.note_backwards() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	INSERT INTO govahi.backwards VALUES (old.projection, old.position, new.position);
	RETURN new;
END $$;
CREATE TRIGGER backwards BEFORE UPDATE ON govahi.checkpoints FOR EACH ROW
	WHEN (new.position <= old.position AND new.version = old.version) EXECUTE FUNCTION govahi.note_backwards()`

func projectionNames() (names []string) {
	for _, p := range projections.All() {
		names = append(names, p.Name)
	}
	return names
}

// neverBack looks at what it wrote of projections. A policy's checkpoint may go
// back: what it asks for again is known by the command's ID.
func (s *siege) neverBack() {
	s.Helper()
	rows, err := s.instance.viewsPool(s.T).Query(s.Context(), `SELECT DISTINCT projection FROM govahi.backwards WHERE projection = ANY ($1)`, projectionNames())
	must(s.T, err)
	twice, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(s.T, err)
	if len(twice) > 0 {
		s.Errorf("the checkpoints of %q went back, or stood: two projectors stored the same", twice)
	}
}

func (c *cluster) outboxes() (dirs []string) {
	for _, m := range c.of(rolePolicy) {
		dirs = append(dirs, filepath.Join(m.dir, "outbox"))
	}
	return dirs
}

// harm is what is done to a part, until it is undone.
type harm struct {
	kind  string
	do    func() (undo func())
	alone bool // nobody takes over: what needs the part waits for it
}

// suffers one harm, and measures.
func (s *siege) suffers(h harm) {
	s.Helper()
	s.burst()
	k := strike{kind: h.kind}
	began := time.Now()
	undo := h.do()
	if !h.alone {
		k.cost[0], k.cost[1] = s.served(began)
	}
	pauseFor(s.Context(), time.Until(began.Add(s.lasts())))
	undo()
	undone := time.Now()
	k.cost[2], k.cost[3] = s.served(undone)
	s.allReady(h.kind)
	k.cost[4] = time.Since(undone)
	s.strikes = append(s.strikes, k)
	s.Logf("%-24s %5d", h.kind, inMilliseconds(k.cost[:]))
	if max(k.cost[0], k.cost[2]) > commandsAgain || max(k.cost[1], k.cost[3]) > questionsAgain {
		s.Errorf("%s: promised are %v for commands and %v for questions", h.kind, commandsAgain, questionsAgain)
	}
	s.soFar(s.T)
}

// lasts is for how long a harm is done, at least: now and then longer than any
// part waits before it gives a silent one up.
func (s *siege) lasts() time.Duration {
	return time.Duration(s.dice.of(often(2_000, 10_000))) * time.Millisecond
}

func inMilliseconds(all []time.Duration) (ms []int64) {
	for _, d := range all {
		ms = append(ms, d.Milliseconds())
	}
	return ms
}

// served is how long after a moment a new command is acknowledged, and a
// question shows it.
func (s *siege) served(since time.Time) (acknowledged, shown time.Duration) {
	s.Helper()
	e := s.errand("officer-1", sampleOffice)
	e.http.Timeout = time.Minute
	must(s.T, e.opensOnly(s.Context()))
	acknowledged = time.Since(since)
	must(s.T, e.does(s.Context(), e.by, "form", e.form))
	e.awaitShown(s.T)
	return acknowledged, time.Since(since)
}

func (s *siege) allReady(after string) {
	s.Helper()
	for _, m := range s.members {
		await(s.T, "every part of "+m.name+" is ready after "+after, func() bool {
			pauseFor(s.Context(), 20*time.Millisecond) // each look has the token try itself
			return m.parts()[""] == "ready"
		})
	}
}

// over ends the traffic and checks what it left.
func (s *siege) over(end func()) {
	s.Helper()
	end()
	s.drain(s.T)
	s.allReady("all")
	s.audit(s.T)
	for _, m := range s.of(roleAPI) {
		s.operator(m).settled(s.T)
		s.shows(m)
	}
	s.neverBack()
	s.streamIsTheLog()
	s.lettersOnce()
	table := s.table()
	s.Logf("%s\n\n%s", s.traffic, table)
	must(s.T, keepTable(s.Name(), table+"\n"+s.traffic.String()+"\n"))
}

// shows compares what one api says of each request with the fold of the log.
func (s *siege) shows(m *member) {
	s.Helper()
	asker := newClient("http://"+m.listen, s.people.client.token)
	views := folded(s.instance.facts(s.T)).plain()
	for code := range views["requests.requests"] {
		var r struct{ State string }
		must(s.T, asker.get(s.Context(), "manager", "/requests/"+code, &r))
		if want := views.effective(code); r.State != want {
			s.Errorf("%s shows request %s as %s, not %s", m.name, code, r.State, want)
		}
	}
}

// streamIsTheLog: the JetStream stream holds the log's events in the log's
// order, each once and none left out, whichever relay wrote them.
func (s *siege) streamIsTheLog() {
	s.Helper()
	s.atHead()
	at, before := map[string]int{}, ""
	records := s.instance.export(s.T)
	for n, r := range records {
		at[r.ID.String()] = n
	}
	messages := s.bus.messages(s.T)
	for _, m := range messages {
		n, known := at[m.Header.Get("Nats-Msg-Id")]
		if !known || m.Header.Get("Govahi-Position") != fmt.Sprint(records[n].Position) {
			s.Errorf("the stream holds what the log does not: %v", m.Header)
		}
		if previous := m.Header.Get("Govahi-Previous"); before != "" && previous != before {
			s.Errorf("in the stream %s follows %s, and says that it follows %s", m.Header.Get("Govahi-Position"), before, previous)
		}
		before = m.Header.Get("Govahi-Position")
	}
	if info, err := s.bus.info(s.Context()); err != nil || info.Config.Replicas != 3 {
		s.Errorf("the stream has not three replicas: %+v, %v", info, err)
	}
}

// lettersOnce: what was sent twice, by two processes, was attempted twice by the
// log's account, because nobody could tell how the first attempt went.
func (s *siege) lettersOnce() {
	s.Helper()
	attempts, sent := map[string]int{}, map[string]int{}
	for _, r := range s.instance.export(s.T) {
		switch id := r.Stream.ID(); r.Type {
		case "notification.postponed.v1":
			attempts[id]++
		case "notification.sent.v1":
			sent[id] = 0
		}
	}
	for _, file := range s.letters.files() {
		sent[strings.TrimSuffix(filepath.Base(file), ".json")]++
	}
	for id, n := range sent {
		if n == 0 || n > attempts[id] {
			s.Errorf("message %s is in %d outboxes after %d attempts", id, n, attempts[id])
		}
	}
}

// table is what each kind of harm cost.
func (s *siege) table() string {
	byKind := map[string][]strike{}
	for _, k := range s.strikes {
		byKind[k.kind] = append(byKind[k.kind], k)
	}
	text := "| harm | times | during it: first acknowledged command | first question that shows it | after it: first acknowledged command | first question that shows it | every process ready |\n|---|---|---|---|---|---|---|\n"
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		text += fmt.Sprintf("| %s | %d |", kind, len(byKind[kind]))
		for column := range byKind[kind][0].cost {
			var all []time.Duration
			for _, k := range byKind[kind] {
				all = append(all, k.cost[column])
			}
			if slices.Max(all) == 0 {
				text += " waits |"
			} else {
				text += " " + spread(all) + " |"
			}
		}
		text += "\n"
	}
	return text
}

// harms are all that may happen to one process of each pair, and in the long run
// to both.
func (s *siege) harms() (all []harm) {
	for n := 0; n < len(s.members); n += 2 {
		pair := s.members[n : n+2]
		for _, how := range []func(*member) []harm{s.killed, s.cutOff} {
			one := s.dice.of(2)
			all = append(all, how(pair[one])...)
			if long() {
				all = append(all, how(pair[1-one])...)
			}
		}
	}
	return all
}

func (s *siege) killed(m *member) []harm {
	all := []harm{s.kill(m.short(), m.process)}
	if m.signerPID() != 0 {
		all = append(all, s.toSigner("kill", m, syscall.SIGKILL))
	}
	return all
}

func (s *siege) cutOff(m *member) []harm {
	all := []harm{{kind: "cut off " + m.short(), do: func() func() { return silenced(m.wires()) }}}
	if m.signerPID() != 0 {
		all = append(all, s.toSigner("freeze", m, syscall.SIGSTOP))
	}
	return all
}

func (s *siege) toBus() []harm {
	two := s.bus.nodes[:2]
	return []harm{
		s.toLeader("kill", s.kill), s.toFollower("kill", s.kill), s.kill("two of three JetStream servers", two...),
		s.toLeader("freeze", s.freeze), s.toFollower("freeze", s.freeze), s.freeze("two of three JetStream servers", two...),
	}
}

func (s *siege) toLog() []harm {
	kill, links := s.kill("the log", s.log), func(m *member) *wire { return m.logs }
	kill.alone = true
	return []harm{
		kill,
		{"cut off the log", func() func() { return silenced(s.linksTo(links)) }, true},
		{"reset connections to the log", func() func() { return reset(s.linksTo(links)) }, true},
	}
}

func (s *siege) toPostgres() []harm {
	links := func(m *member) *wire { return m.views }
	return []harm{
		{"kill PostgreSQL", func() func() { s.postgres.Kill(s.T); return func() { s.postgres.Again(s.T) } }, true},
		{"cut off PostgreSQL", func() func() { return silenced(s.linksTo(links)) }, true},
		{"reset connections to PostgreSQL", func() func() { return reset(s.linksTo(links)) }, true},
	}
}

func (m *member) short() string {
	if strings.Contains(m.roles, ",") {
		return "a process of all roles"
	}
	return m.roles
}

func (s *siege) kill(what string, some ...*process) harm {
	return harm{kind: "kill " + what, do: func() func() {
		for _, p := range some {
			p.kill(s.T)
		}
		return func() {
			for _, p := range some {
				p.start(s.T)
			}
		}
	}}
}

func (s *siege) freeze(what string, some ...*process) harm {
	return harm{kind: "freeze " + what, do: func() func() {
		for _, p := range some {
			p.freeze(s.T)
		}
		return func() {
			for _, p := range some {
				p.thaw()
			}
		}
	}}
}

// toSigner does something to the signer of a process. One that was stopped goes
// on afterwards, a dead one is started again by its process.
func (s *siege) toSigner(how string, m *member, what syscall.Signal) harm {
	return harm{kind: how + " signer of " + m.short(), do: func() func() {
		pid := m.signerPID()
		must(s.T, syscall.Kill(pid, what))
		return func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	}}
}

// toLeader does something to the server that leads the stream just then.
func (s *siege) toLeader(how string, do func(string, ...*process) harm) harm {
	return harm{kind: how + " the stream's leader", do: func() func() { return do("", s.bus.nodes[s.bus.leader(s.T)]).do() }}
}

func (s *siege) toFollower(how string, do func(string, ...*process) harm) harm {
	return harm{kind: how + " a follower of the stream", do: func() func() { return do("", s.bus.nodes[(s.bus.leader(s.T)+1)%3]).do() }}
}

// linksTo a part are every process's.
func (s *siege) linksTo(part func(*member) *wire) (wires []*wire) {
	for _, m := range s.members {
		wires = append(wires, part(m))
	}
	return wires
}

func silenced(wires []*wire) (mend func()) {
	for _, w := range wires {
		w.silence()
	}
	return func() { mended(wires) }
}

func reset(wires []*wire) (mend func()) {
	for _, w := range wires {
		w.cut()
	}
	return func() { mended(wires) }
}

func mended(wires []*wire) {
	for _, w := range wires {
		w.mend()
	}
}

// eachRoleTwice is a cluster in which every process has one role.
var eachRoleTwice = []string{
	roleAPI, roleAPI, roleRelay, roleRelay, roleProjector, roleProjector, rolePolicy, rolePolicy, roleIssuer, roleIssuer,
}

// TestClusterOfSingleRoles does harm to each role in turn, and to the parts that
// stand alone here.
func TestClusterOfSingleRoles(t *testing.T) {
	t.Parallel()
	s := besiege(t, eachRoleTwice...)
	s.goThrough(s.toLog, s.toPostgres)
}

// TestClusterOfWholeHouses: two processes, each of which does everything; and the
// servers of the bus are harmed.
func TestClusterOfWholeHouses(t *testing.T) {
	t.Parallel()
	all := strings.Join(allRoles, ",")
	s := besiege(t, all, all)
	s.goThrough(s.toBus)
}

// goThrough does harm to the processes and to some parts, and in the long run to
// all parts, while requests arrive.
func (s *siege) goThrough(parts ...func() []harm) {
	s.Helper()
	if long() {
		parts = []func() []harm{s.toBus, s.toLog, s.toPostgres}
	}
	end := s.flow()
	for range often(1, 10) {
		harms := s.harms()
		for _, part := range parts {
			harms = append(harms, part()...)
		}
		for _, h := range harms {
			s.suffers(h)
		}
	}
	s.over(end)
}
