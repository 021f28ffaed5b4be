package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/writ-trust/writ/internal/sim"
	"github.com/writ-trust/writ/log"
)

// source is a log that publishes a history, as far as it is told to.
type source struct {
	*history
	mu        sync.Mutex
	published int64
	signed    int64 // of which a checkpoint was ever signed
}

func (s *source) to(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published, s.signed = size, max(s.signed, size)
}

func (s *source) Published() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.history.signed(s.published)
}

func (s *source) Size() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signed
}

func (s *source) CheckpointAt(size int64) (log.Checkpoint, error) {
	if size > s.Size() {
		return log.Checkpoint{}, log.ErrNotFound
	}
	return s.checkpoint(size), nil
}

func (s *source) Consistency(older, newer int64) ([]log.Hash, error) {
	return s.proof(older, newer), nil
}

// network is the witnesses by host; each may be replaced by one that misbehaves.
type network struct {
	mu    sync.Mutex
	hosts map[string]http.Handler
	asked map[string]int
}

func (n *network) Do(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	h := n.hosts[r.URL.Host]
	n.asked[r.URL.Host]++
	n.mu.Unlock()
	if h == nil {
		<-r.Context().Done() // nobody answers
		return nil, r.Context().Err()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	out := httptest.NewRecorder()
	h.ServeHTTP(out, httptest.NewRequest(r.Method, r.URL.Path, bytes.NewReader(body)))
	return out.Result(), nil
}

func (n *network) set(host string, h http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host] = h
}

func (n *network) count(host string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked[host]
}

// town is a log, its two witnesses and a feeder.
type town struct {
	t *testing.T
	*source
	network
	feeder *Feeder
	kept   []byte
	policy *log.Policy
}

func newTown(t *testing.T, h *history, quorum string) *town {
	w := &town{t: t, source: &source{history: h}, network: network{hosts: map[string]http.Handler{}, asked: map[string]int{}}}
	text := ""
	for i, name := range []string{"north", "south"} {
		o := options(t, sim.New())
		o.Now, o.Key = time.Now, cosigner(t, name+".example", byte(20+i))
		witness, err := Open(o)
		must(t, err)
		w.set(name, witness.Handler(silent()))
		text += fmt.Sprintf("witness %s %s https://%s/\n", name, witness.Key(), name)
	}
	policy, err := PolicyFor([]byte(text+"group both "+quorum+" north south\nquorum both\n"), &h.signer.Verifier)
	must(t, err)
	w.policy = policy
	return w
}

// open makes the feeder anew, as a start of the log's process does.
func (w *town) open() error {
	var err error
	w.feeder, err = NewFeeder(FeederOptions{Log: w.source, Origin: origin, Policy: w.policy, HTTP: &w.network, Logger: silent(), Kept: w.kept,
		Keep: func(signed []byte) error { w.kept = signed; return nil }})
	if err != nil {
		return err
	}
	return w.feeder.Start(w.t.Context())
}

// run lets the feeder work for some time.
func (w *town) run(length time.Duration, meanwhile func()) error {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.feeder.Run(ctx) }()
	if meanwhile != nil {
		meanwhile()
	}
	time.Sleep(length)
	cancel()
	return <-done
}

func (w *town) publish(size int64) {
	w.to(size)
	w.feeder.Notify()
}

// served fails unless the cosigned checkpoint is of the size and holds under the policy.
func (w *town) served(size int64, lines int) {
	w.t.Helper()
	signed := w.feeder.Cosigned()
	c, err := w.policy.Verify(signed, origin)
	if err != nil || c.Size != size || bytes.Count(signed, []byte("\n— ")) != lines {
		w.t.Fatalf("size %d, want %d with %d lines: %v\n%s", c.Size, size, lines, err, signed)
	}
	if !bytes.Equal(signed, w.kept) {
		w.t.Fatal("served and not kept")
	}
}

func TestFeederMeetsTheQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, grown(t, 40, 40), "all")
		w.to(5)
		must(t, w.open())
		w.served(5, 3)
		must(t, w.run(time.Second, func() {
			for size := int64(6); size < 30; size++ {
				w.publish(size)
			}
			signed, err := w.feeder.Await(t.Context(), 29)
			must(t, err)
			if c, err := log.ReadCheckpoint(signed); err != nil || c.Size != 29 {
				t.Errorf("%v %v", c, err)
			}
		}))
		w.served(29, 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := w.feeder.Await(ctx, 30); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		must(t, w.open())
		w.served(29, 3)
	})
}

// TestFreshTime: the same checkpoint is submitted again, and gets a later time.
func TestFreshTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, grown(t, 40, 40), "all")
		w.to(5)
		must(t, w.open())
		first := w.feeder.Cosigned()
		must(t, w.run(refresh+time.Second, nil))
		w.served(5, 3)
		if bytes.Equal(first, w.feeder.Cosigned()) {
			t.Error("the cosignatures are still the first ones")
		}
	})
}

// TestBadWitnesses: whatever one of two witnesses does, the other is enough for a quorum of any, and the bad one is asked ever less.
// Where both are needed nothing is served until it does right.
func TestBadWitnesses(t *testing.T) {
	own := grown(t, 40, 40)
	text := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { answer(out, status, textType, body) })
	}
	foreign, err := cosigner(t, "stranger.example", 30).Cosign(own.checkpoint(7).Text(), start)
	must(t, err)
	impostor, err := cosigner(t, "south.example", 21).Cosign(own.checkpoint(6).Text(), start)
	must(t, err)
	for name, bad := range map[string]http.Handler{
		"silent": nil, "200 and nothing": text(200, ""), "200 and rubbish": text(200, "\x00\xff rubbish"), "500": text(500, ""), "404": text(404, ""),
		"403": text(403, ""), "redirect": text(307, ""), "endless": text(200, strings.Repeat("— x AAAAAAAA\n", 1<<20)), "a stranger's line": text(200, string(foreign)),
		"over another checkpoint": text(200, string(impostor)), "409 without a size": text(409, ""), "409 with rubbish": text(409, "-1\n"),
		"409 with our own size": text(409, "7\n"), "409 without newline": text(409, "3"),
	} {
		synctest.Test(t, func(t *testing.T) {
			for _, quorum := range []string{"any", "all"} {
				w := newTown(t, own, quorum)
				good := w.hosts["south"]
				w.to(7)
				w.set("south", bad)
				must(t, w.open())
				if met := w.feeder.Met(); met != (quorum == "any") {
					t.Errorf("%s: met %v with %s", name, met, quorum)
				}
				before := w.count("south")
				must(t, w.run(10*time.Minute, func() { w.publish(8) }))
				if asked := w.count("south") - before; asked < 3 || asked > 80 {
					t.Errorf("%s: asked %d times in ten minutes", name, asked)
				}
				w.set("south", good)
				must(t, w.run(2*time.Minute, nil))
				w.served(8, 3)
			}
		})
	}
}

// TestOldAnswer200: one that cosigns where a 409 is due did cosign our checkpoint, and that is all that counts.
func TestOldAnswer200(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, grown(t, 40, 40), "all")
		key := cosigner(t, "south.example", 21)
		w.set("south", http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
			body, _ := io.ReadAll(in.Body)
			r, _ := ParseRequest(body)
			text, _, _ := bytes.Cut(r.Checkpoint, []byte("\n\n"))
			line, _ := key.Cosign(string(text)+"\n", time.Now())
			answer(out, 200, textType, "— stranger.example AAAAAAAA\n"+string(line))
		}))
		w.to(7)
		must(t, w.open())
		w.served(7, 3)
	})
}

// TestRestoredBackup: a witness that has cosigned more than the log has, or another tree, stops the log at its start and later.
func TestRestoredBackup(t *testing.T) {
	for _, row := range []struct {
		name, want string
		size       int64 // of the log that starts
		fork       int64
	}{
		{"smaller than cosigned", "log-behind-witness", 12, 40},
		{"other tree of the same size", "log-forked", 20, 11},
		{"larger, and another tree", "log-forked", 30, 11},
		{"as it was", "", 20, 40},
		{"grown", "", 30, 40},
	} {
		for _, kept := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				w := newTown(t, grown(t, 40, 40), "any")
				w.to(20)
				must(t, w.open())
				if !kept {
					w.kept = nil
				}
				w.source = &source{history: grown(t, 40, row.fork)}
				w.to(row.size)
				err := w.open()
				want := row.want
				if kept && want != "" {
					want = "log-behind-witness" // our own file says it, and no witness need be asked
				}
				if !kept && !slices.Contains(strings.Split(fmt.Sprint(reasonOf(err)), "\n"), want) || kept && reasonOf(err) != want {
					t.Errorf("%s, kept %v: %v, want %q", row.name, kept, err, want)
				}
			})
		}
	}
}

// TestForkWhileRunning: what was restored while no witness could be reached is noticed once one can.
func TestForkWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, grown(t, 40, 40), "any")
		w.to(20)
		must(t, w.open())
		north, south := w.hosts["north"], w.hosts["south"]
		w.set("north", nil)
		w.set("south", nil)
		w.kept, w.source = nil, &source{history: grown(t, 40, 11)}
		w.to(15)
		must(t, w.open())
		err := w.run(5*time.Minute, func() {
			time.Sleep(time.Minute)
			w.publish(25)
			w.set("north", north)
			w.set("south", south)
		})
		if reasonOf(err) != "log-forked" {
			t.Errorf("%v", err)
		}
	})
}

// TestSubmittedByAnother: a commit checkpoint that a receipt carried to a witness is no restored backup.
func TestSubmittedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, grown(t, 40, 40), "all")
		w.to(10)
		must(t, w.open())
		w.source.signed = 13
		if got := send(w.hosts["north"], http.MethodPost, "/add-checkpoint", w.request(10, 13)); got.Code != 200 {
			t.Fatal(got.Code)
		}
		must(t, w.open())
		must(t, w.run(5*time.Minute, func() { w.publish(14) }))
		w.served(14, 3)
	})
}

// TestForkShownToTwoWitnesses is the attack: a log shows one witness one tree and the other another. Neither checkpoint has both
// cosignatures, so no quorum that asks for both accepts either; and whoever compares the two witnesses has the proof.
func TestForkShownToTwoWitnesses(t *testing.T) {
	trunk, fork := grown(t, 40, 40), grown(t, 40, 11)
	w := newTown(t, trunk, "all")
	north, south := w.hosts["north"], w.hosts["south"]
	shown := map[*history][]byte{trunk: trunk.signed(20), fork: fork.signed(20)}
	for _, h := range []http.Handler{north, south} {
		if got := send(h, http.MethodPost, "/add-checkpoint", trunk.request(0, 11)); got.Code != 200 {
			t.Fatal(got.Code)
		}
	}
	for _, first := range []struct {
		to http.Handler
		of *history
	}{{north, trunk}, {south, fork}, {north, fork}, {south, trunk}} {
		for _, older := range []int64{0, 11, 20} {
			if got := send(first.to, http.MethodPost, "/add-checkpoint", first.of.request(older, 20)); got.Code == 200 && older == 11 {
				shown[first.of] = append(shown[first.of], got.Body.Bytes()...)
			}
		}
	}
	for _, signed := range shown {
		if n := bytes.Count(signed, []byte("\n— ")); n < 2 {
			t.Errorf("nobody cosigned %s", signed)
		}
		if _, err := w.policy.Verify(signed, origin); reasonOf(err) != "checkpoint-quorum" {
			t.Errorf("accepted: %v\n%s", err, signed)
		}
	}
	path := "/" + OriginHash(origin) + "/checkpoint"
	one, other := send(north, http.MethodGet, path, nil).Body.Bytes(), send(south, http.MethodGet, path, nil).Body.Bytes()
	a, errA := log.OpenCheckpoint(one, &trunk.signer.Verifier)
	b, errB := log.OpenCheckpoint(other, &trunk.signer.Verifier)
	if errA != nil || errB != nil || a.Size != b.Size || a.Root == b.Root {
		t.Errorf("no proof of the fork: %v %v", a, b)
	}
}

// TestSlowWitnesses: witnesses that take longer than it takes to publish are busy with the same checkpoint, so that there is a quorum
// again and again.
func TestSlowWitnesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, grown(t, 80, 80), "all")
		w.to(5)
		must(t, w.open())
		for host, delay := range map[string]time.Duration{"north": 1700 * time.Millisecond, "south": 3100 * time.Millisecond} {
			quick := w.hosts[host]
			w.set(host, http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
				time.Sleep(delay)
				quick.ServeHTTP(out, in)
			}))
		}
		quorums, last := 0, w.feeder.Cosigned()
		must(t, w.run(time.Second, func() {
			for size := int64(6); size < 66; size++ {
				w.publish(size)
				time.Sleep(time.Second)
				if now := w.feeder.Cosigned(); !bytes.Equal(now, last) {
					quorums, last = quorums+1, now
				}
			}
		}))
		if quorums < 12 {
			t.Errorf("%d quorums in a minute", quorums)
		}
	})
}
