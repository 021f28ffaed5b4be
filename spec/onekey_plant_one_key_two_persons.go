//go:build plant_one_key_two_persons

package spec

import "github.com/writ-trust/writ/did"

// Planted: a key counts for each name that it is listed under.

func heldByAnother(map[did.PublicKey]string, did.PublicKey, string) bool { return false }
