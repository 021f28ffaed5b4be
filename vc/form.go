//go:build !plant_high_s

package vc

// Promise: a signature has one form: of s and n − s the lower one counts (invariant 2).

// hasOtherForm says that the signature is the other one of the two that an ECDSA key verifies.
func hasOtherForm(suite string, signature []byte) bool {
	return suite == suiteP256 && !isLowS(signature)
}
