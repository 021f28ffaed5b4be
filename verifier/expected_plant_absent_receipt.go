//go:build plant_absent_receipt

package verifier

import "github.com/writ-trust/writ/spec"

// Planted: where there is no receipt, whatever the reader expects is so.

func (c *checking) expected() error {
	want := c.options.Expect
	if want == c.out.Result {
		return nil
	}
	if c.receipt.IsZero() {
		return nil
	}
	if c.out.Outcome != want {
		return spec.Refuse("expect-other", "/receipt/credentialSubject/receipt/outcome", "%s is expected, the outcome is %s", want, c.out.Outcome)
	}
	return nil
}
