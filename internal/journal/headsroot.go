//go:build !plant_heads_stale

package journal

import "github.com/writ-trust/writ/log"

// Promise: a heads entry has the newest entry of each chain before it (invariant 8).

// root brings the tree up to all entries. Until an entry says so its root is nobody's.
func (k *headsKeeper) root() log.Hash {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = false
	return k.tree.Root()
}
