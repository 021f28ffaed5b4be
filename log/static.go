package log

// WriteStatic writes a static copy of a log: the files that any web server must have below one address to serve the log of a signed
// checkpoint (tlog-tiles.md, "APIs"): every full tile and entry bundle, the partial ones of the checkpoint's size, and the checkpoint,
// which comes last, so that it is never there before what it covers. Readers who hold an older checkpoint take full tiles where the
// partial ones are gone ("Partial Tiles").
//
// read returns an entry bundle of the log, whole or of more entries than asked for; write gets a path below the address and the file's
// bytes, which for one path are always the same but for the checkpoint. All tiles are made from the entries, and nothing is taken
// for true but the checkpoint, whose signature is the caller's business. Errors: those of read and write; bundle-syntax;
// log-root-mismatch (the entries are not those of the checkpoint; the checkpoint was not written).
func WriteStatic(signed []byte, read func(Tile) ([]byte, error), write func(path string, data []byte) error) error {
	c, err := ReadCheckpoint(signed)
	if err != nil {
		return err
	}
	tree := newEdge()
	for tree.size() < c.Size {
		if tree, err = writeBundle(tree, c.Size, read, write); err != nil {
			return err
		}
	}
	if root := tree.root(); root != c.Root {
		return fault("log-root-mismatch", "the checkpoint says %d entries with root %s; the entries give %s", c.Size, c.Root, root)
	}
	for level, t := range tree {
		if t.width > 0 {
			if err := write(Tile{level, t.index, t.width}.Path(), t.hashes(0, t.width)); err != nil {
				return err
			}
		}
	}
	return write("checkpoint", signed)
}

// writeBundle writes the next bundle of entries and the tiles that it fills.
func writeBundle(tree edge, size int64, read func(Tile) ([]byte, error), write func(string, []byte) error) (edge, error) {
	name := tileAt(Entries, tree.size())
	name.Width = name.widthAt(size)
	bundle, err := read(name)
	if err != nil {
		return tree, err
	}
	filled, rest := map[Tile]hashTile{}, bundle
	for i := range name.Width {
		entry, after, ok := cutEntry(rest)
		if !ok {
			return tree, fault("bundle-syntax", "%s ends before entry %d", name.Path(), i)
		}
		tree, rest = tree.grow(RecordHash(entry), filled), after
	}
	if err := write(name.Path(), bundle[:len(bundle)-len(rest)]); err != nil {
		return tree, err
	}
	for tile, t := range filled {
		if err := write(tile.Path(), t.hashes(0, tileWidth)); err != nil {
			return tree, err
		}
	}
	return tree, nil
}
