//go:build plant_heads_stale

package journal

import "github.com/writ-trust/writ/log"

// Planted: the root is that of before the last batch.

func (k *headsKeeper) root() log.Hash {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = false
	before := k.tree.Show(k.last, nil).Root
	k.tree.Root()
	return before
}
