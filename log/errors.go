package log

import (
	"errors"
	"fmt"
)

// ErrFatal is wrapped by the error of any failed write or sync. What the disk holds is then unknown, so the
// Log refuses every later call: the process must end, and the next Open trusts only what was published.
var ErrFatal = errors.New("log: the files are in an unknown state")

// ErrNotFound is wrapped by errors about entries, tiles and sizes that the tree (or what is published of it) does not have.
var ErrNotFound = errors.New("log: not found")

// Error says which rule a note, checkpoint, proof, policy, path or entry broke.
// Reason is stable and kebab-case; Detail is for people.
type Error struct {
	Reason string
	Detail string
}

func (e *Error) Error() string { return "log: " + e.Reason + ": " + e.Detail }

func fault(reason, format string, args ...any) error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
