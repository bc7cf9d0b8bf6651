package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// meter is what Prometheus reads, on a listener of its own. docs/metrics.md lists
// the metrics.
type meter struct {
	listener net.Listener
	answers  *prometheus.HistogramVec
}

// listenMetrics takes the address; without one there are no metrics.
func listenMetrics(address string) (*meter, error) {
	if address == "" {
		return nil, nil
	}
	l, err := listenAt("GOVAHI_METRICS", address)
	if err != nil {
		return nil, err
	}
	return &meter{l, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: answerTimes.name, Help: answerTimes.help, Buckets: prometheus.DefBuckets,
	}, answerTimes.labels)}, nil
}

// timed counts the door's answers, if somebody reads the count.
func (m *meter) timed() func(operation string, status int, took time.Duration) {
	if m == nil {
		return nil
	}
	return func(operation string, status int, took time.Duration) {
		m.answers.WithLabelValues(operation, strconv.Itoa(status)).Observe(took.Seconds())
	}
}

// scrapes is how many may ask at once: a pair of Prometheus, and a person.
const scrapes = 4

// serveMetrics answers GET /metrics until the context ends.
func (h *house) serveMetrics(ctx context.Context) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(h.collectors(ctx)...)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(h.report.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError, // what is known is told
		MaxRequestsInFlight: scrapes,
	}))
	server := http.Server{Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(h.metrics.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}

// collectors tell of this process's parts, each on its own, so that one that
// hangs costs no other its time.
func (h *house) collectors(ctx context.Context) []prometheus.Collector {
	all := []prometheus.Collector{
		h.metrics.answers,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}
	for _, a := range []asked{
		{families: []family{buildInfo}, ask: tellBuild},
		{families: []family{partReady}, ask: h.tellReadiness},
		{families: progressFamilies, ask: h.tellProgress},
		{families: parkedFamilies, ask: h.tellParked},
		{families: poolFamilies, ask: h.tellPools},
		{families: listFamilies, ask: h.tellLists},
		{families: auditFamilies, ask: h.tellAudit},
		{families: bankFamilies, ask: h.tellBanks},
	} {
		a.ctx = ctx
		all = append(all, a)
	}
	return all
}

// family is a metric and the labels that tell its series apart.
type family struct {
	name, help string
	kind       prometheus.ValueType // zero for a histogram
	labels     []string
	*prometheus.Desc
}

func gauge(name, help string, labels ...string) family {
	return family{name, help, prometheus.GaugeValue, labels, prometheus.NewDesc(name, help, labels, nil)}
}

func counter(name, help string, labels ...string) family {
	f := gauge(name, help, labels...)
	f.kind = prometheus.CounterValue
	return f
}

// tell gives a series its value.
type tell func(f family, value float64, labels ...string)

// asked are families whose values are looked up at each scrape. What is not
// known in time is left out.
type asked struct {
	ctx      context.Context // until the house stops
	families []family
	ask      func(context.Context, tell)
}

// Describe tells the families.
func (a asked) Describe(to chan<- *prometheus.Desc) {
	for _, f := range a.families {
		to <- f.Desc
	}
}

// Collect asks.
func (a asked) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(a.ctx, askWithin)
	defer cancel()
	a.ask(ctx, func(f family, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(f.Desc, f.kind, value, labels...)
	})
}

var (
	answerTimes = family{
		name:   "govahi_http_request_duration_seconds",
		help:   "Time that the door took to answer, by the operation's ID and the answer's status.",
		labels: []string{"operation", "status"},
	}
	buildInfo = gauge("govahi_build_info",
		"1; the labels tell which program runs.", "version", "revision", "go_version")
)

func tellBuild(_ context.Context, is tell) {
	revision, with := "unknown", "unknown"
	if build, ok := debug.ReadBuildInfo(); ok {
		with = build.GoVersion
		for _, s := range build.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	is(buildInfo, 1, version, revision, with)
}
