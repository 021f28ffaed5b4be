//go:build !plant_salts_reused

package spec

import (
	"crypto/hmac"
	"crypto/sha256"
)

// Promise: what one opening shows determines nothing else that the entry commits to (invariant 12).

// derive makes the salt of one purpose out of the seed.
func (s Seed) derive(label string) [32]byte {
	mac := hmac.New(sha256.New, s[:])
	mac.Write([]byte("writ/seed/v1\n" + label))
	return [32]byte(mac.Sum(nil))
}
