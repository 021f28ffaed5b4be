package spec

// Carried is a successor entry in the log that carries another one on, at the index where that one ends.
type Carried struct {
	Index int64
	Entry *Entry
}

// Successor is the entry that links two logs of one tree (protocol.md 8.7): as the last of the older log it names the newer one and its
// key, as the first that the newer one adds it names the older. size is how many entries of the older log count.
func Successor(origin, key string, size int64) *Entry {
	return &Entry{V: 1, Kind: EntrySuccessor, Origin: origin, Key: key, Size: size}
}

// Ends says whether the entry, found at an index, is the last one of its log: it names the log that goes on.
func (e *Entry) Ends(index int64) bool { return e.Kind == EntrySuccessor && e.Size == index+1 }

// Carries says whether the entry, found at an index, is the first that its log added to the tree of the log that it names.
func (e *Entry) Carries(index int64) bool { return e.Kind == EntrySuccessor && e.Size == index }
