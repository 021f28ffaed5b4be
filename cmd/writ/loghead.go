package main

import (
	"fmt"
	"os"
	"time"

	"github.com/writ-trust/writ/verifier"
)

// logHeadCmd is writ log head.
type logHeadCmd struct {
	ID       string        `arg:"" help:"Id of the chain, or mnd_…, urn or content digest of what has it; or a file with a head proof, with --trust."`
	Trust    string        `required:"" placeholder:"FILE" help:"Your trust file."`
	Replayed time.Duration `placeholder:"TIME" help:"Under a checkpoint that the quorum of the server's mirrors has replayed; wait for it so long, such as 30s."`
	Out      string        `short:"o" placeholder:"FILE" help:"Keep the head proof in this file."`
	JSON     bool          `name:"json" help:"Print JSON."`
	remote
}

// Help is the long text of writ log head --help.
func (logHeadCmd) Help() string {
	return `Shows the newest entry of a chain as of the log's newest heads entry, or that the chain has none: that nothing of it up to there
is held back. What is shown is verified with your trust file. It is asserted by the log alone until the mirrors that the trust file
names have replayed the entries; then it says replayed. The state behind the entry is shown for chains of your own organisation.

    writ log head mnd_… --trust trust.json -o head.json
    writ log head head.json --trust trust.json

Two head proofs of one chain that no single history has are evidence: see writ audit --contradiction. ` + remoteHelp
}

func (c logHeadCmd) Run(sys *system) error {
	trust, err := verifyCmd{Trust: c.Trust}.readTrust(sys)
	if err != nil {
		return &exit{exitTrust, err}
	}
	data, err := c.read(sys)
	if err != nil {
		return err
	}
	a, err := verifier.CheckHead(data, trust)
	if err != nil {
		return &exit{exitFails, err}
	}
	if c.Out != "" {
		if err := os.WriteFile(c.Out, data, 0o644); err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(sys.out, a)
	}
	table(sys.out, headRows(a))
	return nil
}

// read takes the proof from the file of that name, where there is one, or asks the server.
func (c logHeadCmd) read(sys *system) ([]byte, error) {
	if _, err := os.Stat(c.ID); err == nil || c.ID == "-" {
		return readInput(sys, c.ID, maxBundle)
	}
	from, err := c.connect(sys)
	if err != nil {
		return nil, err
	}
	if c.Replayed > 0 {
		return from.ReplayedLogHead(from.ctx, c.ID, c.Replayed)
	}
	return from.LogHead(from.ctx, c.ID)
}

func headRows(a verifier.HeadAnswer) [][]string {
	rows := [][]string{{"chain", a.Chain}, {"log", a.Origin}, {"as of", fmt.Sprintf("entry %d", a.Entry), a.Relied}}
	if a.Seq == 0 {
		return append(rows, []string{"newest", "none: the chain has no entry"})
	}
	rows = append(rows, []string{"newest", fmt.Sprintf("number %d", a.Seq), fmt.Sprintf("at index %d", a.Index)})
	if s := a.State; s != nil {
		rows = append(rows, []string{"status", string(s.Status), "since the entry of " + s.At.String()})
	}
	return rows
}

// contradiction verifies evidence against a log: writ audit --contradiction.
func (c auditCmd) contradiction(sys *system) error {
	trust, err := verifyCmd{Trust: c.Trust}.readTrust(sys)
	if err != nil {
		return &exit{exitTrust, err}
	}
	data, err := readInput(sys, c.Contradiction, maxBundle)
	if err != nil {
		return &exit{exitUnchecked, err}
	}
	how, err := verifier.CheckContradiction(data, trust)
	if err != nil {
		return &exit{exitFails, err}
	}
	if c.JSON {
		return printLine(sys.out, map[string]string{"file": c.Contradiction, "contradiction": how, "trust": trust.Fingerprint()})
	}
	table(sys.out, [][]string{{"contradiction", "holds", how}, {"trust file", "", trust.Fingerprint()}})
	return nil
}

// contradictCmd is writ log contradict.
type contradictCmd struct {
	First  string `arg:"" help:"A file with a head proof."`
	Second string `arg:"" help:"Another of the same chain."`
	Trust  string `required:"" placeholder:"FILE" help:"Your trust file."`
}

// Help is the long text of writ log contradict --help.
func (contradictCmd) Help() string {
	return `Puts two head proofs of one chain that contradict each other into one file, and refuses two that do not. Whoever has a trust file
with the log's key can check it: writ audit --contradiction FILE. Exit code 5: both can be true.`
}

func (c contradictCmd) Run(sys *system) error {
	trust, err := verifyCmd{Trust: c.Trust}.readTrust(sys)
	if err != nil {
		return &exit{exitTrust, err}
	}
	var proofs [2][]byte
	for i, path := range []string{c.First, c.Second} {
		if proofs[i], err = readInput(sys, path, maxBundle); err != nil {
			return &exit{exitUnchecked, err}
		}
	}
	data, err := verifier.NewContradiction(proofs[0], proofs[1])
	if err != nil {
		return &exit{exitRefused, err}
	}
	if _, err := verifier.CheckContradiction(data, trust); err != nil {
		return &exit{exitRefused, err}
	}
	_, err = fmt.Fprintf(sys.out, "%s\n", data)
	return err
}
