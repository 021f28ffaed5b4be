//go:build !plant_duplicate_member

package jcs

// Promise: a name occurs once in an object (invariant 2).

// repeated says that two members have one name.
func repeated(a, b Member) bool { return a.Name == b.Name }
