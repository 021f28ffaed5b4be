package postgres

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/writ-trust/writ/internal/trilliantest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/trillian"
)

// Variables of the environment: the database and the log server of a replica, which this program then is, and how often to kill.
const (
	replicaDatabase = "WRIT_TEST_REPLICA_DATABASE"
	replicaServer   = "WRIT_TEST_REPLICA_SERVER"
	killsVariable   = "WRIT_KILLS"
)

// fewKills is how many a run has that does not say.
const fewKills = 6

func TestMain(m *testing.M) {
	if os.Getenv(replicaDatabase) != "" {
		if err := replica(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "replica:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// replica writes entries until it is killed, prints the id of each that is committed, and numbers while it has the lease.
func replica(ctx context.Context) error {
	pool, err := pgxpool.New(ctx, os.Getenv(replicaDatabase))
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- elected(ctx, pool) }()
	for {
		select {
		case err := <-failed:
			return err
		case <-time.After(time.Duration(rand.IntN(8)) * time.Millisecond):
		}
		if err := acknowledge(ctx, pool); err != nil {
			return err
		}
	}
}

// acknowledge commits a few entries and says so.
func acknowledge(ctx context.Context, pool *pgxpool.Pool) error {
	var entries [][]byte
	for range 1 + rand.IntN(4) {
		entries = append(entries, binary.BigEndian.AppendUint64(make([]byte, 292), rand.Uint64()))
	}
	var ids []int64
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) (err error) {
		ids, err = Add(ctx, tx, origin, entries)
		return err
	})
	if err != nil {
		return err // whether it was committed nobody knows: it is not acknowledged
	}
	for _, id := range ids {
		fmt.Println(id)
	}
	return nil
}

// elected waits for the lease and numbers under it until something fails.
func elected(ctx context.Context, pool *pgxpool.Pool) error {
	o := trillian.Options{Signer: testSigner(&testing.T{}), Database: os.Getenv(replicaDatabase), Server: os.Getenv(replicaServer),
		Holder: strconv.Itoa(os.Getpid()), Lease: time.Second}
	l, err := trillian.Open(ctx, o)
	for ; err != nil && strings.Contains(err.Error(), "log-leased"); l, err = trillian.Open(ctx, o) {
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	n, err := Open(ctx, pool, origin, l.Fence(), l)
	if err != nil {
		return err
	}
	if err := l.Settled(ctx); err != nil {
		return err
	}
	for published := time.Now(); ; {
		count, err := n.Number(ctx)
		if err == nil && time.Since(published) > 50*time.Millisecond {
			published = time.Now()
			_, err = l.Publish(ctx)
		}
		if err != nil {
			return err
		}
		if count == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// victim is a process that may be killed.
type victim struct {
	name    string
	kill    func() error
	restart func() error
}

// cluster is replicas over one database and one Trillian, and what they acknowledged.
type cluster struct {
	*bench
	server *trilliantest.Server
	ending chan struct{} // closed: no replica is started again
	gone   sync.WaitGroup

	mu    sync.Mutex
	acked []int64
	said  strings.Builder // by replicas that ended by themselves
}

// superviseReplica keeps a replica running, as an operator's supervisor does: one that ends, or is killed, is started again.
func (c *cluster) superviseReplica() *victim {
	var running *os.Process // guarded by c.mu
	c.gone.Go(func() {
		for {
			select {
			case <-c.ending:
				return
			default:
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), replicaDatabase+"="+c.cluster.URI, replicaServer+"="+c.server.Address)
			var messages strings.Builder
			cmd.Stderr = &messages
			out, err := cmd.StdoutPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				c.Error(err)
				return
			}
			c.mu.Lock()
			running = cmd.Process
			c.mu.Unlock()
			c.read(out)
			cmd.Wait()
			c.mu.Lock()
			c.said.WriteString(messages.String())
			c.mu.Unlock()
			time.Sleep(200 * time.Millisecond)
		}
	})
	return &victim{"replica", func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if running != nil {
			running.Kill() // it may have ended
		}
		return nil
	}, func() error { return nil }}
}

// read takes down what a replica acknowledges. A line that the kill cut off is none.
func (c *cluster) read(out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		id, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		c.mu.Lock()
		if err == nil {
			c.acked = append(c.acked, id)
		}
		c.mu.Unlock()
	}
}

// TestKill kills, under load, replicas, signers, the log server and the database, each without warning: nothing that was acknowledged is lost, no index
// is given twice, and every checkpoint that was ever published is one of the final tree. WRIT_KILLS says how often.
func TestKill(t *testing.T) {
	bin, err := trilliantest.Bin()
	if err != nil {
		if os.Getenv(trilliantest.Variable) != "" {
			t.Fatal(err)
		}
		fmt.Printf("NOT CHECKED: kills of replicas, signers and log server (%v)\n", err)
		return
	}
	c := &cluster{bench: newDatabase(t), ending: make(chan struct{})}
	if c.bench == nil {
		return
	}
	kills := fewKills
	if text := os.Getenv(killsVariable); text != "" {
		kills, err = strconv.Atoi(text)
		c.must(err)
	}
	c.server, err = trilliantest.StartServer(t.Context(), bin, c.cluster)
	c.must(err)
	t.Cleanup(func() { c.server.Kill() })
	victims := []*victim{{"log server", c.server.Kill, c.server.Restart},
		{"database", c.cluster.Restart, func() error { return nil }}}
	for range 2 {
		s, err := trilliantest.StartSigner(bin, c.cluster, 5*time.Millisecond)
		c.must(err)
		t.Cleanup(func() { s.Kill() })
		victims = append(victims, &victim{"signer", s.Kill, s.Restart})
	}
	for range 2 {
		victims = append(victims, c.superviseReplica())
	}
	stop := sync.OnceFunc(func() {
		close(c.ending)
		for _, v := range victims[len(victims)-2:] {
			c.must(v.kill())
		}
		c.gone.Wait()
	})
	t.Cleanup(stop)

	published := map[int64]log.Checkpoint{}
	killed := map[string]int{}
	for range kills {
		c.progress(published)
		v := victims[rand.IntN(len(victims))]
		killed[v.name]++
		c.must(v.kill())
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
		c.must(v.restart())
	}
	c.progress(published)
	stop()
	c.finish(published)
	t.Logf("%v killed, %d entries acknowledged, %d in the log, %d checkpoints seen", killed, len(c.acked), c.log.Size(), len(published))
	if t.Failed() {
		t.Logf("replicas that ended by themselves said:\n%s", c.said.String())
	}
}

// progress waits until the published log has grown, and takes down its checkpoints.
func (c *cluster) progress(published map[int64]log.Checkpoint) {
	c.Helper()
	r, err := trillian.OpenReader(c.Context(), c.cluster.URI, origin)
	c.must(err)
	defer r.Close()
	before := slices.Max(append(slices.Collect(maps.Keys(published)), 0))
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		signed, err := r.ReadTile(c.Context(), "checkpoint")
		if errors.Is(err, log.ErrNotFound) {
			continue
		}
		c.must(err)
		cp, err := log.OpenCheckpoint(signed, &testSigner(c).Verifier)
		c.must(err)
		if old, ok := published[cp.Size]; ok && old != cp {
			c.Fatalf("two checkpoints of %d entries were published", cp.Size)
		}
		published[cp.Size] = cp
		if cp.Size > before+20 {
			return
		}
	}
	c.Fatalf("the log does not grow any more, from %d entries on\nreplicas:\n%s", before, c.said.String())
}

// finish numbers what is left, in a process that lives, and holds everything against everything.
func (c *cluster) finish(published map[int64]log.Checkpoint) {
	c.Helper()
	var l *trillian.Log
	var err error
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		l, err = trillian.Open(c.Context(), trillian.Options{Signer: testSigner(c), Database: c.cluster.URI, Server: c.server.Address})
		if err == nil || !strings.Contains(err.Error(), "log-leased") {
			break
		}
	}
	c.must(err)
	defer l.Close()
	c.log = l.Log
	n, err := Open(c.Context(), c.pool, origin, l.Fence(), l)
	c.must(err)
	for count := 1; count > 0; {
		count, err = n.Number(c.Context())
		c.must(err)
	}
	c.must(l.Settled(c.Context()))

	rows, err := c.pool.Query(c.Context(), `SELECT id, leaf, bytes FROM writ.entry ORDER BY leaf`)
	c.must(err)
	tree := &foreignTree{}
	numbered := map[int64]bool{}
	var id, leaf int64
	var entry []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &leaf, &entry}, func() error {
		if leaf != tree.size {
			return fmt.Errorf("index %d follows on %d", leaf, tree.size-1)
		}
		numbered[id] = true
		if cp, ok := published[leaf]; ok {
			if root, err := tlog.TreeHash(leaf, tree); err != nil || log.Hash(root) != cp.Root {
				return fmt.Errorf("the published checkpoint of %d entries is none of this tree (%v)", leaf, err)
			}
		}
		return tree.add(entry)
	})
	c.must(err)
	for _, id := range c.acked {
		if !numbered[id] {
			c.Errorf("entry %d was acknowledged and is lost", id)
		}
	}
	head, err := log.ReadCheckpoint(l.CommitCheckpoint())
	c.must(err)
	if root, err := tlog.TreeHash(tree.size, tree); err != nil || head.Size != tree.size || log.Hash(root) != head.Root {
		c.Errorf("the log has %d entries and the root %s, the database %d and %s (%v)", head.Size, head.Root, tree.size, log.Hash(root), err)
	}
	if len(c.acked) == 0 || len(published) < 2 {
		c.Errorf("%d entries acknowledged, %d checkpoints seen: there was no load", len(c.acked), len(published))
	}
}

// foreignTree is the same tree by golang.org/x/mod/sumdb/tlog.
type foreignTree struct {
	hashes []tlog.Hash
	size   int64
}

// ReadHashes implements tlog.HashReader.
func (f *foreignTree) ReadHashes(indexes []int64) (found []tlog.Hash, err error) {
	for _, i := range indexes {
		found = append(found, f.hashes[i])
	}
	return found, nil
}

func (f *foreignTree) add(entry []byte) error {
	h, err := tlog.StoredHashes(f.size, entry, f)
	f.hashes, f.size = append(f.hashes, h...), f.size+1
	return err
}
