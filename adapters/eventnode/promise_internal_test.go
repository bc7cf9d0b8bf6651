package eventnode

import (
	"bytes"
	"io"
	"log/slog"
	"testing"

	wal "github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestARecordThatWasSyncedInPartIsNoCorruption: the log is synced while a long
// record is under way, and the power is cut before the rest is. Nobody heard that
// it was stored. What was synced must be there all the same.
func TestARecordThatWasSyncedInPartIsNoCorruption(t *testing.T) {
	const block = 32 << 10
	var whole bytes.Buffer
	w := wal.NewWriter(&whole)
	for _, size := range []int{1000, 3 * block} {
		if _, err := w.WriteRecord(bytes.Repeat([]byte{7}, size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		left  int // bytes on the disk
		spoil int // one of them that is not what it was; 0 if all are
		fine  bool
	}{
		"the first block of the record": {left: block, fine: true},
		"two blocks":                    {left: 2 * block, fine: true},
		"and of the third some":         {left: 2*block + 500, fine: true},
		"a byte of it is another":       {left: block, spoil: block - 1},
		"so is one before it":           {left: block, spoil: 500},
		"a byte is missing":             {left: block - 1},
		"half of it is missing":         {left: block / 2},
	} {
		t.Run(name, func(t *testing.T) {
			disk := newDisk(vfs.NewMem(), "data", slog.New(slog.DiscardHandler))
			there := bytes.Clone(whole.Bytes()[:c.left])
			if c.spoil > 0 {
				there[c.spoil] ^= 1
			}
			write(t, disk, "data/000039.log", there)
			err := disk.holds(walKind, 39, uint64(max(block, c.left/block*block)))
			if (err == nil) != c.fine {
				t.Errorf("got %v", err)
			}
		})
	}
}

func write(t *testing.T, on *disk, name string, data []byte) {
	t.Helper()
	if err := on.FS.MkdirAll("data", 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := on.FS.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
