package rule

import (
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

// span is how long a limit counts: a calendar period in a zone, a rolling period, or (no per) for ever.
type span struct {
	per, zone string
	rolling   bool
}

const (
	spanSchema = `"per":{"enum":["P1D","P1W","P1M","P1Y"]},"zone":{"type":"string"},"rolling":{"const":true}`
	spanRules  = `"oneOf":[{"properties":{"per":false,"zone":false,"rolling":false}},
{"required":["per","zone"],"properties":{"rolling":false}},{"required":["per","rolling"],"properties":{"zone":false}}]`
)

// checkSpan refuses every combination but the three, a period or zone that is not known, and members that say nothing
// (rolling false, empty texts), so that each limit has one form. v is the constraint that s was read from.
func checkSpan(v jcs.Value, s span) error {
	if err := onlySaying(v, s); err != nil {
		return err
	}
	if s.per == "" {
		if s.zone != "" || s.rolling {
			return refuse(ReasonConstraintInvalid, "/per", "a limit without a period has neither zone nor rolling")
		}
		return nil
	}
	if _, known := rolls[s.per]; !known {
		return refuse(ReasonPeriodUnknown, "/per", "a period is P1D, P1W, P1M or P1Y")
	}
	if s.rolling != (s.zone == "") {
		return refuse(ReasonConstraintInvalid, "/zone", "a period has either a zone or rolling")
	}
	if s.rolling {
		return nil
	}
	_, err := Zone(s.zone)
	return err
}

func onlySaying(v jcs.Value, s span) error {
	for name, says := range map[string]bool{"per": s.per != "", "zone": s.zone != "", "rolling": s.rolling} {
		if _, present := v.Member(name); present && !says {
			return refuse(ReasonConstraintInvalid, "/"+name, "a member that says nothing must be absent")
		}
	}
	return nil
}

// checkInstant refuses what no window is defined for.
func checkInstant(id string, at time.Time) *Violation {
	if inRange(at) {
		return nil
	}
	return &Violation{Reason: ReasonTimeRange, Constraint: id, Detail: "windows are defined from 1970 to 9997"}
}

// draw sets the windows of d. The span is known to be valid and the instant in range.
func (s span) draw(d Draw, at time.Time) Draw {
	var err error
	switch {
	case s.per == "":
	case s.rolling:
		d.Bucket, d.Sum, d.Until, err = Rolling(s.per, at)
	default:
		d.Bucket, err = Calendar(s.per, s.zone, at)
		d.Sum, d.Until = d.Bucket, d.Bucket.To
	}
	if err != nil {
		panic("rule: Draw without Check: " + err.Error())
	}
	return d
}
