package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// logCmd looks at the log, and moves it.
type logCmd struct {
	Export exportLog `cmd:"" help:"Print every event in order, as stored, one JSON object a line."`
	Import importLog `cmd:"" help:"Append what log export printed to an empty log, or go on where that ended."`
	Verify verifyLog `cmd:"" help:"Check everything that the log holds, of a running instance or at rest."`
}

// line is one event as exported. The first line of an export says where the log
// ended then, the last one that it is the last.
type line struct {
	Position event.Position  `json:"position"`
	Stream   event.Stream    `json:"stream"`
	Revision uint64          `json:"revision"`
	ID       event.ID        `json:"id"`
	Type     string          `json:"type"`
	Data     json.RawMessage `json:"data"`
	Meta     json.RawMessage `json:"metadata"`
	Head     event.Position  `json:"head,omitempty"`
	Last     bool            `json:"last,omitempty"`
}

type exportLog struct {
	attached
	Out string `type:"path" help:"File to write to; if it holds the beginning of this log's export, the rest is added to it."`
}

// Run prints the log; personal data is in its sealed form.
func (e exportLog) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	defer stop()
	log, err := e.openLog()
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	if e.Out == "" {
		_, err := exportTo(ctx, log, 0, os.Stdout, nil)
		return err
	}
	return e.toFile(ctx, log)
}

// toFile goes on behind the last whole line of the file.
func (e exportLog) toFile(ctx context.Context, log *eventstore.Log) (err error) {
	f, err := os.OpenFile(e.Out, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Sync(), f.Close()) }()
	last, err := resumeFile(ctx, log, f)
	if err != nil {
		return err
	}
	head, err := log.Head(ctx)
	if err != nil {
		return err
	}
	b := newEventBar("exporting")
	n, err := exportTo(ctx, log, last.Position, f, func(at event.Position, n uint64) { b.reachEvents(n, uint64(at), uint64(head)) })
	if err == nil {
		b.reach(n, n)
	}
	b.ended()
	if err == nil {
		fmt.Printf("%d events written to %s, which holds the log up to position %d\n", n, e.Out, max(head, last.Position))
	}
	return err
}

// resumeFile cuts off what is no whole line, and tells the last one, which must
// be an event of this log.
func resumeFile(ctx context.Context, log *eventstore.Log, f *os.File) (last line, err error) {
	in, size := newLines(f), int64(0)
	for {
		l, err := in.next()
		if errors.Is(err, io.EOF) || errors.Is(err, errCutOff) {
			break
		}
		if err != nil {
			return line{}, fmt.Errorf("%s is not an export: %w", f.Name(), err)
		}
		last, size = l, in.read
	}
	if size > 0 && !holds(ctx, log, last) {
		return line{}, fmt.Errorf("در %[1]s برون‌بُرد دفتر دیگری است؛ پروندهٔ تازه‌ای نام ببرید.\n%[1]s holds the export of another log: name a new file", f.Name())
	}
	_, err = f.Seek(size, io.SeekStart)
	return last, errors.Join(err, f.Truncate(size))
}

// holds tells whether a log has an event at its stream and revision.
func holds(ctx context.Context, log event.Log, l line) bool {
	for r, err := range log.Read(ctx, l.Stream, l.Revision) {
		return err == nil && l.is(r)
	}
	return false
}

// is tells whether a line is of an event, wherever that stands.
func (l line) is(r event.Recorded) bool {
	return l.ID == r.ID && l.Stream == r.Stream && l.Revision == r.Revision && l.Type == r.Type && bytes.Equal(l.Data, r.Data)
}

// exportTo writes the events behind a position, and tells how many there were.
// It is one event behind, because only the end shows which one is the last.
func exportTo(ctx context.Context, log event.Log, after event.Position, out io.Writer, tell func(event.Position, uint64)) (n uint64, err error) {
	head, err := log.Head(ctx)
	if err != nil {
		return 0, err
	}
	buffered := bufio.NewWriterSize(out, 1<<20)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	var held *line
	for r, err := range log.ReadAll(ctx, after) {
		if err != nil {
			return n, errors.Join(err, buffered.Flush())
		}
		if held != nil {
			err = encoder.Encode(held)
		}
		if err := errors.Join(err, carries(r)); err != nil {
			return n, err
		}
		held = &line{Position: r.Position, Stream: r.Stream, Revision: r.Revision, ID: r.ID, Type: r.Type, Data: r.Data, Meta: r.Meta}
		if n++; n == 1 {
			held.Head = head
		}
		if tell != nil && n%1024 == 0 {
			tell(r.Position, n)
		}
	}
	if held != nil {
		held.Last = true
		err = encoder.Encode(held)
	}
	return n, errors.Join(err, buffered.Flush())
}

// carries makes sure that a line of JSON holds an event to the byte, as seals and
// chains need it: our events are JSON without white space.
func carries(r event.Recorded) error {
	for _, text := range [][]byte{r.Data, r.Meta} {
		var compact bytes.Buffer
		if err := json.Compact(&compact, text); err != nil || !bytes.Equal(compact.Bytes(), text) {
			return fmt.Errorf("%[1]s@%[2]d JSON فشرده نیست؛ رویداد گواهی نیست و بی‌تغییر برون برده نمی‌شود.\n%[1]s@%[2]d is not compact JSON: it is no event of Govahi's, and cannot be exported unchanged", r.Stream, r.Revision)
		}
	}
	return nil
}

// lines reads an export.
type lines struct {
	in   *bufio.Reader
	read int64 // bytes of whole lines
}

func newLines(in io.Reader) *lines { return &lines{in: bufio.NewReaderSize(in, 1<<20)} }

// errCutOff reports half a line at the end of an export.
var errCutOff = errors.New("برون‌بُرد در میانهٔ سطری پایان می‌یابد؛ دوباره آغازش کنید، از همین جا پی گرفته می‌شود.\nthe export ends in the midst of a line: start it again, it will go on from here")

// next is the next line, or io.EOF.
func (l *lines) next() (next line, err error) {
	text, err := l.in.ReadBytes('\n')
	if errors.Is(err, io.EOF) && len(text) > 0 {
		return line{}, errCutOff
	}
	if err != nil {
		return line{}, err
	}
	if err := json.Unmarshal(text, &next); err != nil {
		return line{}, fmt.Errorf("a line is not of an export: %w", err)
	}
	l.read += int64(len(text))
	return next, nil
}
