package witness

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io/fs"

	"golang.org/x/mod/sumdb/note"

	"github.com/writ-trust/writ/log"
)

// read takes up the state of a log, if there is one. The process before may have died on a failed sync of this very file, which
// reads well but is not on disk: so it is written again.
func (w *Witness) read(origin string, l *witnessed) error {
	signed, err := w.fs.ReadFile(l.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if l.last, err = w.parseState(signed, origin); err != nil {
		return fault("witness-state", "%s: %v", l.file, err)
	}
	return replaceFile(w.fs, l.file, signed)
}

// parseState reads what cosigned has written. Our own signature vouches for it: the log's keys may have changed since.
func (w *Witness) parseState(signed []byte, origin string) (s state, err error) {
	n, err := note.Open(signed, note.VerifierList(w.Key()))
	if err != nil {
		return s, err
	}
	if s.checkpoint, err = readText(n.Text); err != nil {
		return s, err
	}
	if s.checkpoint.Origin != origin {
		return s, errors.New("it is of " + s.checkpoint.Origin)
	}
	own := n.Sigs[0]
	s.text, s.signed, s.line = n.Text, signed, []byte("— "+own.Name+" "+own.Base64+"\n")
	b, err := base64.StdEncoding.DecodeString(own.Base64)
	if err == nil {
		s.at = int64(binary.BigEndian.Uint64(b[4:])) // after the key id; verified, so it is there
	}
	return s, err
}

func writeAndSync(f log.File, data []byte) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return f.Sync()
}
