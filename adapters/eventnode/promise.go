package eventnode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	wal "github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// promiseFile says how far the files are synced at whose end Pebble writes: its
// newest write-ahead log and its manifest. Pebble takes an unreadable end of
// either for one that a power cut left, and goes on without it; before it may,
// we look whether that end was promised.
//
// A promise is written before anybody hears of what it is about, and after the
// fsync that it speaks of, without one of its own: after a power cut it may say
// less than there is, and never more. When the process alone dies it is exact.
const promiseFile = "synced"

// slotSize is the block that a disk writes whole or not at all; two slots are
// written in turn, so that one of them is always good.
const slotSize = 4096

const (
	walKind      = ".log"
	manifestKind = "MANIFEST"
)

// allowed is how many promised bytes may lack a record: what ends a closed log or
// asks for its fsync, what fills a block. It is less than the smallest append.
var allowed = map[string]uint64{walKind: 64, manifestKind: 7}

// promise is what is known to be on disk.
type promise struct {
	Turn                   uint64 // the higher, the later
	Log, LogSize           uint64 // number and synced bytes of the newest write-ahead log
	Manifest, ManifestSize uint64 // the same of the manifest
	Begun                  uint64 // 1 once the directory holds a log
}

// promises keeps the file. Its zero value keeps none, for reading only.
type promises struct {
	mu   sync.Mutex
	file vfs.File
	now  promise
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (p promise) encode() []byte {
	b, _ := binary.Append(nil, binary.BigEndian, p) // numbers of fixed size never fail
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decodePromise is the later of two slots; there is none in a new file, and
// none in one that is itself corrupt: then nothing can be held against the log.
func decodePromise(b []byte) (latest promise) {
	size := binary.Size(promise{})
	for ; len(b) >= size+4; b = b[min(slotSize, len(b)):] {
		var p promise
		_, _ = binary.Decode(b, binary.BigEndian, &p)
		whole := crc32.Checksum(b[:size], castagnoli) == binary.BigEndian.Uint32(b[size:])
		if whole && p.Turn > latest.Turn {
			latest = p
		}
	}
	return latest
}

// readPromise reads what was promised of a directory.
func readPromise(on vfs.FS, dir string) (promise, error) {
	f, err := on.Open(filepath.Join(dir, promiseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return promise{}, nil
	}
	if err != nil {
		return promise{}, err
	}
	b, err := io.ReadAll(f)
	return decodePromise(b), errors.Join(err, f.Close())
}

// keepPromises opens the file for writing, and makes it where there is none.
func (d *disk) keepPromises() (err error) {
	if d.promises.now, err = readPromise(d.FS, d.dir); err != nil || d.readOnly {
		return err
	}
	newest, err := d.newestLog()
	if err != nil {
		return err
	}
	if d.promises.now.Turn == 0 && newest > 0 {
		d.log.Warn("nothing is known of how far the event log was synced: its file is lost", "file", promiseFile)
	}
	err = d.try(func() (err error) {
		d.promises.file, err = d.FS.OpenReadWrite(filepath.Join(d.dir, promiseFile), vfs.WriteCategoryUnspecified)
		return err
	})
	if err != nil {
		return err
	}
	d.promises.mu.Lock()
	defer d.promises.mu.Unlock()
	for range 2 { // both slots have their place on the disk from now on
		if err := d.try(d.promises.write); err != nil {
			return err
		}
	}
	return errors.Join(d.promises.file.Sync(), syncDir(d.FS, d.dir))
}

func syncDir(on vfs.FS, dir string) error {
	f, err := on.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// write puts the promise into the slot whose turn it is.
func (p *promises) write() error {
	p.now.Turn++
	_, err := p.file.WriteAt(p.now.encode(), int64(p.now.Turn%2)*slotSize)
	return err
}

// synced notes that a file is on disk up to a size. What cannot be noted stays
// unpromised; the fsync itself has succeeded.
func (p *promises) synced(name string, size uint64) {
	kind, number, ok := numbered(name)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil {
		return
	}
	if kind == manifestKind {
		p.now.Manifest, p.now.ManifestSize = number, size
	} else if number >= p.now.Log {
		p.now.Log, p.now.LogSize = number, size
	}
	_ = p.write()
}

// begun notes that there is a log from now on.
func (p *promises) begun() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != nil {
		p.now.Begun = 1
		_ = p.write()
	}
}

// close syncs the promise: a log that was closed is known to the last byte.
func (p *promises) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil {
		return nil
	}
	f := p.file
	p.file = nil
	return errors.Join(f.Sync(), f.Close())
}

// numbered reads the names of Pebble's logs and manifests: 000007.log,
// MANIFEST-000006.
func numbered(name string) (kind string, number uint64, ok bool) {
	base := filepath.Base(name)
	digits, isLog := strings.CutSuffix(base, walKind)
	if kind = walKind; !isLog {
		if digits, ok = strings.CutPrefix(base, manifestKind+"-"); !ok {
			return "", 0, false
		}
		kind = manifestKind
	}
	number, err := strconv.ParseUint(digits, 10, 64)
	return kind, number, err == nil
}

// keepsPromises looks whether a log that is about to be opened holds what was
// promised of it. It reads only files that Pebble is about to read itself.
func (d *disk) keepsPromises() error {
	p, err := readPromise(d.FS, d.dir)
	if err != nil || p == (promise{}) {
		return err
	}
	newest, err := d.newestLog()
	if err != nil {
		return err
	}
	if newest < p.Log {
		return corruptFile(d.file(walKind, p.Log), "it is missing, and held the last events")
	}
	return errors.Join(d.holds(manifestKind, p.Manifest, p.ManifestSize), d.holds(walKind, p.Log, p.LogSize))
}

func (d *disk) newestLog() (newest uint64, err error) {
	names, err := d.FS.List(d.dir)
	for _, name := range names {
		if kind, number, ok := numbered(name); ok && kind == walKind {
			newest = max(newest, number)
		}
	}
	return newest, err
}

func (d *disk) file(kind string, number uint64) string {
	name := fmt.Sprintf("%06d%s", number, kind)
	if kind == manifestKind {
		name = fmt.Sprintf("%s-%06d", kind, number)
	}
	return filepath.Join(d.dir, name)
}

// holds reads a file up to its promised size. One that is gone has had a
// successor since.
func (d *disk) holds(kind string, number, size uint64) error {
	path := d.file(kind, number)
	good, err := d.readable(filepath.Base(path))
	if errors.Is(err, fs.ErrNotExist) || good+allowed[kind] >= size {
		return nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return corruptFile(path, "it is readable up to byte %d, but %d bytes were written and synced (%v)", good, size, err)
}

// readable is how far a file can be read, and what stands there unless it is the
// end. A record goes in chunks, each with its checksum: of one that was under way
// when the file was synced, the chunks that were written are there and no more.
func (d *disk) readable(name string) (good uint64, err error) {
	_, number, _ := numbered(name)
	if strings.HasPrefix(name, manifestKind) {
		number = 0 // its records bear none
	}
	f, err := d.FS.Open(filepath.Join(d.dir, name))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	records, chunk := readRecords(wal.NewReader, f, number), make([]byte, 32<<10)
	for {
		r, err := records.Next()
		if errors.Is(err, io.EOF) {
			return good, nil
		}
		for err == nil {
			good = uint64(records.Offset()) // where a good chunk ends
			_, err = r.Read(chunk)
		}
		if !errors.Is(err, io.EOF) {
			return good, err
		}
	}
}

// readRecords gives the file's number the type that only Pebble may name.
func readRecords[N ~uint64](open func(io.Reader, N) *wal.Reader, r io.Reader, number uint64) *wal.Reader {
	return open(r, N(number))
}
