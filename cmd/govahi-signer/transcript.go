package main

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"govahi/adapters/pki/profiles"
	"govahi/adapters/token"
	"govahi/domain/fault"
)

// transcript is what a ceremony did, on paper: whoever saw it signs it, and its
// hash goes into the log.
type transcript struct {
	Kind         string // development, intermediate, succession, import
	Number       int    // of the issuer, if it is not the first
	At           time.Time
	Token        token.Info
	Keys         []bornKey
	Certificates []madeCertificate
	Request      *madeRequest
	Checks       []checked // of a certificate that was taken in
	Witnesses    []witness

	file, hash string
}

type bornKey struct{ Label, Algorithm, Hash string }

type madeCertificate struct{ Subject, Issuer, Serial, From, Until, Hash string }

type madeRequest struct{ Subject, Hash string }

// checked is a check that was passed.
type checked struct{ Fa, En string }

// moment is how a transcript tells time.
const moment = "2006-01-02 15:04:05 UTC"

// When is the time of the ceremony.
func (t transcript) When() string { return t.At.Format(moment) }

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (t *transcript) born(label, algorithm string, public crypto.PublicKey) error {
	k := bornKey{label, algorithm, ""}
	if public != nil {
		spki, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return err
		}
		k.Hash = hexSum(spki)
	}
	t.Keys = append(t.Keys, k)
	return nil
}

func (t *transcript) certify(certificates ...*x509.Certificate) {
	for _, c := range certificates {
		t.Certificates = append(t.Certificates, madeCertificate{
			c.Subject.String(), c.Issuer.String(), inHex(c.SerialNumber), c.NotBefore.Format(moment), c.NotAfter.Format(moment), hexSum(c.Raw),
		})
	}
}

func inHex(n *big.Int) string { return hex.EncodeToString(n.Bytes()) }

func (t *transcript) asks(name pkix.Name, csr []byte) {
	t.Request = &madeRequest{name.String(), hexSum(csr)}
}

//go:embed transcript.html
var page string

var printed = template.Must(template.New("transcript").Parse(page))

const (
	transcriptsDir = "transcripts"
	sumsFile       = "SHA256SUMS" // as sha256sum -c reads it
)

// write keeps the transcript and its hash in the CA's directory: the house
// records both in the log when it starts.
func (h home) write(t *transcript) error {
	var text bytes.Buffer
	if err := printed.Execute(&text, t); err != nil {
		return err
	}
	dir := h.path(transcriptsDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	t.file, t.hash = t.At.Format("20060102T150405Z")+t.ending(), hexSum(text.Bytes())
	if err := writeWhole(filepath.Join(dir, t.file), text.Bytes()); err != nil {
		return err
	}
	sums, err := h.sums()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return writeWhole(filepath.Join(dir, sumsFile), append(sums, t.hash+"  "+t.file+"\n"...))
}

// ending is that of the file's name, by which one sees what was done to whom.
func (t *transcript) ending() string {
	if t.Number > 1 {
		return fmt.Sprintf("-%s-%d.html", t.Kind, t.Number)
	}
	return "-" + t.Kind + ".html"
}

// keptTranscript is one that is as its hash says.
type keptTranscript struct {
	file string
	text []byte
}

// of tells by the name whether it is of a ceremony of one of these kinds that made
// or certified the issuer of that number.
func (k keptTranscript) of(number int, kinds ...string) bool {
	return slices.ContainsFunc(kinds, func(kind string) bool {
		t := transcript{Kind: kind, Number: number}
		return strings.HasSuffix(k.file, t.ending())
	})
}

// transcripts compares each with its hash, and wants those that the CA's directory
// tells of: somebody may have taken one away together with its hash.
func (h home) transcripts() ([]keptTranscript, error) {
	kept, err := h.hashed()
	return kept, errors.Join(err, h.unlisted(), h.missing(kept))
}

// sums are the hashes of all transcripts, one a line; an empty file lists none.
func (h home) sums() ([]byte, error) {
	file := h.path(transcriptsDir, sumsFile)
	if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		return nil, nil
	}
	sums, err := profiles.ReadPath(file)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", sumsFile, err)
	}
	return sums, nil
}

// hashed are those that are as their hashes say.
func (h home) hashed() (kept []keptTranscript, err error) {
	sums, err := h.sums()
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(sums)) {
		want, file, ok := strings.Cut(strings.TrimRight(line, "\n"), "  ")
		if !ok || filepath.Base(file) != file {
			err = errors.Join(err, fault.Remark(sumsFile, "سطری دارد که از sha256sum نیست.", "it holds a line that is none of sha256sum's"))
			continue
		}
		text, readErr := profiles.ReadPath(h.path(transcriptsDir, file))
		switch {
		case readErr != nil:
			err = errors.Join(err, fmt.Errorf("%s:\n%w", file, readErr))
		case hexSum(text) != want:
			err = errors.Join(err, fault.Remark(file, "پس از آیین دگرگون شده است.", "it was changed since the ceremony"))
		default:
			kept = append(kept, keptTranscript{file, text})
		}
	}
	return kept, err
}

// unlisted tells of transcripts whose hash is gone.
func (h home) unlisted() (err error) {
	sums, _ := h.sums()
	entries, _ := os.ReadDir(h.path(transcriptsDir))
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".html") && !strings.Contains(string(sums), "  "+e.Name()+"\n") {
			err = errors.Join(err, fault.Remark(e.Name(), "چکیدهٔ آن در %s نیست.", "its hash is not in %s", sumsFile))
		}
	}
	return err
}

// missing names the transcripts that each issuer must have and has not.
func (h home) missing(kept []keptTranscript) error {
	places, err := h.places()
	if err != nil {
		return err
	}
	for _, s := range places {
		kinds, kindsErr := s.ceremonies()
		err = errors.Join(err, kindsErr)
		for _, kind := range kinds {
			if slices.ContainsFunc(kept, func(k keptTranscript) bool { return k.of(s.number, kind) }) {
				continue
			}
			err = errors.Join(err, fault.Remark(transcriptsDir, "صورت‌جلسهٔ %[2]s از مرکز صدور شمارهٔ %[1]d نیست.",
				"issuer %d has no transcript of kind %s", s.number, kind))
		}
	}
	return err
}

// ceremonies are the kinds of those that were held for this issuer.
func (s seat) ceremonies() ([]string, error) {
	p, err := s.held()
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", s.planFile(), err)
	}
	kinds := []string{string(p.Mode)}
	if s.number > 1 {
		kinds[0] = "succession"
	}
	if _, err := os.Stat(s.issuerFile()); err == nil && p.Mode == intermediate {
		kinds = append(kinds, "import")
	}
	return kinds, nil
}

// announce tells the witnesses what to print, to compare and to sign. All transcripts
// are in the CA's own directory, a further issuer's request is in that issuer's.
func (t transcript) announce(w io.Writer, h home) {
	_, _ = fmt.Fprintf(w, "ceremony    %s, %s\ntoken       %s, serial %s\n", t.Kind, t.When(), t.Token.Label, t.Token.Serial)
	for _, k := range t.Keys {
		_, _ = fmt.Fprintf(w, "key         %s, %s, born on the token, never extractable\n", k.Label, k.Algorithm)
	}
	for _, c := range t.Certificates {
		_, _ = fmt.Fprintf(w, "certificate %s until %s\n", c.Subject, c.Until)
	}
	if t.Request != nil {
		_, _ = fmt.Fprintf(w, "request     %s in %s\n", t.Request.Subject, h.seat(max(1, t.Number)).requestFile())
	}
	_, _ = fmt.Fprintf(w, "transcript  %s\nSHA-256     %s\n", h.path(transcriptsDir, t.file), t.hash)
	_, _ = fmt.Fprintf(w, "صورت‌جلسه را چاپ کنید، چکیدهٔ بالا را با دست روی آن بنویسید و امضا کنید.\nPrint the transcript, write the hash above on it by hand, and sign it.\n")
}
