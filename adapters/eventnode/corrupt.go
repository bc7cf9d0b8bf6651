package eventnode

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"govahi/domain/fault"
)

// ErrCorrupt reports a file of the log that no longer holds what was written to
// it. Nothing of it is answered, and nothing of it is left out.
var ErrCorrupt = fault.New(fault.Unavailable, "log-corrupt",
	"یکی از فایل‌های دفتر رویدادها خراب است؛ نسخهٔ پشتیبان را بازگردانید.",
	"A file of the event log is corrupt; restore the backup.")

// remedy is what an operator can do about any corrupt file.
const remedy = "restore the latest backup (govahi restore) and keep this directory for those who look into it"

// corruptFile names a file, what is wrong with it, and what to do.
func corruptFile(path string, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s: %s", ErrCorrupt, path, fmt.Sprintf(format, args...), remedy)
}

// errTorn reports a value that its own key or its checksum lets pass, and that
// is nevertheless none of ours.
var errTorn = errors.New("eventnode: a stored event cannot be read")

// noteCorruption remembers the first corrupt file that Pebble or we met, for
// health, and tells the operator of each.
func (s *store) noteCorruption(err error) {
	s.corrupt.CompareAndSwap(nil, &err)
	s.disk.log.Error("the event log is corrupt", "error", err)
}

// torn says where in the log an event cannot be read, or is not.
func (s *store) torn(position uint64, err error) error {
	err = corruptFile(s.disk.dir, "position %d: %v", position, err)
	s.noteCorruption(err)
	return err
}

// trouble is what stands in the way of trusting the log, if anything does.
func (s *store) trouble() error {
	if err := s.corrupt.Load(); err != nil {
		return *err
	}
	return nil
}

// internal is an error of the store as a gRPC status. Corruption is DataLoss:
// no repetition helps against it.
func internal(err error) error {
	if isCorrupt(err) {
		return status.Error(codes.DataLoss, named(err).Error())
	}
	return status.Error(codes.Internal, err.Error())
}

func isCorrupt(err error) bool {
	return pebble.IsCorruptionError(err) || errors.Is(err, errTorn) || errors.Is(err, ErrCorrupt)
}

// named says which file it is; Pebble's own text leaves that out.
func named(err error) error {
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil && !errors.Is(err, ErrCorrupt) {
		return corruptFile(info.Path, "%v", err)
	}
	return err
}

// listener hears what Pebble meets in the background.
func (s *store) listener() *pebble.EventListener {
	return &pebble.EventListener{
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			s.noteCorruption(corruptFile(info.Path, "%v", info.Details))
		},
		BackgroundError: func(err error) {
			s.disk.log.Error("event store", "error", err)
			if isCorrupt(err) {
				s.noteCorruption(named(err))
			}
		},
	}
}

// damaged tells an error of what the files hold, or that one is missing, from
// the system's refusal to open them.
func damaged(err error) bool {
	var refused syscall.Errno
	return !errors.Is(err, errFrozen) && (!errors.As(err, &refused) || refused == syscall.ENOENT)
}

// explain finds the file by which Pebble could not open the log: its own words
// name a number at best.
func (d *disk) explain(err error) error {
	names, _ := d.FS.List(d.dir)
	for _, name := range names {
		kind, _, ok := numbered(name)
		if !ok || kind != walKind {
			continue
		}
		if _, broken := d.readable(name); broken != nil {
			return corruptFile(filepath.Join(d.dir, name), "%v; %v", broken, err)
		}
	}
	for _, prefix := range []string{"marker.manifest.", "marker.format-version."} {
		if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, prefix) }) {
			return corruptFile(filepath.Join(d.dir, prefix+"*"), "there is none; %v", err)
		}
	}
	if table := missingTable.FindStringSubmatch(err.Error()); table != nil {
		return corruptFile(filepath.Join(d.dir, table[1]+".sst"), "%v", err)
	}
	return d.explainOptions(names, err)
}

// missingTable is how Pebble speaks of a table that is gone.
var missingTable = regexp.MustCompile(`file ([0-9]+) \(type sstable\)`)

// explainOptions blames the newest OPTIONS file if it cannot be read.
func (d *disk) explainOptions(names []string, err error) error {
	newest := ""
	for _, name := range names {
		if strings.HasPrefix(name, "OPTIONS-") {
			newest = max(newest, name)
		}
	}
	path := filepath.Join(d.dir, newest)
	if strings.Contains(err.Error(), "MANIFEST") {
		path = d.dir // the words name it
	}
	return corruptFile(path, "%v", err)
}
