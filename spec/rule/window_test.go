package rule_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/spec/rule"
)

// TestZoneData fails when the embedded data changes without TZRelease: other data is another answer.
func TestZoneData(t *testing.T) {
	data, err := os.ReadFile("zoneinfo.zip")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if got := rule.TZRelease + " " + hex.EncodeToString(sum[:]); got !=
		"2025c 8f55634d05f8bca1f7bc7c69c5933428c69357e0bdf565e5ba224e3f88ff12e8" {
		t.Errorf("time zone data is now %s", got)
	}
}

func TestZone(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Lisbon", "America/Argentina/Ushuaia", "Etc/GMT+5"} {
		if l, err := rule.Zone(name); err != nil || l.String() != name {
			t.Errorf("%s: %v, %v", name, l, err)
		}
	}
	for _, name := range []string{"", "Local", "utc", "europe/lisbon", "Europe/", "Europe", "EST", "Factory", "Lisbon",
		"../Europe/Lisbon", "Europe/Lisbon ", "/etc/localtime", "Europe/Atlantis"} {
		if _, err := rule.Zone(name); err == nil {
			t.Errorf("zone %q was accepted", name)
		} else if reasonOf(t, err) != rule.ReasonZoneUnknown {
			t.Errorf("zone %q: %v", name, err)
		}
	}
}

func TestCalendar(t *testing.T) {
	for _, c := range []struct{ why, per, zone, at, from, to string }{
		{"summer in Lisbon", "P1D", "Europe/Lisbon", "2026-07-01T12:00:00Z", "2026-06-30T23:00:00Z", "2026-07-01T23:00:00Z"},
		{"winter in Lisbon", "P1D", "Europe/Lisbon", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"},
		{"last instant of a day", "P1D", "Europe/Lisbon", "2026-06-30T22:59:59.999Z", "2026-06-29T23:00:00Z", "2026-06-30T23:00:00Z"},
		{"23 hours: clocks go forward", "P1D", "Europe/Lisbon", "2026-03-29T12:00:00Z", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z"},
		{"25 hours: clocks go back", "P1D", "Europe/Lisbon", "2026-10-25T12:00:00Z", "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"},
		{"23 hours west of Greenwich", "P1D", "America/New_York", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"},
		{"day begins at 01:00", "P1D", "America/Sao_Paulo", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"},
		{"the instant before it", "P1D", "America/Sao_Paulo", "2018-11-04T02:59:59Z", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"},
		{"clocks go back at midnight to 23:00", "P1D", "America/Sao_Paulo", "2018-02-18T02:30:00Z", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z"},
		{"day begins at 01:00 in Cairo", "P1D", "Africa/Cairo", "2024-04-26T12:00:00Z", "2024-04-25T22:00:00Z", "2024-04-26T21:00:00Z"},
		{"midnight comes twice: the day begins at the first", "P1D", "America/Havana", "2026-11-01T05:30:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		{"clocks go back from 00:01 to 23:01: the new day has begun", "P1D", "America/St_Johns", "2010-11-07T03:00:00Z", "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"},
		{"a date that was skipped", "P1D", "Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"the date after it", "P1D", "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},
		{"half an hour of difference", "P1D", "Australia/Lord_Howe", "2026-04-05T00:00:00Z", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z"},
		{"far future", "P1D", "Europe/Lisbon", "2099-07-01T12:00:00Z", "2099-06-30T23:00:00Z", "2099-07-01T23:00:00Z"},
		{"ISO week across the new year", "P1W", "Europe/Lisbon", "2027-01-01T12:00:00Z", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"},
		{"Sunday ends the week", "P1W", "Europe/Lisbon", "2027-01-03T23:59:59Z", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"},
		{"Monday begins it", "P1W", "Europe/Lisbon", "2027-01-04T00:00:00Z", "2027-01-04T00:00:00Z", "2027-01-11T00:00:00Z"},
		{"week in which clocks go back", "P1W", "Europe/Lisbon", "2026-10-25T23:30:00Z", "2026-10-18T23:00:00Z", "2026-10-26T00:00:00Z"},
		{"month with a change", "P1M", "Europe/Lisbon", "2026-03-31T22:59:59Z", "2026-03-01T00:00:00Z", "2026-03-31T23:00:00Z"},
		{"leap February", "P1M", "UTC", "2028-02-29T00:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		{"year", "P1Y", "Asia/Tokyo", "2026-12-31T15:00:00Z", "2026-12-31T15:00:00Z", "2027-12-31T15:00:00Z"},
	} {
		w, err := rule.Calendar(c.per, c.zone, at(t, c.at))
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		if from, to := rule.FormatTime(w.From), rule.FormatTime(w.To); from != c.from || to != c.to {
			t.Errorf("%s: got [%s, %s), want [%s, %s)", c.why, from, to, c.from, c.to)
		}
	}
}

func TestWindowRefusals(t *testing.T) {
	now := at(t, "2026-12-01T00:00:00Z")
	for _, c := range []struct {
		per, zone string
		at        time.Time
		reason    string
	}{
		{"P2D", "UTC", now, rule.ReasonPeriodUnknown},
		{"", "UTC", now, rule.ReasonPeriodUnknown},
		{"p1d", "UTC", now, rule.ReasonPeriodUnknown},
		{"P1D", "Mars/Olympus", now, rule.ReasonZoneUnknown},
		{"P1D", "UTC", time.Time{}, rule.ReasonTimeRange},
		{"P1D", "UTC", at(t, "9998-01-01T00:00:00Z"), rule.ReasonTimeRange},
	} {
		if w, err := rule.Calendar(c.per, c.zone, c.at); err == nil || reasonOf(t, err) != c.reason {
			t.Errorf("%s %s: %v, %v, want %s", c.per, c.zone, w, err, c.reason)
		}
		if c.reason == rule.ReasonZoneUnknown {
			continue
		}
		if _, _, _, err := rule.Rolling(c.per, c.at); err == nil || reasonOf(t, err) != c.reason {
			t.Errorf("rolling %s: %v, want %s", c.per, err, c.reason)
		}
	}
}

var (
	periods = rapid.SampledFrom([]string{"P1D", "P1W", "P1M", "P1Y"})
	// Zones with the oddest histories since 1970: changes at midnight, half hours, skipped and repeated days, offset +14.
	oddZones = rapid.SampledFrom([]string{"UTC", "Europe/Lisbon", "America/Sao_Paulo", "Africa/Cairo", "America/Havana",
		"America/St_Johns", "Pacific/Apia", "Pacific/Kwajalein", "Pacific/Kiritimati", "Australia/Lord_Howe", "Asia/Gaza",
		"Africa/Casablanca", "Africa/Monrovia", "Antarctica/Troll", "Asia/Tehran", "America/Scoresbysund", "Asia/Amman"})
	instants = rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(0, 4102444800000).Draw(t, "ms")).UTC() // 1970 to 2100
	})
)

// TestCalendarTiles: a window holds its instant, is one for all its instants, and its neighbours meet it exactly.
func TestCalendarTiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		per, zone, now := periods.Draw(t, "per"), oddZones.Draw(t, "zone"), instants.Draw(t, "at")
		window := func(at time.Time) rule.Window {
			w, err := rule.Calendar(per, zone, at)
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
		w := window(now)
		if !w.Contains(now) || !w.From.Before(w.To) {
			t.Fatalf("%v does not hold %v", w, now)
		}
		inside := w.From.Add(time.Duration(rapid.Int64Range(0, int64(w.To.Sub(w.From))-1).Draw(t, "inside")))
		if !inside.Before(time.Unix(0, 0)) && window(inside) != w {
			t.Fatalf("%v at %v, but %v at %v", w, now, window(inside), inside)
		}
		if next := window(w.To); !next.From.Equal(w.To) {
			t.Fatalf("%v is followed by %v", w, next)
		}
	})
}

// TestDayStartsAtLocalDate compares with the definition, second by second around the start: the local date is reached
// for the first time there.
func TestDayStartsAtLocalDate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := oddZones.Draw(t, "zone")
		w, err := rule.Calendar("P1D", zone, instants.Draw(t, "at"))
		if err != nil {
			t.Fatal(err)
		}
		loc, err := rule.Zone(zone)
		if err != nil {
			t.Fatal(err)
		}
		date := func(at time.Time) string { return at.In(loc).Format(time.DateOnly) }
		for ago := time.Second; ago < 25*time.Hour; ago += 13 * time.Minute {
			if before := w.From.Add(-ago); date(before) >= date(w.From) {
				t.Fatalf("%s: %v has date %s, and so has %v already", zone, w.From, date(w.From), before)
			}
		}
	})
}

// TestDayStartEverywhere compares with a search minute by minute, in every zone, around the ends of years (where leap
// years deceive time.Time.ZoneBounds) and on random days.
func TestDayStartEverywhere(t *testing.T) {
	names := zoneNames(t)
	if len(names) < 500 {
		t.Fatalf("only %d zones", len(names))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, zone := range names {
		for _, year := range []int{1996, 2008, 2024, 2028, 2088, 2400} {
			for _, date := range []time.Time{time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC),
				time.Date(year, 1, 1+random.IntN(365), 0, 0, 0, 0, time.UTC)} {
				checkDayStart(t, zone, date)
			}
		}
	}
}

func zoneNames(t *testing.T) []string {
	t.Helper()
	archive, err := zip.OpenReader("zoneinfo.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var names []string
	for _, f := range archive.File {
		if _, err := rule.Zone(f.Name); err == nil {
			names = append(names, f.Name)
		}
	}
	return names
}

func checkDayStart(t *testing.T, zone string, date time.Time) {
	t.Helper()
	loc, err := rule.Zone(zone)
	if err != nil {
		t.Fatal(err)
	}
	local := func(at time.Time) time.Time {
		_, offset := at.In(loc).Zone()
		return at.Add(time.Duration(offset) * time.Second)
	}
	first := date.Add(-20 * time.Hour)
	for local(first).Before(date) {
		first = first.Add(time.Minute)
	}
	w, err := rule.Calendar("P1D", zone, first)
	if err != nil || !w.From.Equal(first) {
		t.Errorf("%s: %s begins at %v, found %v, %v", zone, date.Format(time.DateOnly), first, w.From, err)
	}
}

// TestRolling: every stretch of the period's length that ends with a charge lies in what is summed there, which is at
// most a bucket longer; and a bucket leaves all sums exactly at until.
func TestRolling(t *testing.T) {
	lengths := map[string]time.Duration{"P1D": 24 * time.Hour, "P1W": 168 * time.Hour, "P1M": 744 * time.Hour, "P1Y": 8784 * time.Hour}
	rapid.Check(t, func(t *rapid.T) {
		per, now := periods.Draw(t, "per"), instants.Draw(t, "at")
		bucket, sum, until, err := rule.Rolling(per, now)
		if err != nil {
			t.Fatal(err)
		}
		length := bucket.To.Sub(bucket.From)
		if !bucket.Contains(now) || bucket.From.Unix()%int64(length/time.Second) != 0 {
			t.Fatalf("bucket %v at %v", bucket, now)
		}
		oldest := now.Add(-lengths[per])
		if sum.To != bucket.To || sum.From.After(oldest) || oldest.Sub(sum.From) >= length || lengths[per]%length != 0 {
			t.Fatalf("sum %v at %v", sum, now)
		}
		if _, last, _, _ := rule.Rolling(per, until.Add(-1)); last.From.After(bucket.From) {
			t.Fatalf("%v left the sums before %v", bucket, until)
		}
		if _, after, _, _ := rule.Rolling(per, until); after.From.Before(bucket.To) {
			t.Fatalf("%v still counts at %v", bucket, until)
		}
	})
}

func BenchmarkCalendar(b *testing.B) {
	now := time.Date(2026, 10, 25, 12, 0, 0, 0, time.UTC)
	for b.Loop() {
		if _, err := rule.Calendar("P1W", "Europe/Lisbon", now); err != nil {
			b.Fatal(err)
		}
	}
}
