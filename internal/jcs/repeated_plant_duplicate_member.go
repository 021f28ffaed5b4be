//go:build plant_duplicate_member

package jcs

// Planted: a name occurs as often as it likes.

func repeated(Member, Member) bool { return false }
