package rule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/spec/rule"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := rule.ParseTime(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestParseTime(t *testing.T) {
	for _, s := range []string{"2026-12-01T09:30:00Z", "2026-12-01T09:30:00.250Z", "2024-02-29T23:59:59.999Z",
		"1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"} {
		if got := rule.FormatTime(at(t, s)); got != s {
			t.Errorf("%s came back as %s", s, got)
		}
	}
	for _, s := range []string{"", "2026-12-01", "2026-12-01T09:30:00", "2026-12-01T09:30:00+00:00", "2026-12-01T09:30:00-00:00",
		"2026-12-01T09:30:00z", "2026-12-01t09:30:00Z", "2026-12-01 09:30:00Z", "2026-12-01T09:30Z", "2026-12-01T24:00:00Z",
		"2016-12-31T23:59:60Z", "2025-02-29T00:00:00Z", "2026-12-01T09:30:00.25Z", "2026-12-01T09:30:00.000Z",
		"2026-12-01T09:30:00.2500Z", "2026-12-01T09:30:00,250Z", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
		"02026-12-01T09:30:00Z", "2026-1-01T09:30:00Z", " 2026-12-01T09:30:00Z", "2026-12-01T09:30:00Z\n"} {
		if got, err := rule.ParseTime(s); err == nil {
			t.Errorf("%q was read as %v", s, got)
		} else if reasonOf(t, err) != rule.ReasonTimeForm {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestTimeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.UnixMilli(rapid.Int64Range(0, 253402300799999).Draw(t, "ms")).UTC()
		got, err := rule.ParseTime(rule.FormatTime(want))
		if err != nil || !got.Equal(want) {
			t.Fatalf("%v came back as %v, %v", want, got, err)
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"2026-12-01T09:30:00Z", "2026-12-01T09:30:00.250Z", "2026-12-01T09:30:00.000Z",
		"2016-12-31T23:59:60Z", "2026-12-01T09:30:00,250Z", "2026-12-01T09:30:00+01:00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := rule.ParseTime(s)
		if err == nil && rule.FormatTime(v) != s {
			t.Errorf("%q came back as %q", s, rule.FormatTime(v))
		}
	})
}
