package main

import (
	"errors"
	"slices"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// rosterRecoveryFlags are the recovery keys of a new roster (protocol.md 6.8).
type rosterRecoveryFlags struct {
	RecoveryKey       []string `sep:"none" placeholder:"NAME,KEY" help:"A recovery key by a name of its own, with its public key (z…); repeat it."`
	RecoveryThreshold int64    `placeholder:"N" help:"How many of the recovery keys must sign; all if not given."`
	RecoveryDelay     string   `placeholder:"DURATION" help:"How long what they signed waits; P14D if not given, which is the least."`
}

// recover adds them to a roster's terms.
func (f rosterRecoveryFlags) recover(terms map[string]any, grantor string) error {
	if len(f.RecoveryKey) == 0 {
		if f.RecoveryThreshold != 0 || f.RecoveryDelay != "" {
			return usage(errors.New("--recovery-threshold and --recovery-delay go with --recovery-key"))
		}
		return nil
	}
	var keys []spec.RecoveryKey
	for _, text := range f.RecoveryKey {
		part, err := parts(text, 2)
		if err != nil {
			return err
		}
		keys = append(keys, spec.RecoveryKey{ID: grantor + "#" + part[0], PublicKey: part[1]})
	}
	if f.RecoveryThreshold == 0 {
		f.RecoveryThreshold = int64(len(keys))
	}
	if f.RecoveryDelay == "" {
		f.RecoveryDelay = "P14D"
	}
	terms["recovery"] = spec.RosterRecovery{Keys: keys, Threshold: f.RecoveryThreshold, Delay: f.RecoveryDelay}
	return nil
}

type rosterNextCmd struct {
	ID string `arg:"" help:"The grantor's DID, or the content digest of any version."`
	remote
}

// Help is the long text of writ roster next --help.
func (rosterNextCmd) Help() string {
	return `Prints the newest version that was not vetoed as the next one, unsigned: edit it, then hand it to writ roster propose. As many persons
approve it as the changeThreshold of the roster in force says. What it takes away counts at once, what it adds or loosens after the
roster's changeDelay. Recovery keys may approve one that changes nothing but the names and keys of persons.

` + remoteHelp
}

func (c rosterNextCmd) Run(sys *system) error {
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	r, err := from.Roster(from.ctx, c.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(r.Versions, func(v writ.RosterVersion) bool { return v.Content == r.Content })
	if i < 0 {
		return spec.Refuse("roster-unknown", "", "%s has no roster in force here", r.Grantor)
	}
	next, err := nextVersion(r.Versions[i].Credential, "roster", r.Versions[i].Version)
	if err != nil {
		return err
	}
	return printJSON(sys.out, next)
}

// nextVersion is the content of the version behind one, as its credential says it; kind is the member of the subject.
func nextVersion(credential jcs.Value, kind string, version int64) (jcs.Value, error) {
	subject, _ := credential.Member("credentialSubject")
	terms, _ := subject.Member(kind)
	terms, err := withAll(terms, map[string]any{"version": version + 1, "previous": spec.ContentDigest(credential)})
	if err != nil {
		return jcs.Value{}, err
	}
	return credential.Without("@context", "id", "type", "proof", "evidence").With("credentialSubject", subject.With(kind, terms)), nil
}
