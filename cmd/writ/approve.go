package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
)

// approveCmd is writ approve.
type approveCmd struct {
	File     string `arg:"" optional:"" help:"Content to sign, as writ mandate propose --json or writ roster propose --json printed it."`
	Key      string `required:"" placeholder:"FILE" help:"Your key file."`
	Draft    string `placeholder:"ID" help:"Draft that waits on the server."`
	Recovery string `placeholder:"ID" help:"Recovery (rcv_…) that waits on the server."`
	Resume   string `placeholder:"ID" help:"Suspended mandate that may act again."`
	Charge   string `name:"reconcile" placeholder:"ID" help:"Decision (dec_…) whose charge was not executed."`
	Decline  bool   `xor:"word" help:"Decline: this ends the draft or the recovery."`
	Withdraw bool   `xor:"word" help:"Take your approval back, while others are missing."`
	Locale   string `default:"en" enum:"en,pt" help:"Language of the sentences: en or pt."`
	Yes      bool   `help:"Do not ask."`
	JSON     bool   `name:"json" help:"Print the API's object."`
	remote
}

// Help is the long text of writ approve --help.
func (approveCmd) Help() string {
	return `Shows what you are about to sign, in sentences made here from the content itself, asks, signs with your key, and hands the signature
over. The server never sees the key, and what it calls the content does not matter: the sentences are made here and their digest is
part of what you sign. On a script's standard input nobody is asked: --yes says that you know the content.

    writ approve --key treasurer.key --draft urn:uuid:…
    writ approve --key cfo.key --recovery rcv_… --decline
    writ approve --key cfo.key --reconcile dec_…

` + remoteHelp
}

// matter is what a person is asked about, and as whom.
type matter struct {
	writ.Content
	say   []string // what is shown
	keyID string
}

func (c approveCmd) Run(sys *system) error {
	given := 0
	for _, s := range []string{c.File, c.Draft, c.Recovery, c.Resume, c.Charge} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return usage(errors.New("name one thing to sign: FILE, --draft, --recovery, --resume or --reconcile"))
	}
	var d writ.Draft
	var err error
	if c.File != "" { // before anybody types a passphrase
		if d, err = c.readDraft(sys); err != nil {
			return err
		}
	}
	_, key, err := readKey(sys, c.Key)
	if err != nil {
		return err
	}
	to, err := c.connect(sys)
	if err != nil {
		return err
	}
	matters, err := c.matters(to, key, d)
	if err != nil {
		return err
	}
	for _, m := range matters {
		if err := c.sign(sys, to, key, m); err != nil {
			return err
		}
	}
	return nil
}

func (c approveCmd) word() string {
	switch {
	case c.Decline:
		return spec.Decline
	case c.Withdraw:
		return spec.Withdraw
	}
	return spec.Approve
}

// matters are what there is to sign; d is the draft of a file.
func (c approveCmd) matters(to *connection, key vc.Signer, d writ.Draft) (all []matter, err error) {
	switch {
	case c.Recovery != "":
		return c.recoveries(to, key)
	case c.Resume != "":
		return c.resumption(to, key)
	case c.Charge != "":
		return c.reconciliation(to, key)
	case c.Draft != "":
		if d, err = to.GetDraft(to.ctx, c.Draft); err != nil {
			return nil, err
		}
	}
	content, err := writ.ContentOf(d)
	if err != nil {
		return nil, err
	}
	if content.Kind == spec.KindPolicy {
		m, err := c.policyMatter(to, content, key)
		return []matter{m}, err
	}
	m := c.matter(content)
	if content.Kind == spec.KindMandate {
		grantor, _ := content.Body.Lookup("/credentialSubject/mandate/grantor/id")
		name, _ := grantor.Text()
		m.keyID, err = to.keyID(name, key)
		return []matter{m}, err
	}
	r, err := rosterIn(content.Body)
	if err != nil {
		return nil, err
	}
	if r.Terms().Version == 1 { // a first version judges itself
		m.keyID, err = keyIDIn(r, key)
	} else {
		m.keyID, err = to.keyID(r.Terms().Grantor, key)
	}
	return []matter{m}, err
}

func (c approveCmd) matter(content writ.Content) matter {
	return matter{Content: content, say: content.Lines(rule.Locale(c.Locale))}
}

// readDraft reads a file: a draft as it was printed, or the content alone. A content that no server has completed cannot be signed.
func (c approveCmd) readDraft(sys *system) (writ.Draft, error) {
	data, err := readInput(sys, c.File, maxTrustBytes)
	if err != nil {
		return writ.Draft{}, &exit{exitUnchecked, err}
	}
	v, err := jcs.Parse(data)
	if err != nil {
		return writ.Draft{}, foreign(c.File, "a draft", data, err)
	}
	if body, ok := v.Member("body"); ok {
		v = body
	}
	kind := contentKind(v)
	if kind != "" && !has(v, "/id") {
		return writ.Draft{}, usage(fmt.Errorf("%s has not been proposed: writ %s propose %s --json > draft.json hands it to the server, and draft.json can be signed",
			c.File, kind, c.File))
	}
	d := writ.Draft{Body: v}
	if _, err := writ.ContentOf(d); err != nil {
		return d, foreign(c.File, "a draft", data, err)
	}
	return d, nil
}

// recoveries are the supplements that an interim decision proposes and that are still open.
func (c approveCmd) recoveries(to *connection, key vc.Signer) ([]matter, error) {
	r, err := to.Recovery(to.ctx, c.Recovery, 0)
	if err != nil {
		return nil, err
	}
	var all []matter
	for _, p := range r.Proposals {
		if p.Status != spec.ProposalOpen {
			continue
		}
		content, err := to.ContentOfProposal(to.ctx, r, p)
		if err != nil {
			return nil, err
		}
		owner, err := to.Mandate(to.ctx, p.Mandate)
		if err != nil {
			return nil, err
		}
		m, err := c.under(to, owner, content, key)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, spec.Refuse("proposal-closed", "", "nothing that this request proposes is open any more")
	}
	return all, nil
}

func (c approveCmd) resumption(to *connection, key vc.Signer) ([]matter, error) {
	mandate, err := to.Mandate(to.ctx, c.Resume)
	if err != nil {
		return nil, err
	}
	content, err := to.ContentOfResume(to.ctx, mandate.Content)
	if err != nil {
		return nil, err
	}
	m, err := c.under(to, mandate, content, key)
	return []matter{m}, err
}

// under is a matter of a mandate that exists: its approvers stand in the roster of the grantor above it.
func (c approveCmd) under(to *connection, mandate writ.Mandate, content writ.Content, key vc.Signer) (m matter, err error) {
	root, err := to.rootOf(mandate)
	if err != nil {
		return m, err
	}
	m = c.matter(content)
	m.keyID, err = to.keyID(root.Terms().Grantor.ID, key)
	return m, err
}

// sign shows the matter, asks, signs and hands the signature over.
func (c approveCmd) sign(sys *system, to *connection, key vc.Signer, m matter) error {
	fmt.Fprintf(sys.err, "%s as %s:\n", c.word(), m.keyID)
	for _, line := range m.say {
		fmt.Fprintln(sys.err, "  "+line)
	}
	fmt.Fprintf(sys.err, "  content %s\n", m.Digest)
	if err := c.ask(sys); err != nil {
		return err
	}
	ack, err := to.Approve(to.ctx, writ.Approver{KeyID: m.keyID, Key: key, Locale: rule.Locale(c.Locale)}, c.word(), m.Content)
	if err != nil {
		return err
	}
	return to.print(sys, c.JSON, func() {
		printLogged(sys, c.word(), ack)
		switch m.Kind {
		case spec.KindRoster:
			if ack.Content != "" {
				to.printWaiting(sys, ack.Content)
			}
		case spec.KindResume:
			to.printStatus(sys, m.Digest)
		case spec.KindReconciliation:
			c.printOutcome(sys, to)
		}
	})
}

// printStatus says where a mandate stands now. What was logged stays logged where that cannot be found out.
func (c *connection) printStatus(sys *system, content string) {
	m, err := c.Mandate(c.ctx, content)
	if err != nil {
		fmt.Fprintf(sys.err, "where the mandate stands now could not be read: %v\n", err)
		return
	}
	again := map[string]string{string(spec.StatusActive): "active again", string(spec.StatusSuspended): "still suspended: others must resume it, too"}
	if said, ok := again[m.Status]; ok {
		m.Status = said
	}
	fmt.Fprintf(sys.out, "the mandate is %s\n", m.Status)
}

func (c approveCmd) ask(sys *system) error {
	if c.Yes {
		return nil
	}
	if !isTerminal(sys.in) {
		return usage(errors.New("nobody to ask: run on a terminal, or say --yes"))
	}
	fmt.Fprint(sys.err, "Sign this? [y/N] ")
	line, _ := bufio.NewReader(sys.in).ReadString('\n')
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		return &exit{exitRefused, errors.New("not signed")}
	}
	return nil
}
