//go:build unix

package verifier_test

import (
	"crypto/ed25519"
	"syscall"
	"testing"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// A floor measures beside a benchmark, in the same run, what the raw Ed25519 verifications of its signatures cost. Both are the
// processor's time, garbage collection included: other programs on the same processor count in neither.
type floor struct {
	public     ed25519.PublicKey
	message    []byte // of a Data Integrity proof: two hashes
	signature  []byte
	raw, whole time.Duration
	// The least of each, by the clock: what a processor takes that is left alone, garbage collection apart.
	leastRaw, leastWhole time.Duration
}

func newFloor(b *testing.B) *floor {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	f := &floor{public: public, message: make([]byte, 64)}
	f.signature = ed25519.Sign(private, f.message)
	return f
}

// beside runs check, and then as many raw verifications as it made.
func (f *floor) beside(b *testing.B, check func() (signatures int)) (signatures int) {
	began, start := time.Now(), processorTime(b)
	signatures = check()
	middle, between := processorTime(b), time.Now()
	for range signatures {
		if !ed25519.Verify(f.public, f.message, f.signature) {
			b.Fatal("the signature does not verify")
		}
	}
	f.whole, f.raw = f.whole+middle-start, f.raw+processorTime(b)-middle
	f.leastWhole, f.leastRaw = least(f.leastWhole, between.Sub(began)), least(f.leastRaw, time.Since(between))
	return signatures
}

func least(a, b time.Duration) time.Duration {
	if a == 0 || b < a {
		return b
	}
	return a
}

func (f *floor) report(b *testing.B, signatures int) {
	b.ReportMetric(float64(signatures), "signatures/op")
	b.ReportMetric(float64(f.whole.Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(f.raw.Microseconds())/float64(b.N), "raw-µs/op")
	b.ReportMetric(float64(f.whole)/float64(f.raw), "ratio")
	b.ReportMetric(float64(f.leastWhole.Microseconds()), "least-µs/op")
	b.ReportMetric(float64(f.leastWhole)/float64(f.leastRaw), "least-ratio")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCheckBundle: a receipt and everything behind it, checked by one who has seen nothing of it before.
func BenchmarkCheckBundle(b *testing.B) {
	s := newStory(b, "bench")
	mandate := s.enrol(s.Mandate())
	_, decision := s.ask("invoice-1", "4200.00", mandate)
	s.execute(decision)
	data := s.export(decision)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	f, signatures := newFloor(b), 0
	for b.Loop() {
		signatures = f.beside(b, func() int {
			c := verifier.CheckBundle(data, s.trust, verifier.CheckOptions{Expect: spec.OutcomeExecuted})
			if !c.Holds {
				b.Fatalf("%+v", c.Verdicts)
			}
			return c.Signatures
		})
	}
	f.report(b, signatures)
}

// BenchmarkAuditor: the same, checked by one who has seen its roster and its mandate with other receipts. Its signatures are those that
// it computes.
func BenchmarkAuditor(b *testing.B) {
	s := newStory(b, "bench")
	mandate := s.enrol(s.Mandate())
	_, decision := s.ask("invoice-1", "4200.00", mandate)
	s.execute(decision)
	data := s.export(decision)
	auditor := verifier.NewAuditor(s.trust, verifier.CheckOptions{Expect: spec.OutcomeExecuted})
	auditor.Check(data)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	f, signatures := newFloor(b), 0
	for b.Loop() {
		signatures = f.beside(b, func() int {
			before := auditor.Verified()
			if c := auditor.Check(data); !c.Holds {
				b.Fatalf("%+v", c.Verdicts)
			}
			return auditor.Verified() - before
		})
	}
	f.report(b, signatures)
}

// BenchmarkMandate: one mandate credential, a seal and two approvals, read from its bytes and judged by a roster.
func BenchmarkMandate(b *testing.B) {
	s := newStory(b, "bench")
	data := s.enrol(s.Mandate()).Bytes()
	roster := s.roster.Body.(*spec.Roster)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	f, signatures := newFloor(b), 0
	for b.Loop() {
		signatures = f.beside(b, func() int {
			doc, approvals := mandateHolds(b, s, data, roster)
			n := doc.Verifications()
			for _, a := range approvals {
				n += a.Verifications()
			}
			return n
		})
	}
	f.report(b, signatures)
}

// mandateHolds reads a mandate strictly, and checks its seal and its approvals.
func mandateHolds(b *testing.B, s *story, data []byte, roster *spec.Roster) (spec.Document, []spec.Document) {
	doc, err := spec.Parse(data)
	s.must(err)
	approvals, err := spec.Approvals(doc.Value)
	s.must(err)
	seal, _ := roster.Terms().Seal(s.KeyID("seal"))
	key, err := did.ParseMultikey(seal.Key)
	s.must(err)
	s.must(spec.CheckSignature(doc, key, seal.ID, did.AssertionMethod))
	var logged []spec.LoggedApproval
	for _, a := range approvals {
		logged = append(logged, spec.LoggedApproval{Document: a, At: s.Now})
	}
	_, err = spec.CheckApprovals(spec.NeedsOfMandate(doc.Body.(*spec.Mandate), doc.Content()), logged, []*spec.Roster{roster})
	s.must(err)
	return doc, approvals
}
