package monitor_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/log/monitor"
	"github.com/writ-trust/writ/spec"
)

const origin = "log.example/one"

// watch is a monitor of a log, and what it said.
type watch struct {
	*monitor.Monitor
	options monitor.Options
	alarms  []monitor.Alarm
	now     time.Time
}

func (w *watch) codes() string {
	var all []string
	for _, a := range w.alarms {
		all = append(all, a.Code)
	}
	w.alarms = nil
	return strings.Join(all, " ")
}

func follow(t testing.TB, l monitor.Source, change ...func(*monitor.Options)) *watch {
	t.Helper()
	w := &watch{now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	w.options = monitor.Options{Source: l, Policy: log.NewPolicy(&signer(t, 1).Verifier), Origin: origin, Dir: t.TempDir(), Parse: parse,
		Alarm: func(a monitor.Alarm) error { w.alarms = append(w.alarms, a); return nil }, Now: func() time.Time { return w.now }}
	for _, c := range change {
		c(&w.options)
	}
	w.open(t)
	return w
}

func (w *watch) open(t testing.TB) {
	t.Helper()
	var err error
	if w.Monitor, err = monitor.Open(w.options); err != nil {
		t.Fatal(err)
	}
}

// step wants exactly these alarms, separated by a space.
func (w *watch) step(t testing.TB, want string) {
	t.Helper()
	n, err := w.Step(t.(interface{ Context() context.Context }).Context())
	if err != nil {
		t.Fatal(err)
	}
	said := w.alarms
	if got := w.codes(); got != want || n != len(said) {
		t.Fatalf("alarms %q (%d), want %q: %+v", got, n, want, said)
	}
}

func TestFollowsAndResumes(t *testing.T) {
	l := newLog(t)
	w := follow(t, l)
	w.step(t, "")
	for i := range 700 {
		l.add(fmt.Sprint("c", i%50))
		if i%100 == 0 {
			l.publish()
			w.step(t, "")
		}
		if i%300 == 0 {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w.open(t)
		}
	}
	l.publish()
	w.step(t, "")
	if w.Size() != l.log.Size() || w.Seen().Size != l.log.Size() {
		t.Fatalf("replayed %d, seen %d of %d", w.Size(), w.Seen().Size, l.log.Size())
	}
	before := l.reads.Load()
	w.step(t, "")
	if l.reads.Load() != before+1 {
		t.Errorf("%d reads where nothing is new, want the checkpoint alone", l.reads.Load()-before)
	}
}

// TestRules breaks one rule of a Writ log at a time, behind two good chains.
func TestRules(t *testing.T) {
	for _, row := range []struct {
		name, want string
		broken     bool
		bad        func(l *theirs)
	}{
		{"nothing", "", false, func(l *theirs) { l.publish() }},
		{"gap", "seq-gap", true, func(l *theirs) {
			l.append(event("a", 4))
			l.heads.Load(func(yield func(heads.Chain, heads.Head) bool) {
				yield(chainOf("a"), heads.Head{Seq: 4, Index: l.log.Size() - 1, Leaf: log.RecordHash(event("a", 4))})
			})
			l.publish()
		}},
		{"chain that begins at two", "seq-gap heads-root", true, func(l *theirs) { l.append(event("new", 2)); l.publish() }},
		{"repeat", "seq-repeat", true, func(l *theirs) { l.append(event("a", 2)); l.publish() }},
		{"repeat of the first", "seq-repeat", true, func(l *theirs) { l.append(event("b", 1)); l.publish() }},
		{"head edited between two roots", "heads-root", true, func(l *theirs) {
			l.heads.Load(func(yield func(heads.Chain, heads.Head) bool) {
				h, _ := l.heads.Head(chainOf("a"))
				h.Seq--
				yield(chainOf("a"), h)
			})
			l.publish()
		}},
		{"stale heads", "heads-root", true, func(l *theirs) { l.append(l.chain("a")); l.publish() }},
		{"chain left out of the heads", "heads-root", true, func(l *theirs) { l.append(event("hidden", 1)); l.publish() }},
		{"heads not last", "heads-not-last", false, func(l *theirs) { l.publish(); l.add("a"); l.publishBare() }},
		{"log that ended", "", false, func(l *theirs) { l.append(headsEntry(l.heads.Root()), l.successor(2)); l.publishBare() }},
		{"log that ended without heads", "heads-not-last", false, func(l *theirs) { l.append(l.chain("new"), l.successor(2)); l.publishBare() }},
		{"successor that ends another size", "heads-not-last", false, func(l *theirs) { l.append(headsEntry(l.heads.Root()), l.successor(3)); l.publishBare() }},
		{"no heads", "heads-not-last", false, func(l *theirs) { l.add("a"); l.publishBare() }},
		{"not canonical", "entry", true, func(l *theirs) { l.append([]byte(` {"v":1}`)); l.publish() }},
		{"unknown member", "entry", true, func(l *theirs) {
			l.append(bytes.Replace(event("a", 3), []byte(`"kind"`), []byte(`"blah":1,"kind"`), 1))
			l.publish()
		}},
		{"no JSON", "entry", true, func(l *theirs) { l.append([]byte{0xff}); l.publish() }},
		{"watched grantor", "grantor", false, func(l *theirs) {
			e := spec.Entry{V: 1, Kind: spec.EntryMandate, Grantor: "did:web:acme.example", Commitment: monitor.ChainText(chainOf("x")),
				Links: []spec.Link{{Chain: monitor.ChainText(chainOf("m")), Seq: 1, State: monitor.ChainText(chainOf("y"))}}}
			if err := l.heads.Add(chainOf("m"), heads.Head{Seq: 1, Index: l.log.Size(), Leaf: log.RecordHash(e.Bytes())}); err != nil {
				t.Fatal(err)
			}
			l.append(e.Bytes())
			l.publish()
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newLog(t)
			for _, name := range []string{"a", "b", "a"} {
				l.add(name)
			}
			l.publish()
			w := follow(t, l, func(o *monitor.Options) { o.Watched = []string{"did:web:acme.example"} })
			w.step(t, "")
			row.bad(l)
			w.step(t, row.want)
			if (w.Broken() != "") != row.broken {
				t.Errorf("broken %q, want %v", w.Broken(), row.broken)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w.open(t)
			if (w.Broken() != "") != row.broken {
				t.Errorf("after a restart broken %q, want %v", w.Broken(), row.broken)
			}
		})
	}
}

// TestPlain follows a log that is none of Writ's, whose entries are larger than Writ's may be.
func TestPlain(t *testing.T) {
	l := newLog(t)
	for i := range 300 {
		l.append(fmt.Appendf(nil, "entry %d", i))
	}
	l.publishBare()
	w := follow(t, l, func(o *monitor.Options) { o.Parse = nil })
	w.step(t, "")
	if w.Size() != 300 {
		t.Errorf("replayed %d", w.Size())
	}
}

// fork is another log under the same key that has the first n entries of l and others behind.
func (l *theirs) fork(n int64, more int) *theirs {
	other := newLog(l.t)
	for i := range n {
		e, err := l.log.Entry(i)
		if err != nil {
			l.t.Fatal(err)
		}
		other.append(e)
	}
	for i := range more {
		other.append(event(fmt.Sprint("fork", i), 1))
	}
	other.publishBare()
	return other
}

// switched is a source that can be put on another log.
type switched struct{ monitor.Source }

func TestForksAndRollbacks(t *testing.T) {
	l := newLog(t)
	for i := range 400 {
		l.add(fmt.Sprint(i % 7))
	}
	l.publish()
	size := l.log.Size()
	for _, row := range []struct {
		name, want string
		other      *theirs
	}{
		{"another tree of the same size", "fork", l.fork(size-1, 1)},
		{"another, larger tree", "fork", l.fork(size-3, 9)},
		{"another tree from the start", "fork", l.fork(0, 500)},
		{"a smaller tree of the past", "rollback", l.fork(size-200, 0)},
		{"an empty tree", "rollback", l.fork(0, 0)},
	} {
		t.Run(row.name, func(t *testing.T) {
			source := &switched{l}
			w := follow(t, source, func(o *monitor.Options) { o.Parse = nil })
			w.step(t, "")
			source.Source = row.other
			n, err := w.Step(t.Context())
			if err != nil || n != 1 || w.alarms[0].Code != row.want {
				t.Fatalf("%v, %+v, want %s", err, w.alarms, row.want)
			}
			a := w.alarms[0]
			if key := &l.signer.Verifier; row.want == "fork" {
				for _, note := range []string{a.Checkpoint, a.Seen} {
					if _, err := log.OpenCheckpoint([]byte(note), key); err != nil {
						t.Errorf("the evidence is no signed checkpoint: %v", err)
					}
				}
			}
			w.codes()
			source.Source = l
			w.step(t, "")
			if (w.Broken() == "fork") != (row.want == "fork") {
				t.Errorf("remembers %q", w.Broken())
			}
		})
	}
}

// TestForkWhileCatchingUp: the checkpoint was accepted, the process ended before it replayed the entries, and another tree is served.
func TestForkWhileCatchingUp(t *testing.T) {
	l := newLog(t)
	l.add("a")
	l.publish()
	source := &switched{l}
	w := follow(t, source)
	w.step(t, "")
	l.add("a")
	l.publish()
	l.edit = func(path string, data []byte) []byte {
		if strings.HasPrefix(path, "tile/entries") {
			return nil
		}
		return data
	}
	w.step(t, "entries")
	source.Source = l.fork(2, 3)
	w.step(t, "fork")
	l.edit = nil
	source.Source = l
	w.step(t, "")
}

func TestDamagedInTransit(t *testing.T) {
	for _, row := range []struct{ name, path, want string }{
		{"an entry", "tile/entries/001", "entries"},
		{"a tile", "tile/0/", "tiles"},
		{"a signature", "checkpoint", "checkpoint"},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newLog(t)
			l.add("a")
			l.publish()
			w := follow(t, l)
			w.step(t, "")
			for range 600 {
				l.add("a")
			}
			l.publish()
			l.edit = func(path string, data []byte) []byte {
				if strings.HasPrefix(path, row.path) {
					data[len(data)-3] ^= 1
				}
				return data
			}
			w.step(t, row.want)
			l.edit = nil
			w.step(t, "")
			if w.Size() != l.log.Size() || w.Broken() != "" {
				t.Errorf("replayed %d of %d, broken %q", w.Size(), l.log.Size(), w.Broken())
			}
		})
	}
}

func TestStale(t *testing.T) {
	l := newLog(t)
	l.add("a")
	l.publish()
	w := follow(t, l, func(o *monitor.Options) { o.MaxDelay = time.Hour })
	w.step(t, "")
	w.now = w.now.Add(time.Hour)
	w.step(t, "")
	w.now = w.now.Add(time.Second)
	w.step(t, "stale")
	l.add("a")
	l.publish()
	w.step(t, "")
}

// TestStaleCosignatures: with a quorum the age is that of its cosignatures, and a fresh one makes an unchanged checkpoint fresh.
func TestStaleCosignatures(t *testing.T) {
	l := newLog(t)
	l.add("a")
	l.publish()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
	witness, err := log.NewCosigner("witness.example", key.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(key, m), nil })
	if err != nil {
		t.Fatal(err)
	}
	policy, err := log.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness w %s\nquorum w\n", &l.signer.Verifier, &witness.Verifier))
	if err != nil {
		t.Fatal(err)
	}
	w := follow(t, l, func(o *monitor.Options) { o.MaxDelay, o.Policy = time.Hour, policy })
	cosigned := w.now
	l.edit = func(path string, data []byte) []byte {
		if path != "checkpoint" {
			return data
		}
		c, err := log.ReadCheckpoint(data)
		if err != nil {
			t.Fatal(err)
		}
		line, err := witness.Cosign(c.Text(), cosigned)
		if err != nil {
			t.Fatal(err)
		}
		return append(data, line...)
	}
	w.step(t, "")
	w.now = w.now.Add(2 * time.Hour)
	w.step(t, "stale")
	cosigned = w.now
	w.step(t, "")
	l.edit = nil
	w.step(t, "checkpoint")
}

// TestUnreachable is no alarm: nothing was seen that is wrong.
func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	w := follow(t, monitor.HTTP{URL: server.URL, Client: server.Client()})
	if n, err := w.Step(t.Context()); err == nil || n != 0 {
		t.Errorf("%d alarms, %v", n, err)
	}
}

// TestHTTP reads a log whose server keeps partial tiles of some sizes only, gives more than there is, or answers without end.
func TestHTTP(t *testing.T) {
	l := newLog(t)
	for range 300 {
		l.add("a")
	}
	l.publish()
	var without, endless string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/log/")
		if without != "" && strings.Contains(path, without) {
			http.NotFound(w, r)
			return
		}
		for flood := endless; flood != "" && strings.Contains(path, flood); {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
		data, err := l.Read(r.Context(), path, 0)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Write(data)
	}))
	defer server.Close()
	source := monitor.HTTP{URL: server.URL + "/log", Client: server.Client()}
	w := follow(t, source)
	endless = "tile/entries"
	if _, err := w.Step(t.Context()); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Fatalf("an endless answer: %v", err)
	}
	endless = ""
	w.step(t, "")
	older := l.log.Published()
	for range 212 {
		l.add("a") // which fills the bundle, while the checkpoint that is served is older
	}
	l.publish()
	l.edit = func(path string, data []byte) []byte {
		if path == "checkpoint" {
			return older
		}
		return data
	}
	without = ".p/"
	fresh := follow(t, source)
	fresh.step(t, "")
	if fresh.Size() != 301 {
		t.Errorf("replayed %d entries", fresh.Size())
	}
}

func TestStateIsChecked(t *testing.T) {
	l := newLog(t)
	l.add("a")
	l.publish()
	w := follow(t, l)
	w.step(t, "")
	if _, err := monitor.Open(w.options); err == nil {
		t.Error("two monitors in one folder")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	other := w.options
	other.Origin = "log.example/two"
	if _, err := monitor.Open(other); err == nil || !strings.Contains(err.Error(), "log-monitor-origin") {
		t.Errorf("another log in the folder: %v", err)
	}
	for _, name := range []string{"seen", "position"} {
		for _, at := range []int64{0, 30, 100, -100, -40, -1} {
			flip(t, filepath.Join(w.options.Dir, name), at)
			if m, err := monitor.Open(w.options); err == nil {
				m.Close()
				if name == "position" || at >= 0 && at < 100 { // the policy, not this reader, judges what the note's signature says
					t.Errorf("a change of %s at %d is taken", name, at)
				}
			}
			flip(t, filepath.Join(w.options.Dir, name), at)
		}
	}
}

// TestAlarmsThatCannotBeTold end the monitor: what nobody was told of is found again.
func TestAlarmsThatCannotBeTold(t *testing.T) {
	l := newLog(t)
	l.append(event("a", 2))
	l.publish()
	w := follow(t, l)
	told := w.options.Alarm
	w.options.Alarm = func(monitor.Alarm) error { return errors.New("no paper") }
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.open(t)
	for range 2 {
		if _, err := w.Step(t.Context()); err == nil {
			t.Fatal("went on")
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.options.Alarm = told
	w.open(t)
	w.step(t, "seq-gap heads-root")
	if !slices.Contains([]string{monitor.SeqGap}, w.Broken()) {
		t.Error(w.Broken())
	}
}
