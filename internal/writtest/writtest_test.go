package writtest_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestStory plays the main job from the roster to the report, as every package above may.
func TestStory(t *testing.T) {
	w := writtest.Acme("story")
	ss, _ := w.Found(nil)
	ss, mandate := w.Grant(ss)
	ss, child := w.Delegate(ss, mandate)
	p := w.Present([]spec.Document{mandate, child}, w.Action("420.00"), w.Request("invoice-1"), w.Now)
	decision := w.SignDecision(w.Decision(p, ss), w.Now)
	ss = w.Record(ss, decision)
	w.Advance(time.Minute)
	ss = w.Record(ss, w.Begin(decision, w.Now))
	ss = w.Record(ss, w.Report(decision, spec.OutcomeExecuted, "420.00", true, w.Now))
	for _, d := range []spec.Document{mandate, child} {
		s := ss.ByContent(spec.ContentDigest(d.Value))
		if len(s.Windows) != 1 || s.Windows[0].Committed != 420_00 || s.Windows[0].Held != 0 {
			t.Errorf("windows of %s: %+v", s.Mandate.Name, s.Windows)
		}
	}
}

func TestRecovery(t *testing.T) {
	w := writtest.Acme("recovery")
	ss, _ := w.Found(nil)
	ss, mandate := w.Grant(ss)
	p := w.Present([]spec.Document{mandate}, w.Action("12000.00"), w.Request("invoice-2"), w.Now)
	interim := w.SignDecision(w.Decision(p, ss, writtest.Collect("2000.00", w.Now.Add(time.Hour))), w.Now)
	ss = w.Record(ss, interim)
	supplement, err := spec.Propose(interim, 0, mandate.Body.(*spec.Mandate))
	if err != nil {
		t.Fatal(err)
	}
	approval := w.ApproveSupplement("cfo", mandate, supplement)
	ss = w.Record(ss, approval, w.Seal(supplement, approval))
	if got := ss.ByContent(spec.ContentDigest(mandate.Value)).Proposals[0].Status; got != spec.ProposalIssued {
		t.Errorf("the proposal is %s", got)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	first, second := writtest.Acme("x").Mandate(), writtest.Acme("x").Mandate()
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("one seed gave two mandates")
	}
	if other := writtest.Acme("y").Mandate(); other.Digest == first.Digest {
		t.Error("two seeds gave one mandate")
	}
}
