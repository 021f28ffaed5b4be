package monitor_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/monitor"
)

func flip(t testing.TB, name string, at int64) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if at < 0 {
		at += int64(len(data))
	}
	data[at] ^= 0x10
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func check(t testing.TB, source monitor.Folder, policy *log.Policy) []monitor.Damage {
	t.Helper()
	var all []monitor.Damage
	files, err := source.Files()
	if err != nil {
		t.Fatal(err)
	}
	_, err = monitor.Check(context.Background(), monitor.CheckOptions{Source: source, Growing: source.Growing, Partial: files, Policy: policy, Origin: origin, Parse: parse,
		Found: func(d monitor.Damage) error { all = append(all, d); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEveryFlippedBit changes bytes of every kind in every file of a log, one at a time, in a server's folder and in a mirror's.
func TestEveryFlippedBit(t *testing.T) {
	l := newLog(t)
	for i := range 700 {
		l.add(fmt.Sprint(i % 9))
	}
	l.publish()
	m := openMirror(t, l, t.TempDir())
	if n, err := m.Step(t.Context()); err != nil || n > 0 {
		t.Fatal(n, err)
	}
	l.add("0")
	l.publish()
	if n, err := m.Step(t.Context()); err != nil || n > 0 {
		t.Fatal(n, err)
	}
	mirrored := filepath.Join(m.dir, filepath.FromSlash(monitor.Prefix(origin)))
	for f, policy := range map[monitor.Folder]*log.Policy{
		{Dir: filepath.Join(l.dir, "log"), Checkpoint: filepath.Join(l.dir, "guard/checkpoint"), Growing: true}: log.NewPolicy(&l.signer.Verifier),
		{Dir: mirrored, Checkpoint: filepath.Join(mirrored, "checkpoint")}:                                      quorum(t, l),
	} {
		if found := check(t, f, policy); len(found) > 0 {
			t.Fatalf("a good log: %+v", found)
		}
		flips := 0
		each(t, f.Dir, func(name string) { flips += flipAll(t, f, name, policy) })
		if f.Growing {
			flips += flipAll(t, f, f.Checkpoint, policy)
		}
		if flips < 80 {
			t.Errorf("only %d bytes were changed", flips)
		}
		t.Logf("%d bytes changed, each found", flips)
	}
}

func each(t testing.TB, dir string, do func(name string)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			do(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// flipAll changes the first bytes of a file, its last ones, and some in between, and wants each to be found in this file.
func flipAll(t testing.TB, f monitor.Folder, name string, policy *log.Policy) (flips int) {
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	size := info.Size()
	for at := int64(0); at < size; at += max(1, min(size/9, size-1-at)) {
		flips++
		flip(t, name, at)
		found := check(t, f, policy)
		flip(t, name, at)
		want := filepath.ToSlash(strings.TrimPrefix(name, f.Dir+string(filepath.Separator)))
		if name == f.Checkpoint {
			want = "checkpoint"
		}
		if len(found) == 0 {
			t.Errorf("byte %d of %s: not found", at, want)
			continue
		}
		if !slices.ContainsFunc(found, func(d monitor.Damage) bool {
			full, _, _ := strings.Cut(d.File, ".p/")
			return d.File == want || full == want
		}) {
			t.Errorf("byte %d of %s: not named in %+v", at, want, found)
		}
		for _, d := range found {
			if full, _, _ := strings.Cut(d.File, ".p/"); d.File != want && full != want {
				// Parsing an entry that was changed finds more; every finding is of this file, or of the heads that follow from it.
				if d.Reason != "heads-root" && d.Reason != "seq-gap" && d.Reason != "heads-not-last" && d.Reason != "seq-repeat" && !strings.HasPrefix(d.Detail, "it does not begin") {
					t.Errorf("byte %d of %s: found %+v", at, want, d)
				}
			}
		}
	}
	return flips
}

// mirror is a mirror with its folder and what it said.
type mirror struct {
	*monitor.Mirror
	dir    string
	alarms []monitor.Alarm
}

func mirrorKey(t testing.TB) *log.Cosigner {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	c, err := log.NewCosigner("mirror.example", key.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(key, m), nil })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func openMirror(t testing.TB, source monitor.Source, dir string) *mirror {
	t.Helper()
	m := &mirror{dir: dir}
	var err error
	m.Mirror, err = monitor.OpenMirror(monitor.Options{Source: source, Policy: log.NewPolicy(&signer(t, 1).Verifier), Origin: origin, Dir: dir, Parse: parse,
		Alarm: func(a monitor.Alarm) error { m.alarms = append(m.alarms, a); return nil },
		Now:   func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }}, mirrorKey(t).Cosign)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *mirror) checkpoint(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(m.dir, filepath.FromSlash(monitor.Prefix(origin)), "checkpoint"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// quorum is the policy of who wants the mirror's word.
func quorum(t testing.TB, l *theirs) *log.Policy {
	t.Helper()
	p, err := log.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness m %s\nquorum m\n", &l.signer.Verifier, &mirrorKey(t).Verifier))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMirror: a plain web server over the folder is the same log, and its checkpoint meets a quorum of mirrors.
func TestMirror(t *testing.T) {
	l := newLog(t)
	dir := t.TempDir()
	m := openMirror(t, l, dir)
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "public"))))
	defer server.Close()
	copied := follow(t, monitor.HTTP{URL: server.URL + strings.TrimPrefix(monitor.Prefix(origin), "public"), Client: server.Client()},
		func(o *monitor.Options) { o.Policy = quorum(t, l) })
	if n, err := m.Step(t.Context()); err != nil || n > 0 || m.checkpoint(t) == nil {
		t.Fatalf("an empty log: %v, %+v", err, m.alarms)
	}
	for round := range 40 {
		for i := range 1 + round*round%97 {
			l.add(fmt.Sprint(i % 11))
		}
		l.publish()
		if n, err := m.Step(t.Context()); err != nil || n > 0 {
			t.Fatalf("round %d: %v, %+v", round, err, m.alarms)
		}
		copied.step(t, "")
		if copied.Size() != l.log.Size() {
			t.Fatalf("round %d: the copy has %d entries of %d", round, copied.Size(), l.log.Size())
		}
		if round%7 == 0 {
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			m = openMirror(t, l, dir)
		}
	}
}

// TestMirrorSignsNothingWrong: what was replayed and failed is never cosigned, also after a restart.
func TestMirrorSignsNothingWrong(t *testing.T) {
	l := newLog(t)
	l.add("a")
	l.publish()
	dir := t.TempDir()
	m := openMirror(t, l, dir)
	if _, err := m.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	good := m.checkpoint(t)
	if good == nil {
		t.Fatal("nothing cosigned")
	}
	l.append(event("a", 5))
	l.publish()
	for range 3 {
		if _, err := m.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		m = openMirror(t, l, dir)
	}
	if now := m.checkpoint(t); !bytes.Equal(now, good) {
		t.Errorf("cosigned a log with a gap: %s", now)
	}
	if m.Broken() != monitor.SeqGap {
		t.Errorf("broken %q", m.Broken())
	}
}

// TestMirrorCosignsWhatItReplayed: a checkpoint that was accepted, and whose entries are not all there, is not cosigned until they are.
func TestMirrorCosignsWhatItReplayed(t *testing.T) {
	l := newLog(t)
	l.add("a")
	l.publish()
	m := openMirror(t, l, t.TempDir())
	if _, err := m.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := m.checkpoint(t)
	for range 600 {
		l.add("a")
	}
	l.publish()
	l.edit = func(path string, data []byte) []byte {
		if strings.HasPrefix(path, "tile/entries/002") {
			data[len(data)-3] ^= 1
		}
		return data
	}
	for range 2 {
		n, err := m.Step(t.Context())
		if now := m.checkpoint(t); !bytes.Equal(now, before) {
			t.Fatalf("%d entries were replayed, and this is cosigned: %s", m.Size(), now)
		}
		if err != nil || n != 1 || m.Seen().Size != l.log.Size() {
			t.Fatalf("%d alarms, %v", n, err)
		}
	}
	l.edit = nil
	if _, err := m.Step(t.Context()); err != nil || m.Size() != l.log.Size() || bytes.Equal(m.checkpoint(t), before) {
		t.Fatalf("the same entries as they are: %d replayed, %v", m.Size(), err)
	}
}

// TestMirrorNeverCosignsAFork: of two trees it cosigns the one that it saw first.
func TestMirrorNeverCosignsAFork(t *testing.T) {
	l := newLog(t)
	l.add("a")
	l.publish()
	other := l.fork(1, 0)
	other.append(event("z", 1))
	other.publishBare()
	source := &switched{l}
	m := openMirror(t, source, t.TempDir())
	if _, err := m.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	good := m.checkpoint(t)
	source.Source = other
	if n, err := m.Step(t.Context()); err != nil || n != 1 || m.alarms[0].Code != monitor.Fork {
		t.Fatalf("%v, %+v", err, m.alarms)
	}
	if !bytes.Equal(m.checkpoint(t), good) {
		t.Error("the checkpoint changed")
	}
}

// TestCheckAgainstTheJournal: what the database says of an entry is held against the log's.
func TestCheckAgainstTheJournal(t *testing.T) {
	l := newLog(t)
	for range 5 {
		l.add("a")
	}
	l.publish()
	f := monitor.Folder{Dir: filepath.Join(l.dir, "log"), Checkpoint: filepath.Join(l.dir, "guard/checkpoint"), Growing: true}
	for _, row := range []struct {
		name, want string
		change     func(index int64, entry []byte) ([]byte, bool)
	}{
		{"equal, and longer", "", func(i int64, e []byte) ([]byte, bool) { return e, i < 9 }},
		{"another entry", "journal 3", func(i int64, e []byte) ([]byte, bool) {
			if i == 3 {
				return event("a", 9), true
			}
			return e, true
		}},
		{"shorter", "journal 4", func(i int64, e []byte) ([]byte, bool) { return e, i < 4 }},
	} {
		var found []string
		index := int64(0)
		_, err := monitor.Check(t.Context(), monitor.CheckOptions{Source: f, Growing: true, Policy: log.NewPolicy(&l.signer.Verifier), Origin: origin, Parse: parse,
			Journal: func() ([]byte, bool, error) {
				defer func() { index++ }()
				entry, err := l.log.Entry(min(index, l.log.Size()-1))
				entry, ok := row.change(index, entry)
				return entry, ok, err
			},
			Found: func(d monitor.Damage) error { found = append(found, fmt.Sprint(d.File, " ", *d.Index)); return nil }})
		if err != nil || strings.Join(found, ", ") != row.want {
			t.Errorf("%s: %v, %v, want %q", row.name, found, err, row.want)
		}
	}
}
