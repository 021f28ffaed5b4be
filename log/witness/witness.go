// Package witness is both sides of witnessing (C2SP tlog-witness.md): a Witness cosigns the checkpoints of logs that only
// ever grew, and a Feeder brings a log's published checkpoints to its witnesses until the quorum of its policy
// (tlog-policy.md) has cosigned. Mirrors fetches what the log's mirrors cosigned.
//
// It knows nothing of what a log's entries say. To keep a witness call Open and serve Handler; to feed witnesses call NewFeeder,
// Start, and Run; the same with NewMirrors.
//
// Clauses are cited from https://github.com/C2SP/C2SP at 5ba5ee830903e91240fc6f9f3a7a9293d49e69c9, by file and heading.
package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/writ-trust/writ/log"
)

// Options say whose checkpoints a witness cosigns.
type Options struct {
	// Dir is the folder of the state, one file a log, made if missing. It must never be restored from a backup: a witness
	// that forgets what it cosigned may cosign a fork. Whoever loses it makes a new key.
	Dir string
	// Key cosigns, and nothing else: no other witness and no other Dir may have it.
	Key *log.Cosigner
	// Logs are the keys of the logs that are witnessed; a key's name is its log's origin. Several keys may be of one log.
	Logs []*log.Verifier
	// FS is the file system. Nil means log.OS.
	FS  log.FS
	Now func() time.Time
}

// Witness remembers, for each log, the newest checkpoint that it cosigned. Its methods may be called concurrently.
type Witness struct {
	key  *log.Cosigner
	now  func() time.Time
	fs   log.FS
	lock io.Closer
	logs map[string]*witnessed // by origin; not changed after Open
	byID map[string]*witnessed // by origin hash
}

// witnessed is a log with what was cosigned last.
type witnessed struct {
	keys []*log.Verifier
	file string

	mu     sync.Mutex // held from the comparison to the answer: the checkpoints of one log have one order
	failed error      // a write failed: what the disk holds is unknown, so nothing is cosigned any more
	last   state
}

// state is a checkpoint that was cosigned; the zero state is that of a log of which none was.
type state struct {
	checkpoint log.Checkpoint
	text       string
	line       []byte // the cosignature
	at         int64  // its time, in seconds after 1970
	signed     []byte // text, signature lines of the log's keys, and line
}

// ConflictError says that a request does not start from the checkpoint that was cosigned last.
type ConflictError struct {
	Size int64 // of the checkpoint that was cosigned last; zero if none was
}

func (e *ConflictError) Error() string {
	return fault("witness-conflict", "%d entries were cosigned last", e.Size).Error()
}

// Open opens a witness, or makes it if Dir is empty.
// Reasons: witness-options; witness-state (a file of the state is not what this key cosigned).
func Open(o Options) (*Witness, error) {
	if o.Dir == "" || o.Key == nil || o.Now == nil || len(o.Logs) == 0 {
		return nil, fault("witness-options", "Dir, Key, Now and Logs must be set")
	}
	w := &Witness{key: o.Key, now: o.Now, fs: o.FS, logs: map[string]*witnessed{}, byID: map[string]*witnessed{}}
	if w.fs == nil {
		w.fs = log.OS{}
	}
	if err := w.fs.MkdirAll(o.Dir); err != nil {
		return nil, err
	}
	var err error
	if w.lock, err = w.fs.Lock(filepath.Join(o.Dir, "lock")); err != nil {
		return nil, err
	}
	if err := errors.Join(w.fs.SyncDir(filepath.Dir(filepath.Clean(o.Dir))), w.load(o)); err != nil {
		return nil, errors.Join(err, w.lock.Close())
	}
	return w, nil
}

func (w *Witness) load(o Options) error {
	for _, key := range o.Logs {
		l := w.logs[key.Name()]
		if l == nil {
			id := OriginHash(key.Name())
			l = &witnessed{file: filepath.Join(o.Dir, id)}
			w.logs[key.Name()], w.byID[id] = l, l
		}
		l.keys = append(l.keys, key)
	}
	for origin, l := range w.logs {
		if err := w.read(origin, l); err != nil {
			return err
		}
	}
	return nil
}

// OriginHash names a log in the paths of a witness (tlog-witness.md, "Monitor Retrieval Mechanism").
func OriginHash(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:])
}

// Close gives up the lock. The caller has ended all other calls.
func (w *Witness) Close() error { return w.lock.Close() }

// Key returns the key with which the witness cosigns.
func (w *Witness) Key() *log.Verifier { return &w.key.Verifier }

// Add takes the body of an add-checkpoint request and returns the witness's signature line, after the checkpoint that it is over
// is durable as the newest of its log.
//
// Reasons, in the order of the checks: request-syntax, note-syntax, witness-log-unknown, checkpoint-signature, checkpoint-syntax,
// witness-old-size, witness-conflict (a ConflictError), witness-inconsistent, cosignature-time. An error without a reason means
// that the state could not be written: nothing of that log is cosigned until the witness is opened again.
func (w *Witness) Add(body []byte) ([]byte, error) {
	r, err := ParseRequest(body)
	if err != nil {
		return nil, err
	}
	n, l, err := w.open(r.Checkpoint)
	if err != nil {
		return nil, err
	}
	next, err := readText(n.Text)
	if err != nil {
		return nil, err
	}
	if r.Old > next.Size {
		return nil, fault("witness-old-size", "the old size %d is above that of the checkpoint, %d", r.Old, next.Size)
	}
	return w.advance(l, r, n, next)
}

// open reads a signed checkpoint and finds a signature of the log that it says it is of (tlog-witness.md, "add-checkpoint":
// unknown keys are ignored, a wrong signature of a known key refuses it).
func (w *Witness) open(signed []byte) (*note.Note, *witnessed, error) {
	if len(signed) > log.MaxCheckpointSize {
		return nil, nil, fault("note-syntax", "%d bytes, at most %d allowed", len(signed), log.MaxCheckpointSize)
	}
	origin, _, _ := strings.Cut(string(signed), "\n")
	l := w.logs[origin]
	var keys []note.Verifier
	if l != nil {
		for _, key := range l.keys {
			keys = append(keys, key)
		}
	}
	n, err := note.Open(signed, note.VerifierList(keys...))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch unsigned := errors.As(err, &unverified); {
	case err != nil && !unsigned && !errors.As(err, &invalid):
		return nil, nil, fault("note-syntax", "%v", err)
	case l == nil:
		return nil, nil, fault("witness-log-unknown", "this witness does not know the log")
	case err != nil:
		return nil, nil, fault("checkpoint-signature", "not signed by a key of the log: %v", err)
	}
	return n, l, nil
}

// readText reads the text of a checkpoint. Extension lines, which are other logs' business, are part of what is cosigned; nothing
// is said about them (tlog-cosignature.md, "Ed25519 signed message").
func readText(text string) (log.Checkpoint, error) {
	lines := strings.SplitAfterN(text, "\n", 4)
	if len(lines) < 4 || strings.HasPrefix(lines[3], "\n") || strings.Contains(lines[3], "\n\n") {
		return log.Checkpoint{}, fault("checkpoint-syntax", "want origin, size and root, and then no empty line")
	}
	return log.ParseCheckpoint(lines[0] + lines[1] + lines[2])
}

// advance is the order that must not change. Its lock makes comparing and storing one step (tlog-witness.md, "add-checkpoint",
// last paragraph).
func (w *Witness) advance(l *witnessed, r Request, n *note.Note, next log.Checkpoint) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return nil, l.failed
	}
	if err := follows(l.last.checkpoint, next, r); err != nil {
		return nil, err
	}
	now := w.now()
	if n.Text == l.last.text && now.Unix() == l.last.at {
		return l.last.line, nil // the same signature: a flood of repeated requests writes once a second
	}
	// A crash before or here leaves the state as it was, and no cosignature.
	line, err := w.key.Cosign(n.Text, now)
	if err != nil {
		return nil, err
	}
	signed := cosigned(n, line)
	// A crash here leaves the old state or the new one. If it is the new one, nobody has the cosignature: the log asks again and
	// is told the new size.
	if err := replaceFile(w.fs, l.file, signed); err != nil {
		l.failed = err
		return nil, err
	}
	// From here on no start forgets this checkpoint. Only now may anybody be shown the cosignature.
	l.last = state{next, n.Text, line, now.Unix(), signed}
	return line, nil
}

// follows checks a checkpoint against the one that was cosigned last (tlog-witness.md, "add-checkpoint").
func follows(last, next log.Checkpoint, r Request) error {
	if r.Old != last.Size {
		return &ConflictError{last.Size}
	}
	if next.Size == 0 && next.Root != emptyRoot {
		return fault("witness-inconsistent", "a tree of no entries with a root of its own")
	}
	if last.Size == 0 {
		last = log.Checkpoint{Origin: next.Origin, Root: emptyRoot}
	}
	if last.Size == 0 && len(r.Proof) > 0 {
		return fault("witness-inconsistent", "a proof from the empty tree")
	}
	if err := log.CheckConsistency(last, next, r.Proof); err != nil {
		return fault("witness-inconsistent", "%v", err)
	}
	return nil
}

// emptyRoot is the root of a tree without entries (RFC 6962 §2.1: the hash of nothing).
var emptyRoot = log.Hash(sha256.Sum256(nil))

// cosigned is a checkpoint with the verified signatures of its log and a cosignature.
func cosigned(n *note.Note, line []byte) []byte {
	var b strings.Builder
	b.WriteString(n.Text + "\n")
	for _, s := range n.Sigs {
		b.WriteString("— " + s.Name + " " + s.Base64 + "\n")
	}
	b.Write(line)
	return []byte(b.String())
}

// Checkpoint returns the newest cosigned checkpoint of a log by its OriginHash, with the signatures of the log's keys, or nil.
func (w *Witness) Checkpoint(originHash string) []byte {
	l := w.byID[originHash]
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return nil
	}
	return l.last.signed
}
