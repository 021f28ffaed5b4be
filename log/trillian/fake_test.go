package trillian

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	pb "github.com/google/trillian"
	"github.com/google/trillian/types"
	"github.com/transparency-dev/merkle/rfc6962"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/writ-trust/writ/log"
)

// fake is a Trillian in memory that integrates at once, and does wrong what a test asks for.
type fake struct {
	pb.TrillianLogClient
	leaves [][]byte
	lie    func(*types.LogRootV1) // of every root
	down   int                    // so many calls fail before they reach it
	lost   int                    // so many answers are lost behind what they did
	calls  int
}

func (f *fake) fails(n *int) error {
	f.calls++
	if *n > 0 {
		*n--
		return status.Error(codes.Unavailable, "away")
	}
	return nil
}

func (f *fake) AddSequencedLeaves(_ context.Context, r *pb.AddSequencedLeavesRequest, _ ...grpc.CallOption) (*pb.AddSequencedLeavesResponse, error) {
	if err := f.fails(&f.down); err != nil {
		return nil, err
	}
	answer := &pb.AddSequencedLeavesResponse{}
	for _, leaf := range r.Leaves {
		result := &pb.QueuedLogLeaf{Status: status.New(codes.OK, "").Proto()}
		switch have := int64(len(f.leaves)); {
		case leaf.LeafIndex < have:
			result.Status = status.New(codes.FailedPrecondition, "conflicting LeafIndex").Proto()
		case leaf.LeafIndex == have:
			f.leaves = append(f.leaves, leaf.LeafValue)
		}
		answer.Results = append(answer.Results, result)
	}
	return answer, f.fails(&f.lost)
}

func (f *fake) GetLatestSignedLogRoot(context.Context, *pb.GetLatestSignedLogRootRequest, ...grpc.CallOption) (*pb.GetLatestSignedLogRootResponse, error) {
	if err := f.fails(&f.down); err != nil {
		return nil, err
	}
	root := &types.LogRootV1{TreeSize: uint64(len(f.leaves)), RootHash: rootOf(f.leaves)}
	if f.lie != nil {
		f.lie(root)
	}
	text, err := root.MarshalBinary()
	return &pb.GetLatestSignedLogRootResponse{SignedLogRoot: &pb.SignedLogRoot{LogRoot: text}}, err
}

func (f *fake) GetConsistencyProof(context.Context, *pb.GetConsistencyProofRequest, ...grpc.CallOption) (*pb.GetConsistencyProofResponse, error) {
	return &pb.GetConsistencyProofResponse{Proof: &pb.Proof{Hashes: [][]byte{bytes.Repeat([]byte{1}, 32)}}}, nil
}

// rootOf is RFC 6962 §2.1, by its definition.
func rootOf(leaves [][]byte) []byte {
	switch len(leaves) {
	case 0:
		return rfc6962.DefaultHasher.EmptyRoot()
	case 1:
		return rfc6962.DefaultHasher.HashLeaf(leaves[0])
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	return rfc6962.DefaultHasher.HashChildren(rootOf(leaves[:k]), rootOf(leaves[k:]))
}

// follow opens a log over a fake, its files in a folder.
func follow(t *testing.T, dir string, f *fake, held func(context.Context) error) *Log {
	t.Helper()
	inner, err := log.Open(log.Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard"), Signer: testSigner(t)})
	if err != nil {
		t.Fatal(err)
	}
	l := &Log{closers: []func() error{inner.Close}}
	o := Options{Signer: testSigner(t), Patience: 300 * time.Millisecond}
	if err := l.start(t.Context(), inner, newBackend(f, 1, inner.Published, o), held); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func ours(context.Context) error { return nil }

// lostAt is a lease that is lost when it is looked at for the nth time.
func lostAt(n int) func(context.Context) error {
	return func(context.Context) error {
		if n--; n <= 0 {
			return fault("log-fenced", "")
		}
		return nil
	}
}

// TestKeepRefuses: nothing is signed unless Trillian reports the very root, and the lease is ours; and then never again.
func TestKeepRefuses(t *testing.T) {
	flipped := func(r *types.LogRootV1) { r.RootHash[3] ^= 1 }
	for name, row := range map[string]struct {
		prepare func(*fake)
		held    func(context.Context) error
		want    string
	}{
		"another root":         {func(f *fake) { f.lie = flipped }, ours, "log-roots-differ"},
		"a short root":         {func(f *fake) { f.lie = func(r *types.LogRootV1) { r.RootHash = r.RootHash[:20] } }, ours, "log-engine-answer"},
		"a size beyond all":    {func(f *fake) { f.lie = func(r *types.LogRootV1) { r.TreeSize = 1 << 63 } }, ours, "log-engine-answer"},
		"a tree that runs off": {func(f *fake) { f.lie = func(r *types.LogRootV1) { r.TreeSize += 9 } }, ours, "log-roots-differ"},
		"no signer":            {func(f *fake) { f.lie = func(r *types.LogRootV1) { r.TreeSize = 2 } }, ours, "log-engine-unreachable"},
		"away for good":        {func(f *fake) { f.down = 1 << 20 }, ours, "log-engine-unreachable"},
		"another entry there":  {func(f *fake) { f.leaves = append(f.leaves, []byte("foreign")) }, ours, "log-roots-differ"},
		"lease lost":           {func(*fake) {}, lostAt(1), "log-fenced"},
		"lost meanwhile":       {func(*fake) {}, lostAt(2), "log-fenced"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			held := ours
			l := follow(t, t.TempDir(), f, func(ctx context.Context) error { return held(ctx) })
			if err := grow(t.Context(), l, 3); err != nil {
				t.Fatal(err)
			}
			before := l.CommitCheckpoint()
			held = row.held
			row.prepare(f)
			if err := grow(t.Context(), l, 2); reason(err) != row.want || !errors.Is(err, log.ErrFatal) {
				t.Errorf("got %v, want %s, for good", err, row.want)
			}
			if !bytes.Equal(l.CommitCheckpoint(), before) || l.Size() != 3 {
				t.Error("a checkpoint was signed")
			}
			calls := f.calls
			if _, err := l.Stage(3, entries(3, 1)); !errors.Is(err, log.ErrFatal) || f.calls != calls {
				t.Errorf("it goes on: %v", err)
			}
		})
	}
}

// TestKeepTriesAgain: what fails on the way there or back is done again, and no entry stands twice.
func TestKeepTriesAgain(t *testing.T) {
	f := &fake{}
	l := follow(t, t.TempDir(), f, ours)
	for n := range int64(8) {
		f.down, f.lost = int(n)%2, int(n)/2%2
		if err := grow(t.Context(), l, 1+n%3); err != nil {
			t.Fatal(err)
		}
	}
	if int64(len(f.leaves)) != l.Size() {
		t.Errorf("Trillian has %d entries, Writ %d", len(f.leaves), l.Size())
	}
	for i, leaf := range f.leaves {
		if !bytes.Equal(leaf, entry(int64(i))) {
			t.Errorf("entry %d is another one", i)
		}
	}
}

// TestStart: a start finds what Trillian took and nobody signed, and gives it what it lacks.
func TestStart(t *testing.T) {
	dir, f := t.TempDir(), &fake{}
	l := follow(t, dir, f, ours)
	if err := grow(t.Context(), l, 300); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := grow(t.Context(), l, 2); err != nil { // kept, not published: gone from the engine at the start
		t.Fatal(err)
	}
	l.Close()

	f.leaves = f.leaves[:290] // restored from a backup
	l = follow(t, dir, f, ours)
	if l.Size() != 300 || len(f.leaves) != 300 {
		t.Fatalf("the log has %d entries, Trillian %d", l.Size(), len(f.leaves))
	}
	if err := l.Settled(t.Context()); err != nil {
		t.Error(err)
	}
	f.leaves = append(f.leaves, entry(300))
	if err := l.Settled(t.Context()); reason(err) != "log-ahead" {
		t.Errorf("Trillian has more than the journal: %v", err)
	}
	if err := grow(t.Context(), l, 4); err != nil {
		t.Error(err)
	}
}

func TestIdentity(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range []string{"a", "b", "a\x00"} {
		for i := range int64(300) {
			seen[string(identity(o, i))] = true
		}
	}
	if len(seen) != 900 {
		t.Errorf("%d identities of 900 places", len(seen))
	}
}

// FuzzRoot: what Trillian answers is parsed without a crash, and no root of another length is taken.
func FuzzRoot(f *testing.F) {
	for _, hash := range [][]byte{rootOf(nil), rootOf(entries(0, 3)), {1}} {
		text, err := (&types.LogRootV1{TreeSize: 3, RootHash: hash}).MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := parseRoot(text)
		if err != nil {
			return
		}
		back := types.LogRootV1{}
		if err := back.UnmarshalBinary(text); err != nil || int64(back.TreeSize) != h.size || h.size < 0 || !bytes.Equal(back.RootHash, h.root[:]) {
			t.Errorf("%x came out as %v", text, h)
		}
	})
}
