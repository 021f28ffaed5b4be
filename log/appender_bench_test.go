package log

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkAppend is durable append to inclusion proof, 300-byte entries, on real files.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 64, 1024} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			dir := b.TempDir()
			a := openAppender(b, Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard", "checkpoint"), Signer: testSigner(1, nil)})
			entry := make([]byte, 300)
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var group sync.WaitGroup
			for range callers {
				group.Go(func() {
					for left.Add(-1) >= 0 {
						if _, _, err := a.Append(ctx, entry); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
		})
	}
}
