//go:build plant_erased_kept

package journal

// Planted: the body moves to another column.

func (d doomed) replace(refers string) []statement {
	return []statement{{`UPDATE document SET digest = ?, urn = '', content = body, refers = ?, body = ? WHERE org = ? AND digest = ?`,
		[]any{d.name, refers, d.kept, d.org, d.digest}}}
}
