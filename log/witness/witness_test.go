package witness

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/writ-trust/writ/internal/powercut"
	"github.com/writ-trust/writ/internal/sim"
	"github.com/writ-trust/writ/log"
)

const origin = "ledger.example/log"

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func privateKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func signer(t testing.TB, name string, seed byte) *log.Signer {
	key := privateKey(seed)
	s, err := log.NewSigner(name, key.Public().(ed25519.PublicKey), func(b []byte) ([]byte, error) { return ed25519.Sign(key, b), nil })
	must(t, err)
	return s
}

func cosigner(t testing.TB, name string, seed byte) *log.Cosigner {
	key := privateKey(seed)
	c, err := log.NewCosigner(name, key.Public().(ed25519.PublicKey), func(b []byte) ([]byte, error) { return ed25519.Sign(key, b), nil })
	must(t, err)
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// history is a tree as other people's code keeps it.
type history struct {
	t      testing.TB
	signer *log.Signer
	size   int64
	hashes []tlog.Hash
}

// grown is a log of n entries; those from fork on say that they are another's.
func grown(t testing.TB, n, fork int64) *history {
	h := &history{t: t, signer: signer(t, origin, 1)}
	for i := range n {
		entry := fmt.Sprintf("entry %d", i)
		if i >= fork {
			entry += " of the fork"
		}
		stored, err := tlog.StoredHashes(i, []byte(entry), h)
		must(t, err)
		h.hashes, h.size = append(h.hashes, stored...), i+1
	}
	return h
}

func (h *history) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, i := range indexes {
		all = append(all, h.hashes[i])
	}
	return all, nil
}

func (h *history) checkpoint(size int64) log.Checkpoint {
	root, err := tlog.TreeHash(size, h)
	must(h.t, err)
	if size == 0 {
		root = tlog.Hash(emptyRoot)
	}
	return log.Checkpoint{Origin: h.signer.Name(), Size: size, Root: log.Hash(root)}
}

func (h *history) signed(size int64) []byte {
	b, err := h.checkpoint(size).Sign(h.signer)
	must(h.t, err)
	return b
}

func (h *history) proof(older, newer int64) []log.Hash {
	if older == 0 || older == newer {
		return nil
	}
	hashes, err := tlog.ProveTree(newer, older, h)
	must(h.t, err)
	var all []log.Hash
	for _, x := range hashes {
		all = append(all, log.Hash(x))
	}
	return all
}

func (h *history) request(older, newer int64) []byte {
	return Request{older, h.proof(older, newer), h.signed(newer)}.Marshal()
}

// clock moves by a second at each look.
func clock() func() time.Time {
	var mu sync.Mutex
	now := start
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
}

func options(t testing.TB, fs log.FS) Options {
	return Options{Dir: "/witness", FS: fs, Key: cosigner(t, "witness.example/w1", 9), Logs: []*log.Verifier{&signer(t, origin, 1).Verifier}, Now: clock()}
}

func opened(t testing.TB, fs log.FS) *Witness {
	t.Helper()
	w, err := Open(options(t, fs))
	must(t, err)
	return w
}

func reasonOf(err error) string {
	var conflict *ConflictError
	var e *log.Error
	switch {
	case errors.As(err, &conflict):
		return fmt.Sprintf("conflict %d", conflict.Size)
	case errors.As(err, &e):
		return e.Reason
	case err != nil:
		return err.Error()
	}
	return ""
}

// accepts fails unless the answer is the witness's cosignature over the checkpoint.
func accepts(t testing.TB, key *log.Verifier, checkpoint, line []byte) {
	t.Helper()
	if _, err := lineOf(checkpoint, line, key); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
}

func send(h http.Handler, method, path string, body []byte) *httptest.ResponseRecorder {
	out := httptest.NewRecorder()
	h.ServeHTTP(out, httptest.NewRequest(method, path, bytes.NewReader(body)))
	return out
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// TestStatuses is one row for each clause of tlog-witness.md, "add-checkpoint".
func TestStatuses(t *testing.T) {
	own, fork := grown(t, 20, 20), grown(t, 20, 3)
	foreign := grown(t, 20, 20)
	foreign.signer = signer(t, origin, 2)
	unknown := grown(t, 20, 20)
	unknown.signer = signer(t, "other.example/log", 1)
	broken := Request{7, own.proof(7, 12), noteOf(own.signer, own.checkpoint(12).Text(), make([]byte, ed25519.SignatureSize))}.Marshal()
	extended := func(lines string) []byte {
		text := own.checkpoint(12).Text() + lines
		signature, err := own.signer.Sign([]byte(text))
		must(t, err)
		return Request{7, own.proof(7, 12), noteOf(own.signer, text, signature)}.Marshal()
	}
	rootless := log.Checkpoint{Origin: origin, Size: 0, Root: log.Hash{1}}
	empty, err := rootless.Sign(own.signer)
	must(t, err)
	for _, row := range []struct {
		name   string
		first  int64 // size that was cosigned before, 0 for none
		body   []byte
		status int
		says   string
	}{
		{"first", 0, own.request(0, 7), 200, "— witness.example/w1 "},
		{"an empty log", 0, own.request(0, 0), 200, "— "},
		{"growth", 7, own.request(7, 12), 200, "— "},
		{"the same once more", 7, own.request(7, 7), 200, "— "},
		{"an extension line", 7, extended("more\n"), 200, "— "},
		{"an empty extension line", 7, extended("more\n\nstill\n"), 400, ""},
		{"a foreign signature beside", 7, append(own.request(7, 12), "— stranger.example AAAAAAAA\n"...), 200, "— "},
		{"no body", 7, nil, 400, "request-syntax"},
		{"no size", 7, bytes.Replace(own.request(7, 12), []byte("old 7"), []byte("old"), 1), 400, "request-syntax"},
		{"leading zero", 7, bytes.Replace(own.request(7, 12), []byte("old 7"), []byte("old 07"), 1), 400, "request-syntax"},
		{"64 lines of proof", 7, Request{7, make([]log.Hash, 64), own.signed(12)}.Marshal(), 400, "request-syntax"},
		{"63 lines of proof", 7, Request{7, make([]log.Hash, 63), own.signed(12)}.Marshal(), 422, ""},
		{"no note", 7, []byte("old 7\n\nledger.example/log\n"), 400, "note-syntax"},
		{"too large", 7, bytes.Repeat([]byte("x"), MaxRequestSize+1), 400, ""},
		{"old above new", 7, Request{13, nil, own.signed(12)}.Marshal(), 400, "witness-old-size"},
		{"another's key", 7, foreign.request(7, 12), 403, ""},
		{"a wrong signature", 7, broken, 403, ""},
		{"an unknown log", 7, unknown.request(7, 12), 404, ""},
		{"from zero again", 7, own.request(0, 12), 409, "7\n"},
		{"from another size", 7, own.request(5, 12), 409, "7\n"},
		{"shrunk", 7, own.request(5, 6), 409, "7\n"},
		{"never cosigned", 0, own.request(5, 12), 409, "0\n"},
		{"a proof from nothing", 0, Request{0, own.proof(7, 12), own.signed(12)}.Marshal(), 422, ""},
		{"an empty log with a root", 0, Request{0, nil, empty}.Marshal(), 422, ""},
		{"a fork", 7, fork.request(7, 12), 422, "witness-inconsistent"},
		{"a fork of the same size", 7, fork.request(7, 7), 422, ""},
		{"no proof", 7, Request{7, nil, own.signed(12)}.Marshal(), 422, ""},
		{"a proof too much", 7, Request{7, own.proof(7, 12), own.signed(7)}.Marshal(), 422, ""},
	} {
		w := opened(t, sim.New())
		if row.first > 0 {
			_, err := w.Add(own.request(0, row.first))
			must(t, err)
		}
		before := w.Checkpoint(OriginHash(origin))
		got := send(w.Handler(silent()), http.MethodPost, "/add-checkpoint", row.body)
		if got.Code != row.status || !strings.HasPrefix(got.Body.String(), row.says) {
			t.Errorf("%s: %d %q", row.name, got.Code, got.Body)
		}
		if is := got.Header().Get("Content-Type") == "text/x.tlog.size"; is != (row.status == 409) {
			t.Errorf("%s: %s", row.name, got.Header())
		}
		if changed := !bytes.Equal(before, w.Checkpoint(OriginHash(origin))); changed != (row.status == 200) {
			t.Errorf("%s: changed the state: %v", row.name, changed)
		}
	}
	w := opened(t, sim.New())
	if got := send(w.Handler(silent()), http.MethodGet, "/add-checkpoint", nil); got.Code != http.StatusMethodNotAllowed && got.Code != http.StatusNotFound {
		t.Errorf("GET: %d", got.Code)
	}
}

func noteOf(s *log.Signer, text string, signature []byte) []byte {
	id := s.KeyHash()
	b := append([]byte{byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)}, signature...)
	return []byte(text + "\n— " + s.Name() + " " + base64.StdEncoding.EncodeToString(b) + "\n")
}

// TestMonitoring: what is served has the log's signature and the cosignature that was answered (tlog-witness.md, "Monitor Retrieval
// Mechanism"), also after a start.
func TestMonitoring(t *testing.T) {
	own, fs := grown(t, 20, 20), sim.New()
	w := opened(t, fs)
	path := "/" + OriginHash(origin) + "/checkpoint"
	if got := send(w.Handler(silent()), http.MethodGet, path, nil); got.Code != http.StatusNotFound {
		t.Errorf("before any cosignature: %d", got.Code)
	}
	if got := send(w.Handler(silent()), http.MethodGet, "/"+OriginHash("other")+"/checkpoint", nil); got.Code != http.StatusNotFound {
		t.Errorf("an unknown log: %d", got.Code)
	}
	line, err := w.Add(append(own.request(0, 7), "— stranger.example AAAAAAAA\n"...))
	must(t, err)
	want := string(own.signed(7)) + string(line)
	for range 2 {
		if got := send(w.Handler(silent()), http.MethodGet, path, nil); got.Code != 200 || got.Body.String() != want {
			t.Errorf("%d %q, want %q", got.Code, got.Body, want)
		}
		must(t, w.Close())
		w = opened(t, fs)
	}
}

// TestOneSecondOneWrite: the same request within a second is answered from memory.
func TestOneSecondOneWrite(t *testing.T) {
	fs, own := sim.New(), grown(t, 7, 7)
	o := options(t, fs)
	o.Now = func() time.Time { return start }
	w, err := Open(o)
	must(t, err)
	first, err := w.Add(own.request(0, 7))
	must(t, err)
	before := fs.Operations()
	again, err := w.Add(own.request(7, 7))
	must(t, err)
	if !bytes.Equal(first, again) || fs.Operations() != before {
		t.Errorf("%q and %q, %d operations", first, again, fs.Operations()-before)
	}
}

// TestStateOfAnotherKey: a key that did not cosign what is there knows nothing of the past.
func TestStateOfAnotherKey(t *testing.T) {
	fs := sim.New()
	w := opened(t, fs)
	_, err := w.Add(grown(t, 7, 7).request(0, 7))
	must(t, err)
	must(t, w.Close())
	o := options(t, fs)
	o.Key = cosigner(t, "witness.example/w1", 8)
	if _, err := Open(o); reasonOf(err) != "witness-state" {
		t.Errorf("%v", err)
	}
}

// TestOneProcess: a second witness on the same state is refused.
func TestOneProcess(t *testing.T) {
	fs := sim.New()
	opened(t, fs)
	if _, err := Open(options(t, fs)); err == nil {
		t.Error("two witnesses on one state")
	}
}

// ledger is all that a witness key ever signed, as those who saw it know it.
type ledger struct {
	t    testing.TB
	key  *log.Verifier
	all  []log.Checkpoint
	tree []*history // the histories that the checkpoints are of
}

// saw records an answer and fails where two cosigned checkpoints are not of one history.
func (l *ledger) saw(name string, h *history, size int64, line []byte) {
	l.t.Helper()
	accepts(l.t, l.key, h.signed(size), line)
	for i, c := range l.all {
		if h.checkpoint(c.Size).Root != c.Root && l.tree[i].checkpoint(size).Root != h.checkpoint(size).Root {
			l.t.Fatalf("%s: cosigned %d of one fork and %d of the other", name, c.Size, size)
		}
	}
	l.all, l.tree = append(l.all, h.checkpoint(size)), append(l.tree, h)
}

// TestLinearHistory submits two forks in random order, from sizes right and wrong: no two cosigned checkpoints contradict each other.
func TestLinearHistory(t *testing.T) {
	trunk, fork := grown(t, 40, 40), grown(t, 40, 11)
	cosigned, refused := 0, 0
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := opened(t, sim.New())
		seen := &ledger{t: t, key: w.Key()}
		for range 30 {
			h := []*history{trunk, fork}[r.IntN(2)]
			size := r.Int64N(41)
			older := w.logs[origin].last.checkpoint.Size
			if r.IntN(5) == 0 || older > size {
				older = r.Int64N(size + 1)
			}
			line, err := w.Add(h.request(older, size))
			if err != nil {
				refused++
				continue
			}
			cosigned++
			seen.saw(fmt.Sprint("seed ", seed), h, size, line)
		}
	}
	if cosigned < 500 || refused < 500 {
		t.Errorf("only %d cosigned, %d refused", cosigned, refused)
	}
}

// TestOneOrder: of submissions at once from one size, one is cosigned and the others are told its size.
func TestOneOrder(t *testing.T) {
	trunk, fork := grown(t, 40, 40), grown(t, 40, 0)
	for range 50 {
		w := opened(t, sim.New())
		answers := make([]error, 8)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { _, answers[i] = w.Add([]*history{trunk, fork}[i%2].request(0, int64(30+i))) })
		}
		all.Wait()
		won := 0
		for _, err := range answers {
			if err == nil {
				won++
			} else if !strings.HasPrefix(reasonOf(err), "conflict 3") {
				t.Fatal(err)
			}
		}
		if won != 1 {
			t.Fatalf("%d of one state were cosigned", won)
		}
	}
}

// TestEveryOperation lets each operation of the disk in a recorded run fail in each way, ends the process there, cuts the power in
// each way or not, and then shows the fork to what is left: no cosignature that got out may be forgotten.
func TestEveryOperation(t *testing.T) {
	recorded := sim.New()
	liveWith(t, recorded, nil)
	runs := 0
	for at := range recorded.Operations() {
		for fault := range sim.Faults {
			for loss := range 4 {
				runs++
				runCrash(t, at+1, fault, loss)
			}
		}
	}
	if runs < 200 {
		t.Errorf("only %d runs", runs)
	}
}

// liveWith cosigns a log at several sizes and returns the largest of which a cosignature got out.
func liveWith(t *testing.T, fs log.FS, seen *ledger) (size int64) {
	own := grown(t, 20, 20)
	w, err := Open(options(t, fs))
	if err != nil {
		return 0
	}
	for _, next := range []int64{4, 9, 9, 16} {
		line, err := w.Add(own.request(size, next))
		if err != nil {
			return size
		}
		if seen != nil {
			seen.saw("before the crash", own, next, line)
		}
		size = next
	}
	return size
}

func runCrash(t *testing.T, at int, fault sim.Fault, loss int) {
	t.Helper()
	m, luck := sim.New(), rand.New(rand.NewPCG(uint64(at), uint64(loss)))
	seen := &ledger{t: t, key: &cosigner(t, "witness.example/w1", 9).Verifier}
	m.Strike("", at, fault)
	size := liveWith(t, m, seen)
	name := fmt.Sprintf("operation %d %s, loss %d", at, fault, loss)
	if what, _ := m.Struck(); what == "" {
		t.Fatalf("%s: nothing was hit", name)
	}
	if loss == 3 {
		m.Start()
	} else {
		m.Power([]powercut.Loss{powercut.DropAll, powercut.DropSome, powercut.TearLast}[loss], luck)
	}
	w, err := Open(options(t, m))
	if err != nil {
		t.Fatalf("%s: start after it: %v", name, err)
	}
	have := w.logs[origin].last.checkpoint.Size
	if have < size {
		t.Fatalf("%s: %d entries were cosigned, the state knows %d", name, size, have)
	}
	fork := grown(t, 20, 0)
	for _, older := range []int64{0, have} {
		if line, err := w.Add(fork.request(older, 20)); err == nil {
			seen.saw(name, fork, 20, line)
		}
	}
	own := grown(t, 20, 20)
	line, err := w.Add(own.request(have, 20))
	if err != nil && size > 0 {
		t.Fatalf("%s: the log itself is refused: %v", name, err)
	}
	if err == nil {
		seen.saw(name, own, 20, line)
	}
}

// FuzzParseRequest: what parses comes back as the same bytes, and nothing that a witness is sent makes it cosign.
func FuzzParseRequest(f *testing.F) {
	own := grown(f, 12, 12)
	f.Add(own.request(0, 7))
	f.Add(own.request(7, 12))
	f.Add([]byte("old 0\n\n"))
	f.Add([]byte("old 1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nledger.example/log\n"))
	w := opened(f, sim.New())
	w.logs = map[string]*witnessed{origin: {keys: []*log.Verifier{&signer(f, origin, 3).Verifier}}}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := w.Add(body); err == nil {
			t.Error("cosigned")
		}
		if r, err := ParseRequest(body); err == nil && !bytes.Equal(r.Marshal(), body) {
			t.Errorf("%q came back as %q", body, r.Marshal())
		}
	})
}
