package main

import (
	"fmt"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// noticeCmd is writ notice.
type noticeCmd struct {
	Suspend noticeSuspendCmd `cmd:"" help:"Stop a mandate until its approvers resume it."`
	Revoke  noticeRevokeCmd  `cmd:"" help:"Take a mandate away for good."`
	Veto    noticeVetoCmd    `cmd:"" help:"Take a roster version back while it waits."`
}

const noticeHelp = `The notice is signed here and counts from its log entry: no AUTHORIZED follows it. What was entered before may still be reported. The key
is a revoker's of the roster in force; of a delegated mandate also its issuer's, the agent above it.

`

const acknowledgedHelp = `Prints the entry of the notice with its proof: the acknowledgement, to keep.

`

// notice takes authority away.
type notice struct {
	ID   string `arg:"" help:"mnd_…, urn:uuid:… or content digest."`
	Key  string `required:"" placeholder:"FILE" help:"Key file of a revoker of the roster, or of a delegated mandate's issuer."`
	JSON bool   `name:"json" help:"Print the API's object."`
	remote
}

// send signs a notice on a mandate and hands it over; proof says whether the proof of its entry is shown.
func (c notice) send(sys *system, act string, proof bool) error {
	_, key, err := readKey(sys, c.Key)
	if err != nil {
		return err
	}
	to, err := c.connect(sys)
	if err != nil {
		return err
	}
	m, err := to.Mandate(to.ctx, c.ID)
	if err != nil {
		return err
	}
	root, err := to.rootOf(m)
	if err != nil {
		return err
	}
	id, err := to.revokerID(m, root, key)
	if err != nil {
		return err
	}
	return c.hand(sys, to, writ.Approver{KeyID: id, Key: key}, act, m.Content, root.Subject.Mode, proof)
}

// hand signs the notice, sends it, and prints what came back.
func (c notice) hand(sys *system, to *connection, by writ.Approver, act, content, mode string, proof bool) error {
	ack, err := to.Notice(to.ctx, by, act, content, mode)
	if err != nil {
		return err
	}
	return to.print(sys, c.JSON, func() {
		printLogged(sys, act, ack)
		if proof {
			fmt.Fprint(sys.out, ack.Proof)
		}
	})
}

// revokerID is the method that a notice on a mandate names: that of the issuer of a delegated one, or what the roster calls a key.
func (c *connection) revokerID(m writ.Mandate, root *spec.Mandate, key vc.Signer) (string, error) {
	doc, err := spec.FromValue(m.Credential)
	if err != nil {
		return "", err
	}
	if own, ok := doc.Body.(*spec.Mandate); ok && !own.IsRoot() && did.MethodID(own.Issuer) == did.MethodID(key.Public().DID()) {
		return did.MethodID(own.Issuer), nil
	}
	return c.keyID(root.Terms().Grantor.ID, key)
}

type noticeSuspendCmd struct {
	notice `embed:""`
}

// Help is the long text of writ notice suspend --help.
func (noticeSuspendCmd) Help() string { return noticeHelp + acknowledgedHelp + remoteHelp }

func (c noticeSuspendCmd) Run(sys *system) error { return c.send(sys, spec.ActSuspend, true) }

type noticeRevokeCmd struct {
	notice `embed:""`
}

// Help is the long text of writ notice revoke --help.
func (noticeRevokeCmd) Help() string { return noticeHelp + acknowledgedHelp + remoteHelp }

func (c noticeRevokeCmd) Run(sys *system) error { return c.send(sys, spec.ActRevoke, true) }

type noticeVetoCmd struct {
	notice `embed:""`
}

// Help is the long text of writ notice veto --help.
func (noticeVetoCmd) Help() string {
	return `Takes back a roster version, by its content digest, and every version built on it, as long as it waits. The key is a revoker's of the
rosters in force.

` + acknowledgedHelp + remoteHelp
}

func (c noticeVetoCmd) Run(sys *system) error {
	_, key, err := readKey(sys, c.Key)
	if err != nil {
		return err
	}
	to, err := c.connect(sys)
	if err != nil {
		return err
	}
	r, err := to.Roster(to.ctx, c.ID)
	if err != nil {
		return err
	}
	body, err := rosterIn(r.Versions[0].Credential)
	if err != nil {
		return err
	}
	id, err := to.keyID(r.Grantor, key)
	if err != nil {
		return err
	}
	return c.hand(sys, to, writ.Approver{KeyID: id, Key: key}, spec.ActVeto, c.ID, body.Subject.Mode, true)
}
