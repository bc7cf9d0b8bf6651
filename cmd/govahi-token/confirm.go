package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"govahi/adapters/token"
	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/iran"
)

// confirm is the second officer's word, signed with his own token (S1.10,
// domain §4.5).
type confirm struct {
	chosen
	line
	Code string `arg:"" help:"Tracking code of the request."`
	Yes  bool   `help:"Do not ask: you have seen the record elsewhere."`
}

// confirmation is what was signed. It is written down before it is sent: another
// signature would be another question under the same key.
type confirmation struct {
	Revision  uint64 `json:"revision"`
	Hash      string `json:"hash"`
	Signature []byte `json:"signature"` // base64
}

// Run signs the statement that follows from the record's revision and hash, and
// never a text that came over the line.
func (c confirm) Run() error {
	code, err := iran.ParseTrackingCode(c.Code)
	if err != nil {
		return errTrackingCode
	}
	return c.call(func(ctx context.Context, d *door) error {
		var review commands.Review
		if err := d.get(ctx, "/requests/"+code+"/record", &review); err != nil {
			return err
		}
		said, err := c.word(code, review)
		if err != nil {
			return told(err)
		}
		key := "confirm-" + code + "-" + c.Token + "-" + said.Hash
		if err := d.post(ctx, key, "/requests/"+code+"/confirmation", said, nil); err != nil {
			return err
		}
		fmt.Println(said.Hash)
		return nil
	})
}

// word is the officer's, given now; or, if the record has moved on since, what
// he gave before a crash: the house answers it as it did then.
func (c confirm) word(code string, review commands.Review) (confirmation, error) {
	file := filepath.Join(c.Dir, code+"."+c.Token+".confirmation")
	earlier, known := kept(file)
	switch {
	case known && (earlier.Hash == review.Record.Hash || review.Status != enrollment.StatusControlled):
		return earlier, nil
	case review.Status != enrollment.StatusControlled:
		return confirmation{}, errNotToConfirm
	case string(review.Record.Statement(code)) != review.Statement:
		return confirmation{}, errOtherStatement
	}
	if err := c.consent(code, review); err != nil {
		return confirmation{}, err
	}
	said := confirmation{Revision: review.Record.Revision, Hash: review.Record.Hash}
	err := c.use(func(t *token.Token) (err error) {
		said.Signature, err = signed(t, review.Record.Statement(code))
		return err
	})
	if err != nil {
		return said, err
	}
	data, err := json.Marshal(said)
	if err != nil {
		return said, err
	}
	return said, keep(file, data)
}

func kept(file string) (c confirmation, known bool) {
	data, err := os.ReadFile(file)
	return c, err == nil && json.Unmarshal(data, &c) == nil
}

// consent shows the record to who sits at the terminal, and asks him.
func (c confirm) consent(code string, review commands.Review) error {
	terminal := isTerminal(os.Stderr)
	switch {
	case !terminal && !c.Yes:
		return errNoTerminal
	case terminal: // names stand in no file and in no pipe
		show(os.Stderr, code, review)
	}
	if c.Yes {
		return nil
	}
	_, _ = fmt.Fprint(os.Stderr, "آیا درستی این پرونده را تأیید می‌کنید؟ «بله» بنویسید · Do you confirm this record? Write yes: ")
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "yes" && answer != "بله" {
		return errNotConfirmed
	}
	return nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// show prints what the officer is answerable for.
func show(w io.Writer, code string, r commands.Review) {
	f := r.Form
	for _, row := range [][2]string{
		{"کد رهگیری · request", iran.GroupTrackingCode(code)},
		{"نام · name", f.GivenName + " " + f.Surname + " (" + f.LatinGivenName + " " + f.LatinSurname + ")"},
		{"کد ملی · code", f.PersonCode},
		{"تاریخ تولد · born", f.BirthDate},
		{"سازمان · organization", f.OrganizationName + " (" + f.Organization + ")، " + f.Post},
		{"پست الکترونیک · e-mail", f.Email},
		{"تلفن همراه · mobile", f.Mobile},
		{"نشانی · address", f.Address + "، " + f.City + "، " + f.Province + "، " + f.PostalCode},
		{"اصل مدارک دیده‌شده · originals", list(r.Sighted)},
		{"استعلام هویت · identity", identity(r)},
		{"هزینه (ریال) · fee", fmt.Sprint(r.FeeRial)},
		{"کاستی‌ها · missing", list(r.Missing)},
		{"نسخهٔ پرونده · record", fmt.Sprintf("%d %s", r.Record.Revision, r.Record.Hash)},
	} {
		_, _ = fmt.Fprintf(w, "  %s: %s\n", row[0], printable(row[1]))
	}
}

// identity is the registry's answer, or why there is none yet.
func identity(r commands.Review) string {
	if r.Waits != nil {
		return r.Waits.Fa + " · " + r.Waits.En
	}
	return r.Answer + " " + r.Code
}

// printable keeps what an applicant wrote from commanding the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '·'
		}
		return r
	}, text)
}

func list[T ~string](all []T) string {
	texts := make([]string, len(all))
	for i, t := range all {
		texts[i] = string(t)
	}
	return strings.Join(texts, ", ")
}
