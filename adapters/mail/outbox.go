// Package mail sends messages. In development they go to an outbox: a
// directory with one file for each message.
package mail

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"govahi/commands"
)

// Outbox is the directory. A message that is sent twice is one file.
type Outbox struct{ dir string }

// OpenOutbox makes the directory, for its owner alone: messages are personal.
func OpenOutbox(dir string) (*Outbox, error) {
	return &Outbox{dir}, os.MkdirAll(dir, 0o700)
}

// Message is a file of the outbox.
type Message struct {
	commands.Mail
	At time.Time
}

// Send writes the message under its ID, whole or not at all.
func (o *Outbox) Send(_ context.Context, m commands.Mail) error {
	data, err := json.MarshalIndent(Message{m, time.Now().UTC()}, "", "  ")
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(o.dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = temporary.Write(data)
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary.Name(), filepath.Join(o.dir, m.ID+".json"))
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}

// Messages lists what was sent, oldest first.
func (o *Outbox) Messages() ([]Message, error) {
	files, err := filepath.Glob(filepath.Join(o.dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []Message
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		var m Message
		if err := json.Unmarshal(data, &m); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Message) int { return a.At.Compare(b.At) })
	return all, nil
}

var code = regexp.MustCompile(`(?m)^[۰-۹]{5}$`)

// Code finds the five digits of an e-mail proof in a message, or nothing.
func (m Message) Code() string { return code.FindString(m.Body) }
