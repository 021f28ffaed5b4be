package main

import (
	"errors"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/vc/rdfc"
)

type mandatePresentCmd struct {
	ID        string `arg:"" help:"mnd_…, urn:uuid:… or content digest."`
	Key       string `required:"" placeholder:"FILE" help:"Key file of the agent, the mandate's subject."`
	Domain    string `required:"" placeholder:"NAME" help:"Whom it is for, as they call themselves."`
	Challenge string `placeholder:"TEXT" help:"What they asked to have signed."`
	remote
}

// Help is the long text of writ mandate present --help.
func (mandatePresentCmd) Help() string {
	return `Prints a W3C verifiable presentation of the mandate, signed by the agent for one minute, every proof twice as with writ mandate show
--vc. It shows that the agent holds the mandate and asks for nothing: no ledger takes it for a request, which names an action.

    writ mandate present mnd_… --key agent.key --domain https://shop.example --challenge 8f14e45f

` + remoteHelp
}

func (c mandatePresentCmd) Run(sys *system) error {
	_, key, err := readKey(sys, c.Key)
	if err != nil {
		return err
	}
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	credential, err := from.ExportMandate(from.ctx, c.ID)
	if err != nil {
		return err
	}
	if subject, _ := credential.Lookup("/credentialSubject/id"); !isText(subject, key.Public().DID()) {
		return usage(errors.New("the key is not that of the mandate's subject"))
	}
	presentation, err := presentVC(credential, key, c.Domain, c.Challenge, sys.now())
	if err != nil {
		return err
	}
	return printJSON(sys.out, presentation)
}

func isText(v jcs.Value, want string) bool {
	text, ok := v.Text()
	return ok && text == want
}

// plainPresentation is a presentation as VCDM 2.0 has it, without an action.
type plainPresentation struct {
	Context    []string   `json:"@context"`
	Type       []string   `json:"type"`
	Holder     string     `json:"holder"`
	Credential []vc.Value `json:"verifiableCredential"`
}

// presentVC presents a credential with both proofs, for a minute.
func presentVC(credential vc.Value, key vc.Signer, domain, challenge string, now time.Time) (vc.Value, error) {
	holder := key.Public().DID()
	v, err := jcs.ValueOf(plainPresentation{Context: spec.Contexts(), Type: []string{vc.TypePresentation}, Holder: holder,
		Credential: []vc.Value{credential}})
	if err != nil {
		return v, err
	}
	now = now.Truncate(time.Second)
	v, err = vc.Sign(v, vc.ProofOptions{VerificationMethod: did.MethodID(holder), Purpose: did.Authentication, Created: now,
		Expires: now.Add(time.Minute), Domain: domain, Challenge: challenge}, key)
	if err != nil {
		return v, err
	}
	return rdfc.Add(v, key)
}
