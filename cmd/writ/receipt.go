package main

import (
	"os"
	"time"

	"github.com/writ-trust/writ/spec"
)

// receiptCmd is writ receipt.
type receiptCmd struct {
	Show   receiptShowCmd   `cmd:"" help:"Show the receipt of an action."`
	Export receiptExportCmd `cmd:"" help:"Write a bundle that anyone can verify offline."`
}

type receiptShowCmd struct {
	ID   string `arg:"" help:"rcp_…, dec_… or digest of the decision."`
	JSON bool   `name:"json" help:"Print the API's object."`
	VC   bool   `name:"vc" help:"Print the credential alone, with a second proof for generic libraries."`
	remote
}

// Help is the long text of writ receipt show --help.
func (receiptShowCmd) Help() string {
	return "A receipt says who claims what: the ledger signed the decision, the executor signed what it executed.\n\n" + vcHelp + remoteHelp
}

func (c receiptShowCmd) Run(sys *system) error {
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	if c.VC {
		credential, err := from.ExportReceipt(from.ctx, c.ID)
		if err != nil {
			return err
		}
		return printJSON(sys.out, credential)
	}
	r, err := from.Receipt(from.ctx, c.ID)
	if err != nil {
		return err
	}
	doc, err := spec.FromValue(r.Receipt)
	if err != nil {
		return err
	}
	body, ok := doc.Body.(*spec.Receipt)
	if !ok {
		return spec.Refuse("type-unknown", "/type", "a receipt is wanted")
	}
	return from.print(sys, c.JSON, func() {
		t, amount := body.Terms(), "-"
		if t.Amount != nil {
			amount = t.Amount.Value() + " " + t.Amount.Currency
		}
		table(sys.out, [][]string{{"receipt", r.ID}, {"outcome", t.Outcome}, {"amount", amount}, {"executed by", t.ExecutedBy + " " + t.Executor},
			{"grantor", t.Grantor}, {"at", t.At.String()}, {"decision", t.Decision}})
	})
}

type receiptExportCmd struct {
	ID        string        `arg:"" help:"rcp_…, dec_… or digest of the decision."`
	Witnessed time.Duration `placeholder:"TIME" help:"Under a checkpoint that the quorum of witnesses cosigned; wait for it so long, such as 10s. For readers whose trust file names witnesses."`
	Replayed  time.Duration `placeholder:"TIME" help:"Under a checkpoint that the quorum of mirrors has replayed; wait for it so long, such as 30s. For readers whose trust file names mirrors."`
	Out       string        `short:"o" placeholder:"FILE" help:"File to write; standard output if not given."`
	remote
}

// Help is the long text of writ receipt export --help.
func (receiptExportCmd) Help() string {
	return `The bundle has the receipt and everything that it rests on, down to the log's proofs: hand it to whoever wants to check, and they
run writ verify with a trust file of their own.

    writ receipt export dec_… -o bundle.json

` + remoteHelp
}

func (c receiptExportCmd) Run(sys *system) error {
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	data, err := c.bundle(from)
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err = sys.out.Write(data)
		return err
	}
	return os.WriteFile(c.Out, data, 0o644)
}

func (c receiptExportCmd) bundle(from *connection) ([]byte, error) {
	if c.Replayed > 0 {
		return from.ReplayedBundle(from.ctx, c.ID, c.Replayed)
	}
	if c.Witnessed > 0 {
		return from.WitnessedBundle(from.ctx, c.ID, c.Witnessed)
	}
	return from.Bundle(from.ctx, c.ID)
}
