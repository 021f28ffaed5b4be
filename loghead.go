package writ

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// LogHead asks for a chain's newest entry as of the log's newest heads entry, or the proof that it has none, for verifier.CheckHead. id
// is the chain's, or names the mandate, roster or policy whose chain it is.
func (c *Client) LogHead(ctx context.Context, id string) ([]byte, error) {
	return c.call(ctx, http.MethodGet, "/v1/log/heads/"+url.PathEscape(id), nil, nil)
}

// ReplayedLogHead is LogHead under a checkpoint that the quorum of mirrors has replayed. It waits for the mirrors, at most 45 seconds;
// reason: not-replayed.
func (c *Client) ReplayedLogHead(ctx context.Context, id string, wait time.Duration) ([]byte, error) {
	return c.call(ctx, http.MethodGet, "/v1/log/heads/"+url.PathEscape(id), url.Values{"replayed": {min(wait, longPoll).String()}}, nil)
}
