// Package history checks recorded histories of a ledger: what many clients asked at once, when, and what they were answered. It is for
// tests, and imports nothing of Writ: what a budget is, it says once more, on its own.
//
// Check is one pass over each chain in the order of seq: places without gap, an order that no client saw otherwise, one first answer
// for each request, and accounts that add up from entry to entry. What it cannot know is a failure. CheckWindows gives short windows
// of the same history to porcupine, which looks for any order that explains them.
package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// Line is one line of a history file: exactly one of its members is there.
type Line struct {
	Start    *Start    `json:"start,omitempty"`
	Call     *Call     `json:"call,omitempty"`
	Document *Document `json:"document,omitempty"`
	End      *End      `json:"end,omitempty"`
}

// Start is a chain before the calls. Its accounts are empty.
type Start struct {
	Mandate string `json:"mandate"` // content digest
	Chain   string `json:"chain"`
	Seq     int64  `json:"seq"`
}

// Call is one answered request. Times are microseconds since the recording began.
type Call struct {
	Op      string `json:"op"`      // verify, begin, report, or read: of a document that no client was answered
	Request string `json:"request"` // what stays the same when it is asked again: idempotency key, or digest of the document
	Invoke  int64  `json:"invoke"`
	Return  int64  `json:"return"` // 0 where nobody was there to hear the answer
	Answer  string `json:"answer,omitempty"`
	Index   int64  `json:"index"`
	Interim bool   `json:"interim,omitempty"` // another answer may follow
	Refused string `json:"refused,omitempty"` // reason code, where it was refused for good instead of answered
}

// Kinds of document.
const (
	Decision = "decision"
	Begin    = "begin"
	Report   = "report"
)

// Document is what one entry of the log stands for. Amounts are in minor units, times Unix milliseconds of the ledger's clock.
type Document struct {
	Digest        string  `json:"digest"`
	Kind          string  `json:"kind"`
	Request       string  `json:"request"` // as in Call
	Index         int64   `json:"index"`
	Links         []Link  `json:"links"`
	At            int64   `json:"at"`
	Authorized    bool    `json:"authorized,omitempty"`
	Resumes       string  `json:"resumes,omitempty"`
	Decision      string  `json:"decision,omitempty"` // of a begin or report
	Executed      bool    `json:"executed,omitempty"` // report: executed, finally; otherwise not entered, finally
	Amount        int64   `json:"amount,omitempty"`   // of what was executed; 0 where that is all
	ExecuteBefore int64   `json:"executeBefore,omitempty"`
	Usage         []Usage `json:"usage,omitempty"`
}

// Link is the entry's place on a chain.
type Link struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
}

// Usage is what a decision found in one window of one limit, and what it took where it is AUTHORIZED.
type Usage struct {
	Mandate    string `json:"mandate"`
	Constraint string `json:"constraint"`
	Unit       string `json:"unit"`
	From       string `json:"from"`
	Max        int64  `json:"max"`
	Held       int64  `json:"held"`      // before
	Committed  int64  `json:"committed"` // before
	Amount     int64  `json:"amount"`
	Foreign    string `json:"foreign,omitempty"` // what this package does not know how to add up: lifts, excess, rolling windows
}

// End is where a chain is after the calls.
type End struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
}

// History is a whole recording.
type History struct {
	Starts    []Start
	Calls     []Call
	Documents []Document
	Ends      []End
}

func (h *History) add(l Line) error {
	switch {
	case l.Start != nil:
		h.Starts = append(h.Starts, *l.Start)
	case l.Call != nil:
		h.Calls = append(h.Calls, *l.Call)
	case l.Document != nil:
		h.Documents = append(h.Documents, *l.Document)
	case l.End != nil:
		h.Ends = append(h.Ends, *l.End)
	default:
		return fmt.Errorf("a line without start, call, document or end")
	}
	return nil
}

// Writer writes a history file, JSON lines. It is safe for concurrent use.
type Writer struct {
	mu      sync.Mutex
	encoder *json.Encoder
	err     error
	known   map[string]bool // documents
}

// NewWriter writes to w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{encoder: json.NewEncoder(w), known: map[string]bool{}}
}

// Write adds a line, a document only once for each place in the log that it was shown at.
func (w *Writer) Write(l Line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d := l.Document; d != nil {
		place := fmt.Sprint(d.Digest, d.Index, d.Links)
		if w.known[place] {
			return
		}
		w.known[place] = true
	}
	if w.err == nil {
		w.err = w.encoder.Encode(l)
	}
}

// Err is the first error of writing.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Read reads a history file strictly.
func Read(r io.Reader) (*History, error) {
	var h History
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var l Line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("history: line %d: %w", n, err)
		}
		if err := h.add(l); err != nil {
			return nil, fmt.Errorf("history: line %d: %w", n, err)
		}
	}
	return &h, lines.Err()
}
