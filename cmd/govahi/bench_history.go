package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"

	"govahi/adapters/sso"
	"govahi/commands"
	"govahi/domain/event"
)

// A long history is one that really happened, again and again to other people:
// a certificate's life is told over HTTP, and each event that the house recorded
// of it is recorded for as many lives more, with names, times and personal data
// of their own, sealed under their own keys. All of these people are invented.

// life is what is repeated.
type life struct {
	events []lived
	names  []string // that each life has its own of
	person int      // which of them is the applicant
}

// lived is one event of it, in pieces.
type lived struct {
	name                   string // stored
	stream, id, data, meta pieces
	revision               int
}

// pieces is text with names in it, and with texts that are sealed.
type pieces []piece

type piece struct {
	text string
	name int // of life.names, -1 for none
	seal *sealedPieces
}

// sealedPieces is personal data.
type sealedPieces struct{ subject, place, plain pieces }

var (
	// What differs from life to life: hashes, serials and IDs, the numbers of
	// people and things, times, a user name and a surname.
	nameForm = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{16,64}\b|\b[0-9]{10,12}\b|` +
		`\d{4}-\d\d-\d\dT[0-9:.]+Z|nemune\.[0-9]+|نمونه‌پور`)
	sealedForm = regexp.MustCompile(`\{"subject":"([^"]+)","place":"([^"]+)","sealed":"([^"]+)"\}`)
)

// learn reads the life that was told since a position.
func learn(ctx context.Context, app *commands.App, since event.Position) (*life, error) {
	l, known := &life{}, map[string]int{}
	if err := l.personas(ctx, app, known); err != nil {
		return nil, err
	}
	for r, err := range app.Log.ReadAll(ctx, since) {
		if err != nil {
			return nil, err
		}
		if c := r.Stream.Category(); c == "crl" || c == "policy" {
			continue // of the house, not of a life
		}
		e := lived{
			name: r.Type, stream: l.cut(string(r.Stream), known), id: l.cut(r.ID.String(), known),
			meta: l.cut(string(r.Meta), known), revision: int(r.Revision),
		}
		if e.data, err = l.open(ctx, app.Keeper, r.Data, known); err != nil {
			return nil, err
		}
		l.events = append(l.events, e)
	}
	return l, nil
}

// personas keep their names, for they hold the offices, but the applicant.
func (l *life) personas(ctx context.Context, app *commands.App, known map[string]int) error {
	for _, p := range sso.Personas() {
		person, found, err := app.People.Lookup(ctx, p.NationalCode)
		if err != nil {
			return err
		}
		if found {
			known[string(person)] = -1
		}
		if p.Name == "applicant" {
			l.names, l.person = append(l.names, string(person)), len(l.names)
			known[string(person)] = l.person
		}
	}
	return nil
}

func (l *life) cut(text string, known map[string]int) (cut pieces) {
	at := 0
	for _, m := range nameForm.FindAllStringIndex(text, -1) {
		word := text[m[0]:m[1]]
		name, ok := known[word]
		if !ok {
			name = len(l.names)
			known[word], l.names = name, append(l.names, word)
		}
		if name >= 0 {
			cut = append(cut, piece{text: text[at:m[0]], name: -1}, piece{name: name})
			at = m[1]
		}
	}
	return append(cut, piece{text: text[at:], name: -1})
}

// open cuts an event's data, and what is sealed in it.
func (l *life) open(ctx context.Context, k event.Keeper, data []byte, known map[string]int) (cut pieces, err error) {
	text, at := string(data), 0
	for _, m := range sealedForm.FindAllStringSubmatchIndex(text, -1) {
		subject, place := text[m[2]:m[3]], text[m[4]:m[5]]
		sealed, err := base64.StdEncoding.DecodeString(text[m[6]:m[7]])
		if err != nil {
			return nil, err
		}
		plain, err := k.Open(ctx, event.Subject(subject), place, sealed)
		if err != nil {
			return nil, err
		}
		s := &sealedPieces{l.cut(subject, known), l.cut(place, known), l.cut(string(plain), known)}
		cut = append(append(cut, l.cut(text[at:m[0]], known)...), piece{name: -1, seal: s})
		at = m[1]
	}
	return append(cut, l.cut(text[at:], known)...), nil
}

// named gives the k-th life its names.
func (l *life) named(k int, person event.Subject) []string {
	names := make([]string, len(l.names))
	for n, name := range l.names {
		names[n] = another(name, k)
	}
	names[l.person] = string(person)
	return names
}

// another is a name of the same form: a time some seconds earlier for each life,
// else digits for digits.
func another(name string, k int) string {
	if at, err := time.Parse(time.RFC3339Nano, name); err == nil {
		return at.Add(-time.Duration(k) * 7 * time.Second).Format(time.RFC3339Nano)
	}
	if form, _, ok := strings.Cut(name, "."); ok {
		return fmt.Sprintf("%s.again-%d", form, k)
	}
	if len(name) <= 12 {
		return fmt.Sprintf("%012d", k)[12-len(name):]
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", name, k))
	digits, fresh := hex.EncodeToString(sum[:]), []byte(name)
	for i := 2; i < len(name); i++ { // a serial's first byte keeps it positive
		if name[i] != '-' {
			fresh[i] = digits[i%len(digits)]
		}
	}
	return string(fresh)
}

// told writes pieces with a life's names.
func (l *life) told(ctx context.Context, k event.Keeper, b *bytes.Buffer, names []string, all pieces) error {
	for _, p := range all {
		switch {
		case p.seal != nil:
			if err := l.seal(ctx, k, b, names, p.seal); err != nil {
				return err
			}
		case p.name >= 0:
			b.WriteString(names[p.name])
		default:
			b.WriteString(p.text)
		}
	}
	return nil
}

func (l *life) text(names []string, all pieces) string {
	var b bytes.Buffer
	_ = l.told(context.Background(), nil, &b, names, all) // nothing is sealed in it
	return b.String()
}

func (l *life) seal(ctx context.Context, k event.Keeper, b *bytes.Buffer, names []string, s *sealedPieces) error {
	subject, place := l.text(names, s.subject), l.text(names, s.place)
	sealed, err := k.Seal(ctx, event.Subject(subject), place, []byte(l.text(names, s.plain)))
	if err == nil {
		fmt.Fprintf(b, `{"subject":"%s","place":"%s","sealed":"%s"}`, subject, place, base64.StdEncoding.EncodeToString(sealed))
	}
	return err
}
