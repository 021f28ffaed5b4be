//go:build plant_reply_before_commit

package journal

import "context"

// Planted: the answer goes out whatever becomes of COMMIT.

func (j *Journal) end(ctx context.Context) error {
	j.writer.exec(ctx, "COMMIT")
	return nil
}
