//go:build !plant_erased_kept

package journal

// Promise: nothing of an erased document stays but what folding needs (spec/protocol.md 7.12).

// replace puts what is kept in the place of a document.
func (d doomed) replace(refers string) []statement {
	return []statement{{`UPDATE document SET digest = ?, urn = '', content = '', refers = ?, body = ? WHERE org = ? AND digest = ?`,
		[]any{d.name, refers, d.kept, d.org, d.digest}}}
}
