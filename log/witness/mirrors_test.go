package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/writ-trust/writ/log"
)

// glass is a log with two mirrors that show what they are told to.
type glass struct {
	*town
	cosigners map[string]*log.Cosigner
	evidence  []byte
	mirrors   *Mirrors
}

func newGlass(t *testing.T, quorum string) *glass {
	g := &glass{town: &town{t: t, source: &source{history: grown(t, 40, 40)}, network: network{hosts: map[string]http.Handler{}, asked: map[string]int{}}},
		cosigners: map[string]*log.Cosigner{}}
	text := ""
	for i, name := range []string{"east", "west"} {
		c := cosigner(t, name+".example", byte(30+i))
		g.cosigners[name] = c
		text += fmt.Sprintf("witness %s %s https://%s/copy\n", name, c, name)
		g.answer(name, http.StatusNotFound, nil)
	}
	var err error
	g.policy, err = PolicyFor([]byte(text+"group both "+quorum+" east west\nquorum both\n"), &g.signer.Verifier)
	must(t, err)
	return g
}

func (g *glass) open() error {
	var err error
	g.mirrors, err = NewMirrors(MirrorsOptions{Log: g.source, Origin: origin, Policy: g.policy, HTTP: &g.network, Logger: silent(), Kept: g.evidence,
		Evidence: func(signed []byte) error { g.evidence = signed; return nil }})
	if err != nil {
		return err
	}
	return g.mirrors.Start(g.t.Context())
}

func (g *glass) answer(mirror string, status int, body []byte) {
	g.set(mirror, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/copy/checkpoint" {
			status = http.StatusTeapot
		}
		w.WriteHeader(status)
		w.Write(body)
	}))
}

// show has a mirror show the checkpoint of a history, cosigned.
func (g *glass) show(mirror string, h *history, size int64) {
	line, err := g.cosigners[mirror].Cosign(h.checkpoint(size).Text(), time.Now())
	must(g.t, err)
	g.answer(mirror, http.StatusOK, append(h.signed(size), line...))
}

func (g *glass) run(length time.Duration) error {
	ctx, cancel := context.WithTimeout(g.t.Context(), length)
	defer cancel()
	return g.mirrors.Run(ctx)
}

// given fails unless the checkpoint given out is of the size, -1 for none, and holds under the mirrors' policy.
func (g *glass) given(size int64, lines int) {
	g.t.Helper()
	signed := g.mirrors.Cosigned()
	if size < 0 && signed == nil {
		return
	}
	c, err := g.policy.Verify(signed, origin)
	if err != nil || c.Size != size || bytes.Count(signed, []byte("\n— ")) != lines {
		g.t.Fatalf("size %d, want %d with %d lines: %v\n%s", c.Size, size, lines, err, signed)
	}
}

func TestMirrorsMeetTheQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGlass(t, "all")
		g.to(30)
		must(t, g.open())
		g.given(-1, 0)
		g.show("east", g.history, 10)
		must(t, g.run(time.Minute))
		g.show("west", g.history, 12)
		must(t, g.run(time.Minute))
		g.given(-1, 0) // each of another size
		g.show("west", g.history, 10)
		must(t, g.run(time.Minute))
		g.given(10, 3)
		g.show("east", g.history, 20)
		g.show("west", g.history, 20)
		must(t, g.run(time.Minute))
		g.given(20, 3)
		g.show("east", g.history, 10)
		must(t, g.run(time.Minute))
		g.given(20, 3)
		if len(g.mirrors.lines) > 1 {
			t.Errorf("lines over %d checkpoints are kept", len(g.mirrors.lines))
		}
	})
}

// TestMirrorsWait: whoever waits is answered with the quorum, of one mirror or two.
func TestMirrorsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGlass(t, "any")
		g.to(30)
		must(t, g.open())
		go func() {
			time.Sleep(time.Minute)
			g.show("west", g.history, 25)
		}()
		go g.run(5 * time.Minute)
		signed, err := g.mirrors.Await(t.Context(), 20)
		must(t, err)
		if c, err := log.ReadCheckpoint(signed); err != nil || c.Size != 25 {
			t.Errorf("%v %v", c, err)
		}
		g.given(25, 2)
		synctest.Wait()
		time.Sleep(5 * time.Minute)
	})
}

// TestMirrorsThatLie: what is not signed by log and mirror counts for nothing, and nobody is stopped by it.
func TestMirrorsThatLie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGlass(t, "any")
		g.to(30)
		must(t, g.open())
		east, err := g.cosigners["east"].Cosign(g.checkpoint(10).Text(), time.Now())
		must(t, err)
		west, err := g.cosigners["west"].Cosign(g.checkpoint(10).Text(), time.Now())
		must(t, err)
		other, err := g.cosigners["east"].Cosign(g.checkpoint(11).Text(), time.Now())
		must(t, err)
		foreign := log.Checkpoint{Origin: origin, Size: 10}
		its, err := g.cosigners["east"].Cosign(foreign.Text(), time.Now())
		must(t, err)
		for name, body := range map[string][]byte{"nothing": nil, "not its own line": append(g.history.signed(10), west...), "no line": g.history.signed(10),
			"a line over another": append(g.history.signed(10), other...), "not signed by the log": append([]byte(foreign.Text()+"\n"), its...),
			"too long": append(append(g.history.signed(10), east...), bytes.Repeat([]byte("x"), maxAnswer)...)} {
			g.answer("east", http.StatusOK, body)
			if err := g.run(time.Minute); err != nil || g.mirrors.Cosigned() != nil {
				t.Errorf("%s: %v %s", name, err, g.mirrors.Cosigned())
			}
		}
		g.answer("east", http.StatusFound, append(g.history.signed(10), east...))
		must(t, g.run(time.Minute))
		g.given(-1, 0)
	})
}

// TestMirrorsShowAFork: another tree, or a longer one, that the log's own key signed stops the log, is kept, and stops the next start.
func TestMirrorsShowAFork(t *testing.T) {
	for reason, show := range map[string]func(*glass){
		"log-forked":         func(g *glass) { g.show("west", grown(g.t, 40, 5), 10) },
		"log-behind-witness": func(g *glass) { g.show("west", g.history, 31) },
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGlass(t, "any")
			g.to(30)
			must(t, g.open())
			show(g)
			want := func(err error) {
				t.Helper()
				if e := new(log.Error); !errors.As(err, &e) || e.Reason != reason {
					t.Errorf("want %s: %v", reason, err)
				}
			}
			want(g.run(time.Minute))
			g.given(-1, 0)
			if len(g.evidence) == 0 {
				t.Error("the checkpoint was not kept")
			}
			g.answer("west", http.StatusNotFound, nil)
			want(g.open())
		})
	}
}

// TestMirrorsBesideWitnesses: a checkpoint is given out once the witnesses' quorum has cosigned it too, and no key is both.
func TestMirrorsBesideWitnesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGlass(t, "any")
		g.to(30)
		must(t, g.open())
		north := cosigner(t, "north.example", 50)
		var err error
		g.mirrors.Witnesses, err = PolicyFor([]byte("witness n "+north.String()+" https://north/\nquorum n\n"), &g.signer.Verifier)
		must(t, err)
		o := g.mirrors.MirrorsOptions
		g.mirrors, err = NewMirrors(o)
		must(t, err)
		g.show("east", g.history, 10)
		must(t, g.run(time.Minute))
		g.given(-1, 0)
		text := g.checkpoint(10).Text()
		mirror, err := g.cosigners["east"].Cosign(text, time.Now())
		must(t, err)
		witness, err := north.Cosign(text, time.Now())
		must(t, err)
		g.answer("east", http.StatusOK, bytes.Join([][]byte{g.history.signed(10), witness, mirror}, nil))
		must(t, g.run(time.Minute))
		g.given(10, 3)
		o.Policy, err = log.ParsePolicy([]byte(strings.Replace(o.Witnesses.String(), "https://north/", "https://north/copy", 1)))
		must(t, err)
		if _, err := NewMirrors(o); err == nil || !strings.Contains(err.Error(), "never both") {
			t.Errorf("a key of both: %v", err)
		}
	})
}
