package api

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/writ-trust/writ/spec"
)

// countEvery is how often the server looks for minutes of refusals that are over and have refusals without an entry.
const countEvery = 5 * time.Second

// CountRefusals logs how many requests were refused beyond those with an entry each, soon after their minute is over, until the context
// ends. What a process before this one left is counted too. It always returns nil: a failure is tried again.
func (s *Server) CountRefusals(ctx context.Context) error {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for {
		if err := s.countRefusals(ctx); err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "counting refusals failed, will be tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Server) countRefusals(ctx context.Context) error {
	all, err := s.Journal.Uncounted(ctx)
	for _, u := range all {
		_, failed := s.Verifier.CountRefusals(ctx, u.Org, u.Content)
		err = errors.Join(err, failed)
	}
	return err
}

// refusal is the answer to a request that failed. Where the error says until when, so does the answer.
func (s *Server) refusal(ctx context.Context, err error) *reply {
	r := s.problemOf(ctx, err).reply()
	var beyond *spec.BeyondError
	if errors.As(err, &beyond) {
		r.RetryAfter = strconv.Itoa(max(1, int(math.Ceil(beyond.Until.Sub(s.Now()).Seconds()))))
	}
	return r
}
