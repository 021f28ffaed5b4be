package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/writ-trust/writ/log"
)

type logExportCmd struct {
	logSource `embed:""`
	Dir       string `arg:"" help:"Folder to write to: empty, or with an older copy of the same log."`
}

// Help is the long text of writ log export --help.
func (logExportCmd) Help() string {
	return logHelp + `

DIR then has all that a web server must serve below one address to be a log of C2SP tlog-tiles: full tiles and entry bundles, the
partial ones of the checkpoint's size, metadata.json where the log has it, and the checkpoint, which is written last. Tiles are made from the entries. Run it again to bring
the copy up to date: what is full is not written again.`
}

func (c logExportCmd) Run(sys *system) error {
	l, err := c.open(sys)
	if err != nil {
		return err
	}
	written := 0
	if made, err := exportMetadata(sys, l, filepath.Join(c.Dir, metadataName)); err != nil {
		return err
	} else if made {
		written++
	}
	err = log.WriteStatic(l.signed, func(t log.Tile) ([]byte, error) {
		data, err := l.read(t.Path())
		if err != nil {
			return nil, &exit{exitUnchecked, err}
		}
		return data, nil
	}, func(path string, data []byte) error {
		made, err := exportFile(filepath.Join(c.Dir, filepath.FromSlash(path)), data, path != "checkpoint" && !strings.Contains(path, ".p/"))
		if made {
			written++
		}
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(sys.out, map[string]any{"origin": l.head.Origin, "size": l.head.Size, "root": l.head.Root.String(), "files": written})
	}
	_, err = fmt.Fprintf(sys.out, "%s: %d entries, %d files written\n", l.head.Origin, l.head.Size, written)
	return err
}

// exportFile writes a file so that whoever reads it has all of it or what was there before. A full one that is there is left.
func exportFile(name string, data []byte, full bool) (made bool, err error) {
	if info, err := os.Stat(name); full && err == nil && info.Size() == int64(len(data)) {
		return false, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return false, err
	}
	next := name + ".next"
	if err := os.WriteFile(next, data, 0o644); err != nil {
		return false, err
	}
	return true, os.Rename(next, name)
}
