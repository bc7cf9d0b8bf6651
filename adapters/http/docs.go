package http

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"strings"
)

//go:embed docs
var docsFiles embed.FS

// The documentation page is one file: its style and script stand in it, and
// the policy names them by hash.
var (
	docsStyle  = docsFile("docs/docs.css")
	docsScript = docsFile("docs/docs.js")
	docsPage   = strings.NewReplacer("/*style*/", docsStyle, "/*script*/", docsScript).Replace(docsFile("docs/docs.html"))
	docsPolicy = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"style-src " + hashOf(docsStyle) + "; script-src " + hashOf(docsScript)
)

func docsFile(name string) string {
	text, err := docsFiles.ReadFile(name)
	if err != nil {
		panic("http: " + err.Error())
	}
	return string(text)
}

// hashOf is a source expression of a content security policy (CSP3 §2.3.1).
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func (s *Server) declareDocs() {
	document := Operation{
		ID: "get-openapi", Method: "GET", Path: "/openapi.json", Type: openAPIType,
		Summary: "The OpenAPI 3.1 document", Hidden: true,
	}
	PublicRaw(s, document, func(context.Context, *struct{}) (Raw, error) {
		return Raw{Body: s.document, Cache: "no-cache"}, nil
	})
	page := Operation{
		ID: "get-docs", Method: "GET", Path: "/docs", Type: pageType,
		Summary: "The documentation page", Hidden: true,
	}
	PublicRaw(s, page, func(context.Context, *struct{}) (Raw, error) {
		return Raw{
			Body: []byte(docsPage), Cache: "no-cache", Header: map[string]string{"Content-Security-Policy": docsPolicy},
		}, nil
	})
}
