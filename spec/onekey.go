//go:build !plant_one_key_two_persons

package spec

import "github.com/writ-trust/writ/did"

// Promise: equal keys are one person (invariant 1).

// heldByAnother says that the key has counted for another person.
func heldByAnother(keys map[did.PublicKey]string, key did.PublicKey, person string) bool {
	holder, used := keys[key]
	return used && holder != person
}
