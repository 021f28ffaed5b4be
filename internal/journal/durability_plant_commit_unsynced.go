//go:build plant_commit_unsynced

package journal

// Planted: a COMMIT returns when the operating system has it.

const durability = "NORMAL"
