package mail

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"govahi/commands"
)

// Bounces is a directory in the manner of a Maildir, into which the mail server
// delivers what comes back: new holds what nobody has read, cur what was read,
// and aside what needs a person's look.
type Bounces struct{ dir string }

// OpenBounces makes the directory, for its owner alone: reports quote addresses.
func OpenBounces(dir string) (*Bounces, error) {
	var wrong error
	for _, part := range []string{"tmp", "new", "cur", "aside"} {
		wrong = errors.Join(wrong, os.MkdirAll(filepath.Join(dir, part), 0o700))
	}
	return &Bounces{dir}, wrong
}

// Names lists what nobody has read, by name.
func (b *Bounces) Names(_ context.Context, _ time.Time, limit int) ([]string, error) {
	files, err := os.ReadDir(filepath.Join(b.dir, "new"))
	var names []string
	for _, f := range files {
		if f.Type().IsRegular() && !strings.HasPrefix(f.Name(), ".") && len(names) < limit {
			names = append(names, f.Name())
		}
	}
	return names, err
}

// Read reads a report, or fails with commands.ErrNoReport.
func (b *Bounces) Read(_ context.Context, name string) (commands.Bounce, error) {
	f, err := os.Open(filepath.Join(b.dir, "new", filepath.Base(name)))
	if err != nil {
		return commands.Bounce{}, err
	}
	defer f.Close()
	return ParseReport(f)
}

// Done puts a report to those that were read.
func (b *Bounces) Done(_ context.Context, name string) error { return b.move(name, "cur") }

// SetAside keeps a report for a person to look at.
func (b *Bounces) SetAside(_ context.Context, name string) error { return b.move(name, "aside") }

// move is done, too, if another process has moved it.
func (b *Bounces) move(name, to string) error {
	name = filepath.Base(name)
	err := os.Rename(filepath.Join(b.dir, "new", name), filepath.Join(b.dir, to, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Aside counts what waits for a person's look.
func (b *Bounces) Aside() (int, error) {
	files, err := os.ReadDir(filepath.Join(b.dir, "aside"))
	return len(files), err
}

// Bounce lets a message of the outbox come back, as a mail server would report
// it (RFC 3464), for development.
func (o *Outbox) Bounce(to *Bounces, id, status string) error {
	messages, err := o.Messages()
	if err != nil {
		return err
	}
	for _, m := range messages {
		if m.ID == id {
			return to.deliver(reportOf(m.ID, m.To, status))
		}
	}
	return fmt.Errorf("mail: no message %s was sent", id)
}

func (b *Bounces) deliver(text string) error {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	name := fmt.Sprintf("%d.%s.govahi", time.Now().Unix(), hex.EncodeToString(random[:]))
	if err := os.WriteFile(filepath.Join(b.dir, "tmp", name), []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(filepath.Join(b.dir, "tmp", name), filepath.Join(b.dir, "new", name))
}

func reportOf(id, to, status string) string {
	action := "failed"
	if !strings.HasPrefix(status, "5") {
		action = "delayed"
	}
	return strings.ReplaceAll(`From: MAILER-DAEMON@mail.example.ir
To: govahi@mail.example.ir
Subject: Undelivered Mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=us-ascii

The message could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.ir

Final-Recipient: rfc822; `+to+`
Action: `+action+`
Status: `+status+`

--b1
Content-Type: text/rfc822-headers

Message-ID: `+MessageID(id)+`
To: `+to+`

--b1--
`, "\n", "\r\n")
}
