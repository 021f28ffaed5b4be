package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	pb "github.com/google/trillian"
	"github.com/google/trillian/types"
	"github.com/transparency-dev/merkle/rfc6962"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/writ-trust/writ/internal/trilliantest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/trillian"
)

const (
	trillianEntry    = 300 // bytes
	trillianInterval = 5 * time.Millisecond
	trillianTuned    = "sequencer interval 5 ms, batches of 4096, PostgreSQL as it comes; log server, signer and database on this machine"
)

// trillian measures durable append to inclusion proof in Trillian's LOG, by itself, and in its PREORDERED_LOG, as Writ's distributed log
// uses it: with Writ's own tree, its signature and its comparison of roots.
func (r *run) trillian() (err error) {
	if _, missing := os.Stat(filepath.Join(r.peers, "trillian_log_server")); r.peers == "" || missing != nil {
		fmt.Fprintln(r.out, "\nTrillian: NOT MEASURED: name the folder of trillian_log_server and trillian_log_signer with -peers (make bench builds them)")
		return nil
	}
	db, err := trilliantest.StartPostgres(r.disk, r.postgresBin)
	if errors.Is(err, trilliantest.ErrNoPostgres) {
		fmt.Fprintln(r.out, "\nTrillian: NOT MEASURED:", err)
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Remove()) }()
	base, err := trilliantest.Schema()
	if err != nil {
		return err
	}
	if err := trillian.ApplySchema(r.ctx, db.URI, base); err != nil {
		return err
	}
	server, err := trilliantest.StartServer(r.ctx, r.peers, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	signer, err := trilliantest.StartSigner(r.peers, db, trillianInterval)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, signer.Kill()) }()
	return errors.Join(r.trillianLOG(server.Address), r.trillianPreordered(db.URI, server.Address))
}

// trillianRows adds the figures of one kind of log, by callers.
func (r *run) trillianRows(name string, appendOne func(context.Context, []byte) error) error {
	for _, c := range []struct{ callers, entries int }{{1, 200}, {64, 4000}, {1024, 16_000}} {
		took, rate, err := r.appending(c.callers, r.several(c.entries, max(20, c.callers)), appendOne)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		of := fmt.Sprintf("%s, %d callers, ", name, c.callers)
		r.add("trillian", of+"p50", µs(quantile(took, 0.5)), "µs").noting(trillianTuned)
		r.add("trillian", of+"p99", µs(quantile(took, 0.99)), "µs")
		r.add("trillian", of+"rate", rate, "entries/s")
	}
	return nil
}

// appending sends n entries from so many callers, each with one under way.
func (r *run) appending(callers, n int, appendOne func(context.Context, []byte) error) (took []time.Duration, rate float64, err error) {
	took = make([]time.Duration, n)
	ctx, stop := context.WithCancelCause(r.ctx)
	defer stop(nil)
	var next atomic.Int64
	var group sync.WaitGroup
	start := r.now()
	for range callers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				entry := make([]byte, trillianEntry)
				rand.Read(entry)
				began := r.now()
				if err := appendOne(ctx, entry); err != nil {
					stop(err)
					return
				}
				took[i] = r.now().Sub(began)
			}
		})
	}
	group.Wait()
	whole := r.now().Sub(start)
	slices.Sort(took)
	return took, float64(n) / whole.Seconds(), context.Cause(ctx)
}

// trillianLOG queues each leaf and asks for its proof once it is in. One loop reads what came in, for all callers: each of them asking for
// itself at each new root would be most of the load.
func (r *run) trillianLOG(address string) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	id, err := trillian.CreateTree(r.ctx, conn, pb.TreeType_LOG)
	if err != nil {
		return err
	}
	client := pb.NewTrillianLogClient(conn)
	ctx, stop := context.WithCancelCause(r.ctx)
	in := &integrated{waiting: map[string]chan place{}}
	var loop sync.WaitGroup
	loop.Go(func() { stop(in.follow(ctx, client, id)) })
	defer loop.Wait()
	defer stop(nil)
	return r.trillianRows("LOG, queued leaf to proof", func(_ context.Context, entry []byte) error {
		came := in.await(rfc6962.DefaultHasher.HashLeaf(entry))
		if _, err := client.QueueLeaf(ctx, &pb.QueueLeafRequest{LogId: id, Leaf: &pb.LogLeaf{LeafValue: entry}}); err != nil {
			return err
		}
		select {
		case p := <-came:
			_, err := client.GetInclusionProof(ctx, &pb.GetInclusionProofRequest{LogId: id, LeafIndex: p.index, TreeSize: p.size})
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// place is where a leaf came in.
type place struct{ index, size int64 }

// integrated tells callers of their leaves, by leaf hash.
type integrated struct {
	mu      sync.Mutex
	waiting map[string]chan place
}

func (in *integrated) await(hash []byte) <-chan place {
	in.mu.Lock()
	defer in.mu.Unlock()
	came := make(chan place, 1)
	in.waiting[string(hash)] = came
	return came
}

// follow asks for the root each millisecond, and for the leaves that are new under it.
func (in *integrated) follow(ctx context.Context, client pb.TrillianLogClient, id int64) error {
	for seen := int64(0); ctx.Err() == nil; time.Sleep(time.Millisecond) {
		answer, err := client.GetLatestSignedLogRoot(ctx, &pb.GetLatestSignedLogRootRequest{LogId: id})
		if err != nil {
			return err
		}
		var root types.LogRootV1
		if err := root.UnmarshalBinary(answer.GetSignedLogRoot().GetLogRoot()); err != nil {
			return err
		}
		if size := int64(root.TreeSize); size > seen {
			leaves, err := client.GetLeavesByRange(ctx, &pb.GetLeavesByRangeRequest{LogId: id, StartIndex: seen, Count: size - seen})
			if err != nil {
				return err
			}
			in.tell(leaves.GetLeaves(), size)
			seen = size
		}
	}
	return nil
}

func (in *integrated) tell(leaves []*pb.LogLeaf, size int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, leaf := range leaves {
		if came := in.waiting[string(leaf.GetMerkleLeafHash())]; came != nil {
			came <- place{leaf.GetLeafIndex(), size}
			delete(in.waiting, string(leaf.GetMerkleLeafHash()))
		}
	}
}

// trillianPreordered is Writ's distributed log: a batch is whatever waited.
func (r *run) trillianPreordered(database, server string) (err error) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	signer, err := log.NewSigner("bench.example/log", key.Public().(ed25519.PublicKey), func(text []byte) ([]byte, error) { return ed25519.Sign(key, text), nil })
	if err != nil {
		return err
	}
	l, err := trillian.Open(r.ctx, trillian.Options{Signer: signer, Database: database, Server: server})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	queue := make(chan waitingEntry, 4096)
	var loop sync.WaitGroup
	loop.Go(func() { batches(r.ctx, l, queue) })
	defer loop.Wait()
	defer close(queue)
	return r.trillianRows("Writ over PREORDERED_LOG, append to signed proof", func(ctx context.Context, entry []byte) error {
		w := waitingEntry{entry, make(chan error, 1), new(int64)}
		queue <- w
		if err := <-w.done; err != nil {
			return err
		}
		_, err := l.Proof(*w.index)
		return err
	})
}

// waitingEntry is an entry whose caller waits.
type waitingEntry struct {
	entry []byte
	done  chan error
	index *int64
}

func batches(ctx context.Context, l *trillian.Log, queue <-chan waitingEntry) {
	for first := range queue {
		batch := []waitingEntry{first}
		for more := true; more && len(batch) < 1024; {
			select {
			case w, ok := <-queue:
				if more = ok; ok {
					batch = append(batch, w)
				}
			default:
				more = false
			}
		}
		size := l.Size()
		var leaves [][]byte
		for i, w := range batch {
			*w.index = size + int64(i)
			leaves = append(leaves, w.entry)
		}
		c, err := l.Stage(size, leaves)
		if err == nil {
			err = l.Keep(ctx, c)
		}
		for _, w := range batch {
			w.done <- err
		}
	}
}
