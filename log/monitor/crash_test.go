package monitor_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/monitor"
)

// failing is the file system whose operation number at fails, before or after it is done, or in the middle of a write; from then on
// all fail, as for a process that is gone.
type failing struct {
	log.OS
	n, at int
	how   int // 0 before, 1 after, 2 torn
}

var errGone = errors.New("gone")

// do runs an operation, or not.
func (f *failing) do(op func() error) error {
	f.n++
	switch {
	case f.n < f.at || f.at == 0:
		return op()
	case f.n == f.at && f.how == 1:
		return errors.Join(op(), errGone)
	}
	return errGone
}

func (f *failing) MkdirAll(dir string) error { return f.do(func() error { return f.OS.MkdirAll(dir) }) }
func (f *failing) SyncDir(dir string) error  { return f.do(func() error { return f.OS.SyncDir(dir) }) }
func (f *failing) Rename(from, to string) error {
	return f.do(func() error { return f.OS.Rename(from, to) })
}

func (f *failing) OpenFile(name string) (file log.File, err error) {
	err = f.do(func() error { file, err = f.OS.OpenFile(name); return err })
	return failingFile{file, f}, err
}

type failingFile struct {
	log.File
	fs *failing
}

func (f failingFile) Truncate(size int64) error {
	return f.fs.do(func() error { return f.File.Truncate(size) })
}
func (f failingFile) Sync() error { return f.fs.do(f.File.Sync) }

func (f failingFile) WriteAt(data []byte, at int64) (n int, err error) {
	err = f.fs.do(func() error { n, err = f.File.WriteAt(data, at); return err })
	if f.fs.n == f.fs.at && f.fs.how == 2 {
		n, _ = f.File.WriteAt(data[:len(data)/2], at)
	}
	return n, err
}

// TestMirrorSurvivesEveryOperation ends a mirror at each operation on its files in turn. The next one goes on from what is there: it holds
// the whole log, and everything cosigned before and after is of one tree.
func TestMirrorSurvivesEveryOperation(t *testing.T) {
	l := newLog(t)
	for i := range 300 {
		l.add(fmt.Sprint(i % 5))
	}
	l.publish()
	start := l.log.Size()
	for i := range 250 {
		l.add(fmt.Sprint(i % 5))
	}
	l.publish()
	early := l.fork(start, 0)
	open := func(dir string, source monitor.Source, fs log.FS) (*mirror, error) {
		m := &mirror{dir: dir}
		var err error
		m.Mirror, err = monitor.OpenMirror(monitor.Options{Source: source, Policy: log.NewPolicy(&signer(t, 1).Verifier), Origin: origin, Dir: dir, Parse: parse, FS: fs,
			Alarm: func(a monitor.Alarm) error { m.alarms = append(m.alarms, a); return nil }, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }}, mirrorKey(t).Cosign)
		return m, err
	}
	story := func(dir string, fs log.FS) (cosigned [][]byte) {
		for _, source := range []monitor.Source{early, l} {
			m, err := open(dir, source, fs)
			if err != nil {
				return cosigned
			}
			_, err = m.Step(t.Context())
			m.Close()
			if c := m.checkpoint(t); c != nil {
				cosigned = append(cosigned, c)
			}
			if err != nil {
				return cosigned
			}
		}
		return cosigned
	}
	whole := &failing{}
	if got := story(t.TempDir(), whole); len(got) != 2 || bytes.Equal(got[0], got[1]) {
		t.Fatalf("cosigned %d times", len(got))
	}
	ended := 0
	for how := range 3 {
		for at := 1 + how; at <= whole.n; at += 3 {
			dir := t.TempDir()
			cosigned := story(dir, &failing{at: at, how: how})
			m, err := open(dir, l, nil)
			if err != nil {
				t.Fatalf("operation %d failed (%d): %v", at, how, err)
			}
			if n, err := m.Step(t.Context()); err != nil || n > 0 || m.Size() != l.log.Size() {
				t.Fatalf("operation %d failed (%d): %v, %+v", at, how, err, m.alarms)
			}
			m.Close()
			folder := filepath.Join(dir, filepath.FromSlash(monitor.Prefix(origin)))
			if found := check(t, monitor.Folder{Dir: folder, Checkpoint: filepath.Join(folder, "checkpoint")}, quorum(t, l)); len(found) > 0 {
				t.Fatalf("operation %d failed (%d): %+v", at, how, found)
			}
			for _, note := range cosigned {
				c, err := log.ReadCheckpoint(note)
				if err != nil {
					t.Fatal(err)
				}
				if want, err := l.log.CheckpointAt(c.Size); err != nil || want != c {
					t.Fatalf("operation %d failed (%d): cosigned %+v", at, how, c)
				}
			}
			ended++
		}
	}
	if ended < 30 {
		t.Errorf("ended only at %d operations", ended)
	}
	t.Logf("ended at %d of %d operations", ended, whole.n)
}
