package journal

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// BenchmarkApprovals logs signed approvals of many drafts at once: what a commit costs without deciding.
func BenchmarkApprovals(b *testing.B) {
	w := writtest.Acme("bench")
	dir := b.TempDir()
	l, err := log.Open(log.Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard", "checkpoint"), Signer: w.LogSigner()})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	j, err := Open(context.Background(), Options{Path: filepath.Join(dir, "journal.db"), Log: l, Now: func() time.Time { return w.Now },
		Random: writtest.Acme("salts"), Sign: w.SignUnsigned})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	type work struct {
		op  spec.Op
		doc spec.Document
	}
	all := make([]work, b.N)
	for i := range all {
		m := w.Mandate(func(m *spec.Mandate) { m.Name = fmt.Sprint(i) })
		all[i] = work{spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(m)}}, w.ApproveMandate("cfo", m)}
	}
	var next atomic.Int64
	b.SetParallelism(64)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			x := all[next.Add(1)-1]
			if _, err := j.Run(context.Background(), x.op, hand(x.doc)); err != nil {
				b.Error(err)
			}
		}
	})
}
