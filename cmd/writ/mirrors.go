package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/witness"
)

// forkedFile is a checkpoint that the log's key signed and that is not of this log, in the guard: who has it once does not start again.
const forkedFile = "guard/forked"

// openMirrors asks the mirrors, if there are any, what they cosigned. It comes after the witnesses, whose policy it knows.
func (l *ledger) openMirrors(ctx context.Context, s *settings) error {
	if s.Mirrors == "" {
		return nil
	}
	policy, err := l.witnessPolicy(s.Mirrors)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", s.Mirrors, err))
	}
	kept, err := os.ReadFile(l.path(forkedFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var witnesses *log.Policy
	if l.feeder != nil {
		witnesses = l.feeder.Policy
	}
	l.mirrors, err = witness.NewMirrors(witness.MirrorsOptions{Log: l.log, Origin: l.current().Origin, Policy: policy, Witnesses: witnesses, HTTP: witnessClient(),
		Evidence: func(signed []byte) error { return replace(l.path(forkedFile), signed) }, Kept: kept, Logger: l.logger})
	if reasonOf(err) == "witness-options" {
		return usage(fmt.Errorf("%s: %w", s.Mirrors, err))
	}
	if err != nil {
		return err
	}
	patience, cancel := context.WithTimeout(ctx, askedWithin)
	defer cancel()
	return l.mirrors.Start(patience)
}

// gather brings what the mirrors cosigned. An error means that nothing may be signed any more.
func (l *ledger) gather(ctx context.Context) error {
	if l.mirrors == nil {
		return nil
	}
	return l.mirrors.Run(ctx)
}
