package main

import (
	"fmt"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// reconciliation is the charge of a decision that people take for not executed.
func (c approveCmd) reconciliation(to *connection, key vc.Signer) ([]matter, error) {
	content, err := to.ContentOfReconciliation(to.ctx, c.Charge)
	if err != nil {
		return nil, err
	}
	answer, err := to.Decision(to.ctx, c.Charge)
	if err != nil {
		return nil, err
	}
	doc, err := answer.Document()
	if err != nil {
		return nil, err
	}
	m := c.matter(content)
	m.keyID, err = to.keyID(doc.Body.(*spec.Decision).Grantor, key)
	return []matter{m}, err
}

// printOutcome says what the receipt says now. What was logged stays logged where that cannot be found out.
func (c approveCmd) printOutcome(sys *system, to *connection) {
	r, err := to.Receipt(to.ctx, c.Charge)
	if err != nil {
		fmt.Fprintf(sys.err, "what the receipt says now could not be read: %v\n", err)
		return
	}
	if r.Outcome != spec.OutcomeNotEntered {
		r.Outcome += ": others must sign, too"
	}
	fmt.Fprintf(sys.out, "the receipt says %s\n", r.Outcome)
}
