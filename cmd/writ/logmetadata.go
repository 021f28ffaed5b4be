package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

const (
	// metadataName is the log's description of itself, beside its checkpoint and in the data folder.
	metadataName = "metadata.json"
	// logPolicyURL is what every log of this build keeps.
	logPolicyURL = "https://github.com/writ-trust/writ/blob/main/spec/log-policy.md"

	// What a server promises (spec/log-policy.md): how soon an entry is under a served checkpoint, without and with witnesses, and
	// how old the quorum's cosignatures become while it answers.
	publishedWithin = 2 * time.Second
	cosignedWithin  = 30 * time.Second
	checkpointAge   = 15 * time.Minute
)

// describeLog writes the log's metadata into the folder, for writ log export, and returns them.
func (l *ledger) describeLog(s *settings) ([]byte, error) {
	signer, err := l.logSigner()
	if err != nil {
		return nil, err
	}
	m := spec.LogMetadata{Type: spec.TypeLogMetadata, Version: spec.Version, Origin: l.current().Origin, Key: signer.Verifier.String(), Policy: s.LogPolicy,
		PublishWithin: int64(publishedWithin / time.Second), MaxEntrySize: log.MaxEntrySize}
	if l.feeder != nil {
		m.Witnesses, m.PublishWithin, m.MaxCheckpointAge = l.feeder.Policy.String(), int64(cosignedWithin/time.Second), int64(checkpointAge/time.Second)
	}
	if l.mirrors != nil {
		m.Mirrors = l.mirrors.Policy.String()
	}
	for _, r := range l.Retired {
		m.Retired = append(m.Retired, spec.RetiredLog(r))
	}
	data, err := jcs.Marshal(m)
	if err != nil {
		return nil, err
	}
	return data, replace(l.path(metadataName), data)
}

// metadata are what a log says of itself, nil if it says nothing.
func metadata(read func(path string) ([]byte, error), origin string) ([]byte, *spec.LogMetadata, error) {
	data, err := read(metadataName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	m, err := spec.ParseLogMetadata(data, origin)
	if err != nil {
		err = fmt.Errorf("%s: %w", metadataName, err)
	}
	return data, m, err
}

// delayOf is how old the checkpoint of a log may be, as the log itself says, 0 if it does not say. Only cosignatures have a time: who
// asks for no quorum cannot tell a log at rest from one that stands still.
func (c followed) delayOf(sys *system, policy *log.Policy, origin string) time.Duration {
	if c.MaxDelay > 0 || !policy.Witnessed() {
		return c.MaxDelay
	}
	_, m, err := metadata(httpReader(c.address()), origin)
	if err != nil {
		fmt.Fprintf(sys.err, "no maximum delay: %v\n", err)
	}
	if err != nil || m == nil || m.MaxCheckpointAge == 0 || m.MaxCheckpointAge > int64(maxPromise/time.Second) {
		return 0
	}
	delay := time.Duration(m.MaxCheckpointAge) * time.Second
	fmt.Fprintf(sys.err, "maximum delay %s, as the log's metadata say, which nobody signs\n", delay)
	return delay
}

// maxPromise is the longest delay that counts as one.
const maxPromise = 365 * 24 * time.Hour

// exportMetadata copies what the log says of itself, if it says anything.
func exportMetadata(sys *system, l *tiledLog, to string) (made bool, err error) {
	data, m, err := metadata(l.read, l.head.Origin)
	if err != nil {
		fmt.Fprintf(sys.err, "not copied: %v\n", err)
	}
	if err != nil || m == nil {
		return false, nil
	}
	if old, err := os.ReadFile(to); err == nil && string(old) == string(data) {
		return false, nil
	}
	return exportFile(to, data, false)
}
