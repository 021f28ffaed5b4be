//go:build !plant_utf8_order

package jcs

// Promise: names are in the order of their UTF-16 code units, in every implementation (invariant 2).

// utf16Rank orders the bytes of UTF-8 as the code units of UTF-16 are: those of U+E000 to U+FFFF behind the surrogates.
func utf16Rank(c byte) byte {
	if c == 0xEE || c == 0xEF {
		return c + 0x10
	}
	return c
}
