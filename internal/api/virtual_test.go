package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/spec"
)

// inVirtualTime runs a test in a bubble of testing/synctest: where everybody waits, the time of what they wait for comes at once, and exactly.
// The server is called without a network, since whoever waits for one does not wait for the time.
func inVirtualTime(t *testing.T, test func(t *testing.T, s *server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, start(t, func(s *server) { s.virtual = true }))
	})
}

// inProcess hands requests to the server's handler.
type inProcess struct{ *server }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	p.api.Handler().ServeHTTP(answer, r)
	return answer.Result(), nil
}

// TestRecoveryEndsInItsTime: a request that waits is decided anew a millisecond after its time is over, not before and not later.
func TestRecoveryEndsInItsTime(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *server) {
		s.found()
		impatient := s.ask("expired-1", s.pay("12000.00"), s.grant())
		impatient.WaitUntil, impatient.Wait = s.now().Add(30*time.Second), 40*time.Second
		asked := s.now()
		a := s.verify(impatient)
		if took := s.now().Sub(asked); a.Result != spec.Rejected || decided(t, a).Closed != "expired" || took != 30*time.Second+time.Millisecond {
			t.Errorf("%s after %v", a.Result, took)
		}
	})
}

// TestRecoveryWaitsForHours: nobody waits for the answer, and it is there a millisecond after the clause's four hours.
func TestRecoveryWaitsForHours(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *server) {
		s.found()
		request := s.ask("expired-1", s.pay("12000.00"), s.grant())
		interim := s.verify(request)
		until := decided(t, interim).Missing[0].Until
		time.Sleep(until.Sub(s.now()))
		if a := s.verify(request); a.Result != spec.CollectMissing {
			t.Errorf("at its last instant: %s", a.Result)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if a := s.verify(request); a.Result != spec.Rejected || decided(t, a).Closed != "expired" {
			t.Errorf("after it: %s", a.Result)
		}
	})
}

// TestLongPollEnds: a question that may wait is answered when its wait is over, with what there is then.
func TestLongPollEnds(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *server) {
		s.found()
		patient := s.ask("waiting-1", s.pay("12000.00"), s.grant())
		patient.Wait = 45 * time.Second
		asked := s.now()
		a := s.verify(patient)
		if took := s.now().Sub(asked); a.Result != spec.CollectMissing || took != patient.Wait {
			t.Errorf("%s after %v", a.Result, took)
		}
	})
}

// TestLapseIsExact: a hold counts until the last instant before executeBefore, and from that instant on it does not.
func TestLapseIsExact(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *server) {
		s.found()
		mandate := s.grant()
		decision, d := document(t, s.verify(s.ask("invoice-1", s.pay("9000.00"), mandate)))
		time.Sleep(d.ExecuteBefore.Sub(s.now()) - time.Millisecond)
		if a := s.verify(s.ask("invoice-2", s.pay("9000.00"), mandate)); a.Result == spec.Authorized {
			t.Error("the budget is back before its time")
		}
		time.Sleep(time.Millisecond)
		if _, err := s.client(acme).Guard(t.Context(), s.bank(), writ.Order{Decision: decision, Action: d.Action, Payload: payload}); writ.ReasonOf(err) != "hold-lapsed" {
			t.Errorf("a begin at that instant: %v", err)
		}
		if a := s.verify(s.ask("invoice-3", s.pay("9000.00"), mandate)); a.Result != spec.Authorized {
			t.Errorf("the budget is not back: %s", a.Result)
		}
	})
}
