//go:build plant_utf8_order

package jcs

// Planted: names are in the order of their bytes.

func utf16Rank(c byte) byte { return c }
