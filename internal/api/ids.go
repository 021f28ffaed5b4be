package api

import (
	"encoding/hex"
	"strings"

	"github.com/writ-trust/writ/spec"
)

// Short ids, by what they name. A recovery has the UUID of its interim decision, a receipt that of its decision.
const (
	prefixMandate  = "mnd"
	prefixDecision = "dec"
	prefixRecovery = "rcv"
	prefixReceipt  = "rcp"
	prefixKey      = "key"
	prefixOrg      = "org"
)

const urnPrefix = "urn:uuid:"

// urnOf reads an id as people write it: urn:uuid:…, or one of the prefixes with Crockford base32. What it reads it would write
// the same; anything else is "".
func urnOf(id string, prefixes ...string) string {
	if strings.HasPrefix(id, urnPrefix) {
		return id
	}
	for _, prefix := range prefixes {
		if digits, ok := strings.CutPrefix(id, prefix+"_"); ok && len(digits) == 26 {
			if urn := decodeCrockford(digits); spec.ShortID(prefix, urn) == id {
				return urn
			}
		}
	}
	return ""
}

// DecisionURN reads the id of a decision, or of its receipt, as people write it; "" for what is none.
func DecisionURN(id string) string { return urnOf(id, prefixDecision, prefixReceipt) }

func decodeCrockford(digits string) string {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	var out []byte
	var acc, bits uint
	for _, c := range []byte(digits) {
		n := strings.IndexByte(alphabet, c)
		if n < 0 {
			return ""
		}
		if acc, bits = acc<<5|uint(n), bits+5; bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
		}
	}
	h := hex.EncodeToString(out)
	return urnPrefix + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// isDigest tells digests from ids.
func isDigest(id string) bool { return strings.HasPrefix(id, "uEi") }
