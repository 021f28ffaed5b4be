//go:build !plant_reply_before_commit

package journal

import "context"

// Promise: nobody is answered before the batch is in the database (invariants 6 and 8).

// end makes the transaction the truth. After an error nobody knows yet whether it is.
func (j *Journal) end(ctx context.Context) error {
	_, err := j.writer.exec(ctx, "COMMIT")
	return err
}
