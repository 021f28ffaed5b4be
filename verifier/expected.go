//go:build !plant_absent_receipt

package verifier

import "github.com/writ-trust/writ/spec"

// Promise: what is absent turns no answer into a better one (invariant 10).

// expected: the receipt is what its documents say, signed by the ledger, and its outcome (or the decision's result) is the one
// that the reader asked for.
func (c *checking) expected() error {
	want := c.options.Expect
	if want == c.out.Result {
		return nil
	}
	if c.receipt.IsZero() {
		return spec.Refuse("expect-other", "/receipt", "%s is expected, the decision is %s and there is no receipt", want, c.out.Result)
	}
	if c.out.Outcome != want {
		return spec.Refuse("expect-other", "/receipt/credentialSubject/receipt/outcome", "%s is expected, the outcome is %s", want, c.out.Outcome)
	}
	return nil
}
