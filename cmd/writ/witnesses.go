package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/witness"
)

const (
	// witnessedFile is the newest checkpoint that the quorum cosigned, in the guard: it belongs to no backup.
	witnessedFile = "guard/witnessed"
	// askedWithin is how long a start waits for what the witnesses say that they cosigned.
	askedWithin = 20 * time.Second

	startWarn    = "warn"
	startRequire = "require"
)

// openWitnesses asks the witnesses, if there are any, what they cosigned, before anything is decided. It comes after the journal, so
// that the log has all that it ever signed.
func (l *ledger) openWitnesses(ctx context.Context, s *settings) error {
	if s.Witnesses == "" {
		return nil
	}
	policy, err := l.witnessPolicy(s.Witnesses)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", s.Witnesses, err))
	}
	kept, err := os.ReadFile(l.path(witnessedFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	l.feeder, err = witness.NewFeeder(witness.FeederOptions{Log: l.log, Origin: l.current().Origin, Policy: policy, HTTP: witnessClient(), Kept: kept,
		Keep: func(signed []byte) error { return replace(l.path(witnessedFile), signed) }, Logger: l.logger})
	if err != nil {
		return err
	}
	patience, cancel := context.WithTimeout(ctx, askedWithin)
	defer cancel()
	if err := l.feeder.Start(patience); err != nil {
		return err
	}
	if s.WitnessStart == startRequire && !l.feeder.Met() {
		return ends(exitUnchecked, "the quorum of %s did not say what it cosigned; --witness-start=warn starts all the same", s.Witnesses)
	}
	return nil
}

func (l *ledger) witnessPolicy(file string) (*log.Policy, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	signer, err := l.logSigner()
	if err != nil {
		return nil, err
	}
	return witness.PolicyFor(text, &signer.Verifier)
}

// witnessClient follows no redirect: a witness, or a mirror, is where the policy says.
func witnessClient() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// feed brings what is published to the witnesses. An error means that nothing may be signed any more.
func (l *ledger) feed(ctx context.Context) error {
	if l.feeder == nil {
		return nil
	}
	return l.feeder.Run(ctx)
}
