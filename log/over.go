//go:build !plant_stale_checkpoint

package log

// Promise: a checkpoint is of the tree that it is staged for (invariant 8).

// checkpointOver is the checkpoint of a tree of this log.
func (l *Log) checkpointOver(tree edge) Checkpoint {
	return Checkpoint{l.signer.name, tree.size(), tree.root()}
}
