package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	web "net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"govahi/adapters/eventstore"
	"govahi/adapters/http"
	"govahi/adapters/postgres"
	"govahi/adapters/postgres/pgtest"
	"govahi/adapters/sso"
	"govahi/commands/memlog"
	"govahi/domain/event"
	"govahi/projections"
	"govahi/queries/auditor"
)

// scrape is what Prometheus read once: the values of all series, by name and
// labels, as `name{label="value"}`; of a histogram its count.
type scrape struct {
	text     string
	families map[string]*dto.MetricFamily
	values   map[string]float64
}

// scraped reads the metrics as Prometheus does.
func scraped(t *testing.T, address string) scrape {
	t.Helper()
	began := time.Now()
	status, text := fetched(t, "GET", "http://"+address+"/metrics")
	if took := time.Since(began); status != web.StatusOK || took > askWithin+time.Second {
		t.Fatalf("a scrape was answered by %d after %v: %s", status, took, text)
	}
	return parsed(t, text)
}

func fetched(t *testing.T, method, url string) (status int, text string) {
	t.Helper()
	client := web.Client{Timeout: within, Transport: &web.Transport{DisableKeepAlives: true}}
	r, err := web.NewRequestWithContext(t.Context(), method, url, nil)
	must(t, err)
	answer, err := client.Do(r)
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, string(body)
}

func parsed(t *testing.T, text string) scrape {
	t.Helper()
	reader := expfmt.NewTextParser(model.UTF8Validation)
	all, err := reader.TextToMetricFamilies(strings.NewReader(text))
	must(t, err)
	return valued(text, all)
}

func valued(text string, all map[string]*dto.MetricFamily) scrape {
	s := scrape{text, all, map[string]float64{}}
	for name, f := range all {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			s.values[name+"{"+strings.Join(labels, ",")+"}"] = value(m)
		}
	}
	return s
}

func value(m *dto.Metric) float64 {
	if m.Histogram != nil {
		return float64(m.Histogram.GetSampleCount())
	}
	return m.Gauge.GetValue() + m.Counter.GetValue() + m.Untyped.GetValue() // it is one of them
}

// of are the series of a metric.
func (s scrape) of(name string) map[string]float64 {
	of := maps.Clone(s.values)
	maps.DeleteFunc(of, func(series string, _ float64) bool { return !strings.HasPrefix(series, name+"{") })
	return of
}

// wants expects a value of a series.
func (s scrape) wants(t *testing.T, series string, want float64) {
	t.Helper()
	if got, ok := s.values[series]; !ok || got != want {
		t.Errorf("%s is %v (there: %t), expected %v", series, got, ok, want)
	}
}

// all tells whether a metric has series, each of the value.
func (s scrape) all(name string, want float64) bool {
	series := s.of(name)
	for _, got := range series {
		if got != want {
			return false
		}
	}
	return len(series) > 0
}

// well tells whether nobody is in trouble and nobody is behind.
func (s scrape) well() bool {
	for _, what := range []standing{ofProjection, ofPolicy, ofRelay} {
		if !s.all(what.lagEvents.name, 0) || !s.all(what.lagSeconds.name, 0) || !s.all(what.position.name, s.values[logHead.name+"{}"]) {
			return false
		}
	}
	return s.all(partReady.name, 1) && s.all(relayTrouble.name, 0)
}

// counted counts the answers to a client by operation and status.
type counted struct {
	web.Transport
	operations operations
	mu         sync.Mutex
	seen       map[string]float64 // by series
}

// operations are those of the OpenAPI document: "METHOD /path" to the ID.
type operations map[string]string

func readOperations(t *testing.T, listen string) operations {
	t.Helper()
	_, text := fetched(t, "GET", "http://"+listen+"/openapi.json")
	var document struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	must(t, json.Unmarshal([]byte(text), &document))
	all := operations{}
	for path, methods := range document.Paths {
		for method, o := range methods {
			all[strings.ToUpper(method)+" "+path] = o.OperationID
		}
	}
	return all
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// of finds the operation: of several that fit, that with the fewest parameters.
func (o operations) of(r *web.Request) string {
	found, fewest := http.NoOperation, 100
	for operation, id := range o {
		shape := "^" + parameter.ReplaceAllString(operation, "[^/]+") + "$"
		n := strings.Count(operation, "{")
		if n < fewest && regexp.MustCompile(shape).MatchString(r.Method+" "+r.URL.Path) {
			found, fewest = id, n
		}
	}
	return found
}

func (c *counted) RoundTrip(r *web.Request) (*web.Response, error) {
	answer, err := c.Transport.RoundTrip(r)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.seen[fmt.Sprintf("%s{operation=%q,status=\"%d\"}", answerTimes.name, c.operations.of(r), answer.StatusCode)]++
	}
	return answer, err
}

// measured is an instance with metrics, and its address.
func measured(t *testing.T, env ...string) (*instance, string) {
	t.Helper()
	address, err := freeAddress()
	must(t, err)
	return begin(t, dataDir(t), append(env, "GOVAHI_METRICS="+address)...), address
}

// TestMetricsOfTheStory scrapes before it, after it, in trouble and after that.
// What Prometheus reads is right to the last request, and holds nothing of the
// people in the story.
func TestMetricsOfTheStory(t *testing.T) {
	t.Parallel()
	i, address := measured(t)
	s := telling(t, i, "metrics")
	heard := &counted{operations: readOperations(t, i.listen), seen: map[string]float64{}}
	defer heard.CloseIdleConnections()
	s.http.Transport = heard
	before := awaitMetrics(t, address, "all is well before the story", scrape.well)
	for _, part := range [][]step{s.untilSubmitted(), s.untilConfirmed(), s.untilActive(), s.untilRevoked()} {
		must(t, s.tell(t.Context(), part))
	}
	repeat(t, s)
	after := awaitMetrics(t, address, "all is well after the story", scrape.well)
	countsExactly(t, before, after, heard.seen)
	during := inTrouble(t, i, address)
	awaitMetrics(t, address, "all is well after the trouble", scrape.well)
	countsParked(t, i, address)
	for _, one := range []scrape{before, after, during} {
		namesNobody(t, one, s)
		isBounded(t, i, one, heard.operations)
	}
	followsConventions(t, after)
	pageLists(t, after)
	if log, err := os.ReadFile(filepath.Join(i.dir, "govahi.log")); err != nil || bytes.Contains(log, []byte("error gathering")) {
		t.Errorf("Prometheus' library complains, %v: %s", err, tail(log, 2000))
	}
}

// awaitMetrics scrapes until it is so.
func awaitMetrics(t *testing.T, address, what string, so func(scrape) bool) (s scrape) {
	t.Helper()
	await(t, what, func() bool { s = scraped(t, address); return so(s) })
	return s
}

// repeat sends a command of the story again, and others that are refused.
func repeat(t *testing.T, s *story) {
	t.Helper()
	ask := map[string]string{"channel": "outside", "certificateType": "cpmis-signature"}
	for range 3 {
		must(t, s.post(t.Context(), "applicant", s.name+"-open", "/requests", ask, nil))
	}
	for _, path := range []string{"/requests/123456789015", "/nowhere/9992009098", "/requests"} {
		if err := s.post(t.Context(), "applicant", "", path, ask, nil); err == nil {
			t.Errorf("%s took a command without a key", path)
		}
	}
}

// countsExactly expects of each operation and status what the client saw.
func countsExactly(t *testing.T, before, after scrape, seen map[string]float64) {
	t.Helper()
	counted, all := map[string]float64{}, 0.0
	for series, n := range after.of(answerTimes.name) {
		if n -= before.values[series]; n > 0 {
			counted[series] = n
			all += n
		}
	}
	if d := cmp.Diff(seen, counted); d != "" {
		t.Errorf("counted otherwise (-sent +counted):\n%s", d)
	}
	if n := counted[answerTimes.name+`{operation="open-request",status="201"}`]; n != 4 {
		t.Errorf("open-request was sent once and repeated three times: %v", n)
	}
	if n := counted[answerTimes.name+`{operation="none",status="404"}`]; n != 1 {
		t.Errorf("one request reached no operation: %v", n)
	}
	if all < 40 {
		t.Errorf("only %v answers were counted", all)
	}
}

// inTrouble freezes PostgreSQL, lets an event happen and scrapes.
func inTrouble(t *testing.T, i *instance, address string) scrape {
	t.Helper()
	thaw := pgtest.Freeze(t, i.postmaster(t))
	defer thaw()
	head := i.happens(t)
	s := awaitMetrics(t, address, "the relay has the event", func(s scrape) bool {
		return s.values[ofRelay.position.name+"{}"] >= float64(head) && s.values[logHead.name+"{}"] >= float64(head)
	})
	for part, ready := range map[string]float64{"postgres": 0, "vault": 0, "log": 1, "relay": 1, "signer": 1, "bus": 1} {
		s.wants(t, fmt.Sprintf("%s{part=%q}", partReady.name, part), ready)
	}
	for _, p := range projections.All() {
		label := fmt.Sprintf("{projection=%q}", p.Name)
		events, age := s.values[ofProjection.lagEvents.name+label], s.values[ofProjection.lagSeconds.name+label]
		if at := s.values[ofProjection.position.name+label]; events < 1 || age <= 0 || age > within.Seconds() || at >= float64(head) {
			t.Errorf("%s has not shown the event at %d: %v events behind %v, for %v s", p.Name, head, events, at, age)
		}
	}
	if parked := s.of(projectionParked.name); len(parked) > 0 {
		t.Errorf("nobody can know what is parked: %v", parked)
	}
	if !s.all(poolMost.name, 16) {
		t.Errorf("the pools: %v", s.of(poolMost.name))
	}
	return s
}

// happens appends an event that concerns nobody.
func (i *instance) happens(t *testing.T) event.Position {
	t.Helper()
	log, err := i.dev().openLog()
	must(t, err)
	defer func() { _ = log.Close() }()
	receipt, err := log.Append(t.Context(), "sample-1", event.NoStream, event.Proposed{ID: event.ID{1}, Type: "sample.happened.v1", Data: []byte(`{}`)})
	must(t, err)
	return receipt.Position
}

// countsParked puts events aside as the views do.
func countsParked(t *testing.T, i *instance, address string) {
	t.Helper()
	pool, err := postgres.Pool(t.Context(), dsn(data{dir: i.dir}, "views"))
	must(t, err)
	defer pool.Close()
	scraped(t, address).wants(t, projectionParked.name+`{projection="requests"}`, 0)
	for position, name := range []string{"requests", "requests", "requests_prev", "policy:record", "policy:note-fee-on-settled"} {
		_, err := pool.Exec(t.Context(), `INSERT INTO govahi.parked (projection, position, stream, revision, type, reason, attempts)
			VALUES ($1, $2, 'sample-1', 0, 'sample.happened.v1', 'sample', 3)`, name, position)
		must(t, err)
	}
	s := scraped(t, address)
	s.wants(t, projectionParked.name+`{projection="requests"}`, 2)
	s.wants(t, projectionParked.name+`{projection="certificates"}`, 0)
	s.wants(t, policyParked.name+`{policy="record"}`, 2)
	s.wants(t, policyParked.name+`{policy="issuance"}`, 0)
}

// namesNobody looks for whatever of the story would be personal.
func namesNobody(t *testing.T, s scrape, told *story) {
	t.Helper()
	form := applicantForm("applicant")
	words := []string{
		told.code, told.number, told.serial, told.token, told.fingerprint, told.name, form.Mobile, "09120000000", "9120000000",
		form.Email, form.PostalCode, form.Organization, form.Surname, form.LatinSurname, "nemune", "person-", "123456789015", "nowhere",
	}
	for _, p := range sso.Personas() {
		words = append(words, p.NationalCode, p.Name)
	}
	for _, word := range words {
		if word != "" && strings.Contains(strings.ToLower(s.text), strings.ToLower(word)) {
			t.Errorf("the metrics hold %q", word)
		}
	}
}

// isBounded expects of each label a value out of a set that no caller can add to.
func isBounded(t *testing.T, i *instance, s scrape, known operations) {
	t.Helper()
	sets := map[string][]string{
		"operation": append(slices.Collect(maps.Values(known)), http.NoOperation, "get-openapi"),
		"policy":    {"record", "erasure", "issuance", "revocation"}, "pool": {"views", "vault"},
		"state": {"acquired", "idle", "constructing"}, "part": i.partNames(t),
		"kind": append([]string{"all"}, auditor.Kinds...), "result": {"checked", "erased"},
		"gateway": {"bank1", "bank2"}, "age": {"5m", "15m", "1h", "longer"},
		"version": {version}, "revision": nil, "go_version": nil, // of the program
	}
	for _, p := range projections.All() {
		sets["projection"] = append(sets["projection"], p.Name)
	}
	for _, state := range projectionStates {
		sets["state"] = append(sets["state"], string(state))
	}
	for _, f := range own(s) {
		for _, m := range f.Metric {
			for _, l := range m.Label {
				set, ok := sets[l.GetName()]
				status, err := strconv.Atoi(l.GetValue())
				switch {
				case l.GetName() == "status" && err == nil && web.StatusText(status) != "":
				case !ok, set != nil && !slices.Contains(set, l.GetValue()):
					t.Errorf("%s has %s=%q", f.GetName(), l.GetName(), l.GetValue())
				}
			}
		}
	}
}

// partNames are those of health.
func (i *instance) partNames(t *testing.T) (names []string) {
	t.Helper()
	_, text := fetched(t, "GET", "http://"+i.listen+"/health/ready")
	var ready http.Readiness
	must(t, json.Unmarshal([]byte(text), &ready))
	for _, p := range ready.Parts {
		names = append(names, p.Name)
	}
	return names
}

// own are the house's own families.
func own(s scrape) (all []*dto.MetricFamily) {
	for name, f := range s.families {
		if strings.HasPrefix(name, "govahi_") {
			all = append(all, f)
		}
	}
	return all
}

// followsConventions asks Prometheus' own linter.
func followsConventions(t *testing.T, s scrape) {
	t.Helper()
	problems, err := promlint.NewWithMetricFamilies(own(s)).Lint()
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, name := range []string{"go_goroutines", "go_gc_duration_seconds", "process_open_fds", "process_resident_memory_bytes", "process_cpu_seconds_total"} {
		if s.families[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
}

// listing is a metric as the page lists it.
type listing struct{ Name, Type, Labels, Meaning string }

// page are the rows of docs/metrics.md, by their metric.
func page(t *testing.T) map[string]listing {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	must(t, err)
	rows := map[string]listing{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if !strings.HasPrefix(line, "| `govahi_") {
			continue
		}
		if len(cells) != 5 || strings.Trim(cells[4], " |") == "" {
			t.Fatalf("a row has name, type, labels, meaning and alert: %s", line)
		}
		r := listing{strings.Trim(cells[0], "| `"), cells[1], strings.NewReplacer("`", "", "–", "").Replace(cells[2]), cells[3]}
		if _, twice := rows[r.Name]; twice {
			t.Errorf("%s is listed twice", r.Name)
		}
		rows[r.Name] = r
	}
	return rows
}

// TestThePageListsTheMetrics as the program registers them.
func TestThePageListsTheMetrics(t *testing.T) {
	kinds := map[prometheus.ValueType]string{0: "histogram", prometheus.CounterValue: "counter", prometheus.GaugeValue: "gauge"}
	registered := map[string]listing{}
	for _, f := range families {
		registered[f.name] = listing{f.name, kinds[f.kind], strings.Join(f.labels, ", "), f.help}
	}
	if d := cmp.Diff(registered, page(t)); d != "" {
		t.Errorf("docs/metrics.md differs (-program +page):\n%s", d)
	}
}

// pageLists compares the page with what a whole instance tells.
func pageLists(t *testing.T, s scrape) {
	t.Helper()
	told := map[string]listing{}
	for _, f := range own(s) {
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		told[f.GetName()] = listing{f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ", "), f.GetHelp()}
	}
	listed := page(t)
	for name, r := range listed { // Prometheus sorts labels
		labels := strings.Split(r.Labels, ", ")
		slices.Sort(labels)
		r.Labels = strings.Join(labels, ", ")
		listed[name] = r
	}
	if d := cmp.Diff(told, listed); d != "" {
		t.Errorf("docs/metrics.md differs (-told +page):\n%s", d)
	}
}

// TestMetricsHaveTheirOwnDoor, which opens on nothing else, and not on a taken
// address; without the setting there are none.
func TestMetricsHaveTheirOwnDoor(t *testing.T) {
	t.Parallel()
	i, address := measured(t)
	for url, want := range map[string]int{
		"GET http://" + address + "/metrics": 200, "POST http://" + address + "/metrics": 405, "GET http://" + address + "/": 404,
		"GET http://" + address + "/health/ready": 404, "GET http://" + address + "/debug/pprof/": 404,
		"GET http://" + i.listen + "/metrics": 404,
	} {
		method, rest, _ := strings.Cut(url, " ")
		if got, text := fetched(t, method, rest); got != want {
			t.Errorf("%s: %d, expected %d: %s", url, got, want, text)
		}
	}
	for range 100 {
		fetched(t, "GET", fmt.Sprintf("http://%s/%d", i.listen, time.Now().UnixNano()))
	}
	if n := len(scraped(t, address).of(answerTimes.name)); n > 4 {
		t.Errorf("a stranger made %d series", n)
	}
	free, err := freeAddress()
	must(t, err)
	dir := dataDir(t)
	refusedUp(t, dir, free, []string{"GOVAHI_METRICS=" + address}, "address already in use", "GOVAHI_METRICS")
	wantNoProcess(t, dir)
}

// TestMetricsOfALogThatIsDown leave out what it would know.
func TestMetricsOfALogThatIsDown(t *testing.T) {
	log, err := eventstore.Open(filepath.Join(t.TempDir(), "nobody"))
	must(t, err)
	defer func() { _ = log.Close() }()
	h := house{log: log, metrics: &meter{answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: answerTimes.name}, answerTimes.labels)}}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(h.collectors(t.Context())...)
	began := time.Now()
	gathered, err := registry.Gather()
	must(t, err)
	if took := time.Since(began); took > askWithin+time.Second {
		t.Errorf("it took %v", took)
	}
	all := map[string]*dto.MetricFamily{}
	for _, f := range gathered {
		all[f.GetName()] = f
	}
	s := valued("", all)
	s.wants(t, partReady.name+`{part="log"}`, 0)
	s.wants(t, partReady.name+`{part="process"}`, 1)
	if all[logHead.name] != nil {
		t.Error("it knows the head")
	}
	if all[buildInfo.name] == nil || all["go_goroutines"] == nil {
		t.Error("what is known is left out, too")
	}
}

// TestLags are counted up to a bound, and as old as the oldest event; who knows
// not yet where it stands, has none.
func TestLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, at := memlog.New(), []event.Position{0}
		for n := range countUpTo + 2 {
			e := event.Proposed{ID: event.ID{byte(n >> 8), byte(n), 1}, Type: "sample.happened.v1", Data: []byte(`{}`)}
			receipt, err := log.Append(t.Context(), event.Stream(fmt.Sprint("sample-", n)), event.NoStream, e)
			must(t, err)
			at = append(at, receipt.Position)
			time.Sleep(time.Second)
		}
		head := at[len(at)-1]
		got := map[string]float64{}
		tellLags(t.Context(), log, []follower{
			{ofPolicy, []string{"done"}, head},
			{ofPolicy, []string{"ahead"}, head + 1},
			{ofPolicy, []string{"near"}, at[len(at)-3]},
			{ofProjection, []string{"near"}, at[len(at)-3]},
			{ofPolicy, []string{"far"}, at[1]},
		}, head, noted(got))
		want := map[string]float64{
			"policy_lag_events done": 0, "policy_lag_seconds done": 0, "policy_lag_events ahead": 0, "policy_lag_seconds ahead": 0,
			"policy_lag_events near": 2, "policy_lag_seconds near": 2, "projection_lag_events near": 2, "projection_lag_seconds near": 2,
			"policy_lag_events far": countUpTo, "policy_lag_seconds far": countUpTo + 1,
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		clear(got)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		tellLags(ended, log, []follower{{ofPolicy, []string{"near"}, at[1]}}, head, noted(got))
		if len(got) > 0 {
			t.Errorf("a log that cannot be read tells %v", got)
		}
	})
}

func noted(values map[string]float64) tell {
	var mu sync.Mutex
	return func(f family, value float64, labels ...string) {
		mu.Lock()
		defer mu.Unlock()
		values[strings.TrimPrefix(f.name, "govahi_")+" "+strings.Join(labels, " ")] = value
	}
}
