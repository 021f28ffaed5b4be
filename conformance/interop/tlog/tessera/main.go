// Command tessera appends entries to a Tessera log on POSIX files, tuned for latency, and prints how long each took: what `make bench`
// sets beside Writ's own log. One JSON object on stdout, times in microseconds.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// The settings: as fast as this release lets them be.
const (
	batchAge           = time.Millisecond
	checkpointInterval = 100 * time.Millisecond // less is refused
	pollPeriod         = time.Millisecond       // of callers who wait for a checkpoint
	entrySize          = 300
)

type result struct {
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	Rate    float64 `json:"rate"` // entries a second
	Entries int     `json:"entries"`
}

func main() {
	dir := flag.String("dir", "", "folder of the log")
	callers := flag.Int("callers", 1, "callers at once")
	n := flag.Int("n", 1000, "entries")
	until := flag.String("until", "index", "what a caller waits for: index (durable), or checkpoint (published)")
	flag.Parse()
	r, err := run(context.Background(), *dir, *callers, *n, *until == "checkpoint")
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tessera:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, callers, n int, published bool) (r result, err error) {
	private, _, err := note.GenerateKey(rand.Reader, "tessera.example/log")
	if err != nil {
		return r, err
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		return r, err
	}
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return r, err
	}
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(uint(max(callers, 256)), batchAge).
		WithCheckpointInterval(checkpointInterval).WithCheckpointRepublishInterval(time.Minute).WithPushback(uint(4*callers + 4096))
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return r, err
	}
	add := func(entry []byte) error {
		_, err := appender.Add(ctx, tessera.NewEntry(entry))()
		return err
	}
	if published {
		awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, pollPeriod)
		add = func(entry []byte) error {
			_, _, err := awaiter.Await(ctx, appender.Add(ctx, tessera.NewEntry(entry)))
			return err
		}
	}
	r, err = load(callers, n, add)
	return r, errors.Join(err, shutdown(ctx))
}

// load is a closed one: each caller has one entry under way.
func load(callers, n int, add func([]byte) error) (result, error) {
	took := make([]time.Duration, n)
	var next atomic.Int64
	var failed atomic.Value
	var group sync.WaitGroup
	start := time.Now()
	for range callers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				entry := make([]byte, entrySize)
				rand.Read(entry)
				began := time.Now()
				if err := add(entry); err != nil {
					failed.Store(err)
					return
				}
				took[i] = time.Since(began)
			}
		})
	}
	group.Wait()
	whole := time.Since(start)
	if err, bad := failed.Load().(error); bad {
		return result{}, err
	}
	slices.Sort(took)
	us := func(q float64) float64 { return float64(took[int(q*float64(n-1))].Nanoseconds()) / 1000 }
	return result{us(0.5), us(0.99), float64(n) / whole.Seconds(), n}, nil
}
