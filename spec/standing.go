package spec

import (
	"slices"
	"time"
)

// CountsContent is the content digest of the newest roster version whose change delay is over at an instant, "" where there is none. What
// any version since adds or loosens does not count yet.
func (s *State) CountsContent(now time.Time) string {
	live := s.live(now)
	if len(live) == 0 {
		return ""
	}
	i := slices.IndexFunc(s.Versions, func(v RosterVersion) bool { return v.Document.Body.(*Roster) == live[0].roster })
	return s.Versions[i].Content
}

// WaitsUntil is when a roster version of the chain counts in full, zero where it does not wait at the instant. Until then a revoker may
// veto it (protocol.md 6.2). One that recovery keys approved counts for nothing before, any other already for what it removes.
func (s *State) WaitsUntil(content string, now time.Time) time.Time {
	for _, v := range s.Versions {
		if v.Content == content && !v.Vetoed && now.Before(v.CountsFrom) {
			return v.CountsFrom
		}
	}
	live := s.live(now)
	for _, w := range live[min(1, len(live)):] {
		if i := slices.IndexFunc(s.Versions, func(v RosterVersion) bool { return v.Document.Body.(*Roster) == w.roster }); s.Versions[i].Content == content {
			return w.matures
		}
	}
	return time.Time{}
}
