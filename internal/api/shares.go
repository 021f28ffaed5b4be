package api

import "sync"

// shares bound how many requests do one long thing at once: those of one organisation, whatever number of API keys it makes, and all
// together. So nobody's requests keep those of others out.
type shares struct {
	each, all int // most at once

	mu    sync.Mutex
	byOrg map[string]int
	taken int
}

func newShares(each, all int) *shares { return &shares{each: each, all: all, byOrg: map[string]int{}} }

// take takes a place, if there is one; whoever has taken it frees it.
func (s *shares) take(org string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byOrg[org] >= s.each || s.taken >= s.all {
		return false
	}
	s.byOrg[org]++
	s.taken++
	return true
}

func (s *shares) free(org string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.byOrg[org]--; s.byOrg[org] == 0 {
		delete(s.byOrg, org)
	}
}
