//go:build plant_foreign_visible

package journal

// Planted: everybody sees everything.

func visible(string, string) bool { return true }
