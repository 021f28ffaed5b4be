package trillian

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	pb "github.com/google/trillian"
	"github.com/google/trillian/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/writ-trust/writ/log"
)

const (
	// maxMessage limits a message to or from the log server, in bytes. Trillian's servers take 4 MiB unless told otherwise.
	maxMessage = 4 << 20
	// perCall is how many entries one call carries: at 2 KiB each, and what stands beside them, below maxMessage.
	perCall = 1024
	// The root is asked for again after this time, twice as long each time up to the longest.
	shortestWait = time.Millisecond
	longestWait  = 8 * time.Millisecond
	// After a failed call the pause is longer.
	failedWait = 100 * time.Millisecond
)

var noIdleHeads = durationpb.New(0)

// backend is a tree in Trillian.
type backend struct {
	client    pb.TrillianLogClient
	id        int64
	origin    string
	published func() []byte // our last published checkpoint, as the start finds it
	patience  time.Duration
	logger    *slog.Logger
}

func newBackend(client pb.TrillianLogClient, id int64, published func() []byte, o Options) backend {
	b := backend{client: client, id: id, origin: o.Signer.Name(), published: published, patience: o.Patience, logger: o.Logger}
	if b.patience <= 0 {
		b.patience = defaultPatience
	}
	if b.logger == nil {
		b.logger = slog.New(slog.DiscardHandler)
	}
	return b
}

// head is a root that Trillian reports.
type head struct {
	size int64
	root log.Hash
}

// patiently makes a call again while Trillian does not answer, until patience or the context ends. Reason: log-engine-unreachable.
func (b *backend) patiently(ctx context.Context, what string, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, b.patience)
	defer cancel()
	for {
		err := call(ctx)
		if err == nil || !passing(err) {
			return err
		}
		b.logger.WarnContext(ctx, "Trillian does not answer", "call", what, "err", err)
		if pause(ctx, failedWait) != nil {
			return fault("log-engine-unreachable", "%s: %v", what, err)
		}
	}
}

// passing says that a call may succeed when it is made again: the server or its database is away, or had to give way to another's
// transaction. What Trillian says about a request itself it will say again.
func passing(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented, codes.OK:
		return false
	}
	_, ours := err.(*log.Error)
	return !ours
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// root asks for the newest root.
func (b *backend) root(ctx context.Context) (h head, err error) {
	err = b.patiently(ctx, "root", func(ctx context.Context) error {
		answer, err := b.client.GetLatestSignedLogRoot(ctx, &pb.GetLatestSignedLogRootRequest{LogId: b.id})
		if err != nil {
			return err
		}
		h, err = parseRoot(answer.GetSignedLogRoot().GetLogRoot())
		return err
	})
	return h, err
}

// parseRoot reads a root as Trillian serialises it. Reason: log-engine-answer.
func parseRoot(text []byte) (head, error) {
	var r types.LogRootV1
	if err := r.UnmarshalBinary(text); err != nil {
		return head{}, fault("log-engine-answer", "root: %v", err)
	}
	if len(r.RootHash) != len(log.Hash{}) || r.TreeSize > 1<<62 {
		return head{}, fault("log-engine-answer", "a root of %d bytes, of %d entries", len(r.RootHash), r.TreeSize)
	}
	return head{int64(r.TreeSize), log.Hash(r.RootHash)}, nil
}

// add gives entries to Trillian under their indices. It refuses an index that has an entry, and does not show that entry before a signer
// integrated it: whether it is ours, of an attempt whose answer was lost, the root will tell.
func (b *backend) add(ctx context.Context, first int64, leaves [][]byte) error {
	for len(leaves) > 0 {
		n := min(len(leaves), perCall)
		if err := b.patiently(ctx, "add", func(ctx context.Context) error { return b.addSome(ctx, first, leaves[:n]) }); err != nil {
			return err
		}
		first, leaves = first+int64(n), leaves[n:]
	}
	return nil
}

func (b *backend) addSome(ctx context.Context, first int64, leaves [][]byte) error {
	request := &pb.AddSequencedLeavesRequest{LogId: b.id}
	for i, leaf := range leaves {
		index := first + int64(i)
		request.Leaves = append(request.Leaves, &pb.LogLeaf{LeafIndex: index, LeafValue: leaf, LeafIdentityHash: identity(b.origin, index)})
	}
	answer, err := b.client.AddSequencedLeaves(ctx, request)
	if err != nil {
		return err
	}
	for i, r := range answer.GetResults() {
		if r.GetStatus().GetCode() != int32(codes.OK) {
			b.logger.InfoContext(ctx, "Trillian has the entry already", "index", first+int64(i), "says", r.GetStatus().GetMessage())
			break
		}
	}
	return nil
}

// agree waits until Trillian reports a root that covers c, and compares. Where Trillian is further, its proof must lead from c to there.
// Reason: log-roots-differ.
func (b *backend) agree(ctx context.Context, c log.Checkpoint) error {
	ctx, cancel := context.WithTimeout(ctx, b.patience)
	defer cancel()
	for wait := shortestWait; ; wait = min(2*wait, longestWait) {
		h, err := b.root(ctx)
		switch {
		case err != nil:
			return err
		case h.size == c.Size:
			return sameRoot(c, h)
		case h.size > c.Size:
			return b.leadsTo(ctx, c, h)
		}
		if pause(ctx, wait) != nil {
			return fault("log-engine-unreachable", "Trillian has %d entries, and no signer makes it the %d that were added", h.size, c.Size)
		}
	}
}

func sameRoot(c log.Checkpoint, h head) error {
	if h.root == c.Root {
		return nil
	}
	return fault("log-roots-differ", "Trillian says that %d entries have the root %s, Writ computed %s", h.size, h.root, c.Root)
}

// leadsTo asks for the proof that the tree of c is the start of Trillian's.
func (b *backend) leadsTo(ctx context.Context, c log.Checkpoint, h head) error {
	var hashes []log.Hash
	if c.Size > 0 {
		err := b.patiently(ctx, "consistency", func(ctx context.Context) error {
			answer, err := b.client.GetConsistencyProof(ctx, &pb.GetConsistencyProofRequest{LogId: b.id, FirstTreeSize: c.Size, SecondTreeSize: h.size})
			hashes = hashes[:0]
			for _, hash := range answer.GetProof().GetHashes() {
				if len(hash) != len(log.Hash{}) {
					return fault("log-engine-answer", "a hash of %d bytes in a proof", len(hash))
				}
				hashes = append(hashes, log.Hash(hash))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := log.CheckConsistency(c, log.Checkpoint{Origin: c.Origin, Size: h.size, Root: h.root}, hashes); err != nil {
		return fault("log-roots-differ", "Trillian's %d entries do not begin with the %d that Writ has: %v", h.size, c.Size, err)
	}
	return nil
}

// feed adds to Trillian what was published and it lacks, and compares the roots.
func (l *Log) feed(ctx context.Context) error {
	c, err := log.ReadCheckpoint(l.published())
	if err != nil {
		return err
	}
	h, err := l.root(ctx)
	if err != nil {
		return err
	}
	for first := h.size; first < c.Size; {
		entries, err := publishedEntries(l.Log, first, c.Size)
		if err != nil {
			return fmt.Errorf("trillian: %w", err)
		}
		if err := l.add(ctx, first, entries); err != nil {
			return err
		}
		first += int64(len(entries))
	}
	return l.agree(ctx, c)
}

const bundleWidth = 256

// publishedEntries returns some of the published entries from first on: up to the end of their bundle.
func publishedEntries(l *log.Log, first, size int64) ([][]byte, error) {
	name := log.Tile{Level: log.Entries, Index: first / bundleWidth, Width: int(min(bundleWidth, size-first/bundleWidth*bundleWidth))}
	bundle, err := l.ReadTile(name.Path())
	if err != nil {
		return nil, err
	}
	entries, err := log.ParseBundle(bundle)
	if err != nil {
		return nil, err
	}
	return entries[first%bundleWidth:], nil
}
