package rule

import (
	"sync/atomic"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

// span is how long a limit counts: a calendar period in a zone, a rolling period, or (no per) for ever.
type span struct {
	Per     string `json:"per,omitempty"`
	Zone    string `json:"zone,omitempty"`
	Rolling bool   `json:"rolling,omitempty"`

	last *atomic.Pointer[Window] // the calendar window that was asked for last: the next instant is mostly in it
}

const (
	spanSchema = `"per":{"enum":["P1D","P1W","P1M","P1Y"]},"zone":{"type":"string"},"rolling":{"const":true}`
	spanRules  = `"oneOf":[{"properties":{"per":false,"zone":false,"rolling":false}},
{"required":["per","zone"],"properties":{"rolling":false}},{"required":["per","rolling"],"properties":{"zone":false}}]`
)

// check refuses every combination but the three, a period or zone that is not known, and members that say nothing
// (rolling false, empty texts), so that each limit has one form. v is the constraint that s was read from.
func (s *span) check(v jcs.Value) error {
	if err := s.onlySaying(v); err != nil {
		return err
	}
	if s.Per == "" {
		if s.Zone != "" || s.Rolling {
			return refuse(ReasonConstraintInvalid, "/per", "a limit without a period has neither zone nor rolling")
		}
		return nil
	}
	if _, known := rolls[s.Per]; !known {
		return refuse(ReasonPeriodUnknown, "/per", "a period is P1D, P1W, P1M or P1Y")
	}
	if s.Rolling != (s.Zone == "") {
		return refuse(ReasonConstraintInvalid, "/zone", "a period has either a zone or rolling")
	}
	if s.Rolling {
		return nil
	}
	s.last = new(atomic.Pointer[Window])
	_, err := Zone(s.Zone)
	return err
}

func (s *span) onlySaying(v jcs.Value) error {
	for _, m := range []struct {
		name string
		says bool
	}{{"per", s.Per != ""}, {"zone", s.Zone != ""}, {"rolling", s.Rolling}} {
		if _, present := v.Member(m.name); present && !m.says {
			return refuse(ReasonConstraintInvalid, "/"+m.name, "a member that says nothing must be absent")
		}
	}
	return nil
}

// ReasonTimeRange is the reason for an instant outside 1970 to 9997, for which no window is defined.
const ReasonTimeRange = "time-range"

func (h head) checkInstant(at time.Time) *Violation {
	if inRange(at) {
		return nil
	}
	return h.broken(ReasonTimeRange, "", "windows are defined from 1970 to 9997")
}

// draw sets the windows of d. The span is known to be valid and the instant in range.
func (s *span) draw(d Draw, at time.Time) Draw {
	var err error
	switch {
	case s.Per == "":
	case s.Rolling:
		d.Bucket, d.Sum, d.Until, err = Rolling(s.Per, at)
	default:
		d.Bucket, err = s.window(at)
		d.Sum, d.Until = d.Bucket, d.Bucket.To
	}
	if err != nil {
		panic("rule: Draw without Check: " + err.Error())
	}
	return d
}

// window is the calendar window that holds the instant. Windows tile time, so the one of before is the answer where it holds it.
func (s *span) window(at time.Time) (Window, error) {
	if w := s.last.Load(); w != nil && w.Contains(at) {
		return *w, nil
	}
	w, err := s.calendar(at)
	if err == nil {
		s.last.Store(&Window{From: w.From, To: w.To})
	}
	return w, err
}
