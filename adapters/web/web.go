// Package web renders the pages: right-to-left, Persian first, each one file
// that loads nothing from anywhere and runs no script.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"
)

//go:embed pages
var files embed.FS

// style stands in every page and is named in Policy by its hash, so it must
// reach the browser byte by byte: html/template drops comments, so it has none.
var style = file("style.css")

// Policy is the content security policy under which every page works: nothing
// from elsewhere, no script, and no style but ours.
var Policy = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; style-src " + hashOf(style)

// hashOf is a source expression (CSP3 §2.3.1).
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func file(name string) string {
	text, err := files.ReadFile("pages/" + name)
	if err != nil {
		panic("web: " + err.Error())
	}
	return strings.TrimSpace(string(text))
}

var (
	homePage       = page("home.html")
	sheetPage      = page("sheet.html")
	verifyPage     = page("verify.html")
	trackPage      = page("track.html")
	repositoryPage = page("repository.html")
	reportPage     = page("report.html")
	refusalPage    = page("refusal.html")
	dashboardPage  = page("dashboard.html")
	receiptPage    = page("receipt.html")
	returnedPage   = page("returned.html")
	tariffsPage    = page("tariffs.html")
	formPage       = page("form.html")
	officesPage    = page("offices.html")
	guidePage      = page("guide.html")
)

// page is the common frame with the forms and the page's own parts in it.
func page(name string) *template.Template {
	frame := template.New("frame.html").Funcs(words).Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(style) },
	})
	return template.Must(frame.ParseFS(files, "pages/frame.html", "pages/forms.html", "pages/"+name))
}

// Home renders the landing page.
func Home(w io.Writer, d HomeData) error { return homePage.Execute(w, d) }

// HomeData is where the landing page leads; an empty address is left out.
type HomeData struct {
	Verify      string // the form's target; takes ?serial=
	Track       string
	Tariffs     string
	Guide       string
	Offices     string
	Form        string // the empty one, for paper
	Docs        string
	CRL         string
	CA          string // the issuer's certificate
	Root        string // the root's certificate
	Repository  string
	Development bool // shows that the people and certificates are samples
}
