package eventnode

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	reserve    = 64 << 20 // bytes that Pebble may need to flush what it holds; an eighth of a small disk
	lookEvery  = 50 * time.Millisecond
	retryEvery = 100 * time.Millisecond
)

// errFrozen reports that the node gave the disk up: see disk.
var errFrozen = errors.New("eventnode: the disk was full when the node stopped")

// disk is the file system under Pebble, which ends its process when it cannot
// write. So Pebble never hears that the disk is full: what it writes waits for
// space. (vfs.OnDiskFull tries only once more, and lets nothing be removed
// meanwhile.) A failed fsync is never tried again, it stays fatal.
//
// A node that stops on a full disk freezes it: from then on nothing changes
// there, as after a power cut, while Pebble believes that all was written, and
// so comes to an end. Nothing is acknowledged then. New files are in memory;
// only a table half written fails, because Pebble would read it back.
type disk struct {
	vfs.FS
	dir    string
	log    *slog.Logger
	leave  func()        // closes left
	left   chan struct{} // closed: nobody waits for space any more
	frozen atomic.Bool
	shadow *vfs.MemFS // what is made after that

	promises promises
	readOnly bool

	mu      sync.Mutex
	waiting int           // writes without space
	wall    chan struct{} // closed while there are any
	looked  time.Time     // when the free space was last looked at
	low     bool          // it was below the reserve
	told    bool          // the operator knows that the disk is full
}

func newDisk(fs vfs.FS, dir string, log *slog.Logger) *disk {
	d := &disk{FS: fs, dir: dir, log: log, left: make(chan struct{}), wall: make(chan struct{}), shadow: vfs.NewMem()}
	d.leave = sync.OnceFunc(func() { close(d.left) })
	_ = d.shadow.MkdirAll(dir, 0o700) // never fails in memory
	return d
}

// full tells that something waits for space, or soon would.
func (d *disk) full() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.looked) > lookEvery {
		d.looked, d.low = time.Now(), d.short()
	}
	full := d.waiting > 0 || d.low || d.frozen.Load()
	d.tell(full)
	return full
}

// short compares the free space with the reserve. Where the space is not known
// (a quota, a disk in memory), only a write can tell.
func (d *disk) short() bool {
	usage, err := d.GetDiskUsage(d.dir)
	return err == nil && usage.AvailBytes < min(reserve, usage.TotalBytes/8)
}

func (d *disk) tell(full bool) {
	switch {
	case full && !d.told:
		d.log.Error("the disk is full: the event log refuses appends until there is space", "directory", d.dir)
	case !full && d.told:
		d.log.Info("the disk has space again: the event log takes appends", "directory", d.dir)
	}
	d.told = full
}

// walled is closed while something waits for space.
func (d *disk) walled() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wall
}

func (d *disk) hit() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting++; d.waiting == 1 {
		close(d.wall)
	}
	d.tell(true)
}

func (d *disk) passed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting--; d.waiting == 0 {
		d.wall, d.looked = make(chan struct{}), time.Time{}
	}
}

// try does what needs space, as often as it takes.
func (d *disk) try(op func() error) error {
	if d.frozen.Load() {
		return errFrozen
	}
	err := op()
	if !outOfSpace(err) {
		return err
	}
	d.hit()
	defer d.passed()
	for outOfSpace(err) {
		select {
		case <-d.left:
			d.frozen.Store(true)
		case <-time.After(retryEvery):
		}
		if d.frozen.Load() {
			return errFrozen
		}
		err = op()
	}
	return err
}

func outOfSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// pretend lets what a frozen disk did not do look done.
func pretend(err error) error {
	if errors.Is(err, errFrozen) {
		return nil
	}
	return err
}

// Create makes a file; on a frozen disk, in memory.
func (d *disk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return d.create(name, func() (vfs.File, error) { return d.FS.Create(name, category) })
}

// ReuseForWrite takes an old log for a new one.
func (d *disk) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return d.create(newname, func() (vfs.File, error) { return d.FS.ReuseForWrite(oldname, newname, category) })
}

func (d *disk) create(name string, open func() (vfs.File, error)) (vfs.File, error) {
	f := &file{disk: d, name: name, table: isTable(name)}
	err := d.try(func() (err error) {
		f.File, err = open()
		return err
	})
	if errors.Is(err, errFrozen) {
		return d.shadow.Create(name, vfs.WriteCategoryUnspecified)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

func isTable(name string) bool {
	kind := filepath.Ext(name)
	return kind == ".sst" || kind == ".blob"
}

// Open finds what was made after the disk was frozen, too.
func (d *disk) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if d.frozen.Load() {
		if f, err := d.shadow.Open(name, opts...); err == nil {
			return f, nil
		}
	}
	return d.FS.Open(name, opts...)
}

// Link gives a file another name.
func (d *disk) Link(oldname, newname string) error {
	return pretend(d.try(func() error { return d.FS.Link(oldname, newname) }))
}

// Rename gives a file a new name.
func (d *disk) Rename(oldname, newname string) error {
	return pretend(d.try(func() error { return d.FS.Rename(oldname, newname) }))
}

// Remove makes space; what a frozen disk holds stays.
func (d *disk) Remove(name string) error {
	return pretend(d.try(func() error { return d.FS.Remove(name) }))
}

// RemoveAll makes space; what a frozen disk holds stays.
func (d *disk) RemoveAll(name string) error {
	return pretend(d.try(func() error { return d.FS.RemoveAll(name) }))
}

// MkdirAll makes a directory and those above it.
func (d *disk) MkdirAll(dir string, perm os.FileMode) error {
	return d.try(func() error { return d.FS.MkdirAll(dir, perm) })
}

// Lock holds a file against other processes.
func (d *disk) Lock(name string) (closer io.Closer, err error) {
	err = d.try(func() error {
		closer, err = d.FS.Lock(name)
		return err
	})
	return closer, err
}

// file is a file that Pebble writes.
type file struct {
	vfs.File
	disk    *disk
	name    string
	table   bool          // Pebble reads it again
	written atomic.Uint64 // bytes
}

// Write goes on where the disk was full.
func (f *file) Write(p []byte) (n int, err error) {
	err = f.disk.try(func() error {
		done, err := f.File.Write(p[n:])
		n += done
		f.written.Add(uint64(done))
		return err
	})
	if errors.Is(err, errFrozen) && !f.table {
		return len(p), nil
	}
	return n, err
}

// Sync and SyncData promise what was written before; see promiseFile.
func (f *file) Sync() error { return f.sync(f.File.Sync) }

// SyncData is how Pebble syncs its logs.
func (f *file) SyncData() error { return f.sync(f.File.SyncData) }

func (f *file) sync(sync func() error) error {
	written := f.written.Load()
	err := sync()
	if err == nil && !f.disk.frozen.Load() && filepath.Dir(f.name) == f.disk.dir {
		f.disk.promises.synced(f.name, written)
	}
	return err
}

// Preallocate saves time where there is much space. Elsewhere it would refuse
// appends for the sake of space that lies ready for them: Pebble takes as much
// for its first log, of a few kilobytes, as for any other.
func (f *file) Preallocate(offset, length int64) error {
	if usage, err := f.disk.GetDiskUsage(f.disk.dir); err == nil && usage.AvailBytes < 16*uint64(length) {
		return nil
	}
	return f.File.Preallocate(offset, length)
}
