//go:build plant_base64_tail

package jcs

// Planted: line ends, and several last characters for one byte, are taken.

func isForm(string, []byte) bool { return true }
