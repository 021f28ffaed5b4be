//go:build !plant_base64_tail

package jcs

// Promise: an encoding has one form (invariant 2).

// isForm says whether s is how b is written.
func isForm(s string, b []byte) bool { return EncodeBase64(b) == s }
