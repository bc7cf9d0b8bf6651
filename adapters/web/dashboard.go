package web

import (
	"io"
	"time"
)

// DashboardData is the management view: no person is in it.
type DashboardData struct {
	At          time.Time // of the figures
	States      []Count   // requests by state
	Channels    []Count   // requests by channel
	Provinces   []Count
	Offices     []Count
	Waiting     []Waiting
	Refusals    []Count // by reason
	Revocations []Count // by reason
	Audit       AuditData
	Ends        []End    // the soonest first
	Returns     []Return // those that wait longest first
}

// Return is a request that the CA gave back.
type Return struct {
	TrackingCode string
	Office       string
	State        string
	Since        time.Time
	Why, Code    string
}

// End is something that ends, or must follow itself.
type End struct {
	Label string
	Of    string // name, serial or office
	Until time.Time
	Past  bool
}

// AuditData is the latest audit of the certificates.
type AuditData struct {
	At          time.Time // when it ended; zero if none did
	Checked     int       // certificates
	Erased      int       // of them, not wholly checkable
	Found       int       // differences
	Differences []Difference
	Overdue     bool
}

// Alarming tells that somebody must look at once.
func (a AuditData) Alarming() bool { return a.Found > 0 || a.Overdue }

// Difference is how many differences of a kind there are.
type Difference struct {
	Count
	Kind string // as the audit prints it
}

// Count is a figure under its Persian label.
type Count struct {
	Label string
	N     int
}

// Waiting is what waits at one step, and how long.
type Waiting struct {
	Label  string
	N      int
	Median time.Duration
	Oldest time.Duration
}

// Dashboard renders the view.
func Dashboard(w io.Writer, d DashboardData) error { return dashboardPage.Execute(w, d.charts()) }

// dashboard is the data with bars drawn.
type dashboard struct {
	DashboardData
	Total  int // requests
	Charts []chart
}

// chart is one table with a bar in each row.
type chart struct {
	Title string
	Rows  []bar
}

// bar is as long as its part of the longest, in hundredths.
type bar struct {
	Count
	Length int
}

// Start is where the bar begins: it grows from the right, as the text does.
func (b bar) Start() int { return 100 - b.Length }

func (d DashboardData) charts() dashboard {
	view := dashboard{DashboardData: d, Charts: []chart{
		{"درخواست\u200cها به تفکیک وضعیت", bars(d.States)},
		{"درخواست\u200cها به تفکیک کانال", bars(d.Channels)},
		{"درخواست\u200cها به تفکیک استان", bars(d.Provinces)},
		{"درخواست\u200cها به تفکیک دفتر", bars(d.Offices)},
		{"ردها به تفکیک علت", bars(d.Refusals)},
		{"ابطال\u200cها به تفکیک علت", bars(d.Revocations)},
	}}
	for _, c := range d.States {
		view.Total += c.N
	}
	return view
}

func bars(counts []Count) []bar {
	longest := 1
	for _, c := range counts {
		longest = max(longest, c.N)
	}
	drawn := make([]bar, len(counts))
	for i, c := range counts {
		drawn[i] = bar{c, (100*c.N + longest - 1) / longest}
	}
	return drawn
}
