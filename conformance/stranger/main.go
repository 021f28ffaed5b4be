// Command stranger is what somebody outside of Writ needs to verify a bundle: two packages, no network, no database.
package main

import (
	"fmt"
	"os"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: stranger BUNDLE TRUST")
		os.Exit(2)
	}
	bundle, _ := os.ReadFile(os.Args[1]) // what cannot be read does not hold
	text, _ := os.ReadFile(os.Args[2])
	trust, err := verifier.ParseTrust(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	checked := verifier.CheckBundle(bundle, trust, verifier.CheckOptions{Expect: spec.OutcomeExecuted})
	for _, v := range checked.Verdicts {
		fmt.Println(v.Name, v.Outcome, v.Reason)
	}
	if !checked.Holds {
		os.Exit(1)
	}
}
