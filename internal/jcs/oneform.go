//go:build !plant_base64_tail

package jcs

// Promise: an encoding has one form (invariant 2).

// isForm says whether s is how b is written.
func isForm(s string, b []byte) bool {
	var room [64]byte
	return string(appendBase64(room[:0], b)) == s
}
