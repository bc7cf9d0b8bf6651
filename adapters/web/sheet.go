package web

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/skip2/go-qrcode"
)

// SheetData is the printed sheet of an issued certificate's particulars that
// its holder gets with the token (S1.12). It is personal data.
type SheetData struct {
	NameFa       string
	NameLatin    string
	NationalCode string // or the foreigner's code
	Organization string
	Post         string
	Email        string
	Serial       string // hexadecimal
	Fingerprint  string // SHA-256 of the DER, hexadecimal
	NotBefore    time.Time
	NotAfter     time.Time
	Issuer       string // its name
	Profile      string
	ProfileTitle string // Persian
	TokenSerial  string
	TrackingCode string
	VerifyURL    string // of the public page for this serial
	Copy         int    // first, second …
	PrintedAt    time.Time
}

// Sheet renders the sheet for one page of A4.
func Sheet(w io.Writer, d SheetData) error { return sheetPage.Execute(w, d) }

// symbol is a QR code as one SVG path, quiet zone included.
type symbol struct {
	Size int // modules a side
	Path string
}

// qrPath draws the dark modules row by row. Medium recovery (15 %) survives a
// fold and a stamp.
func qrPath(content string) (symbol, error) {
	code, err := qrcode.New(content, qrcode.Medium)
	if err != nil {
		return symbol{}, err
	}
	modules := code.Bitmap()
	var path strings.Builder
	for y, row := range modules {
		for x := 0; x < len(row); x++ {
			start := x
			for x < len(row) && row[x] {
				x++
			}
			if x > start {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", start, y, x-start, x-start)
			}
		}
	}
	return symbol{len(modules), path.String()}, nil
}
