//go:build !plant_commit_unsynced

package journal

// Promise: a COMMIT returns when the disk has it (invariant 8).

// durability is SQLite's setting synchronous: FULL syncs the write-ahead log at each commit.
const durability = "FULL"
