package rdfc

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/piprate/json-gold/ld"
)

// checkDataset bounds the canonicalisation of a dataset.
func checkDataset(d *ld.RDFDataset) error {
	total := 0
	for _, quads := range d.Graphs {
		total += len(quads)
	}
	if total > maxQuads {
		return refuse("rdf-size", "", "more than %d statements", maxQuads)
	}
	around := map[string][]line{} // blank node to the statements that it occurs in
	for graph, quads := range d.Graphs {
		for _, q := range quads {
			if err := checkText(q); err != nil {
				return err
			}
			l := lineOf(q, graph)
			for _, node := range l.blanks() {
				around[node] = append(around[node], l)
			}
		}
	}
	return checkAlike(around)
}

// checkText refuses the characters that URDNA2015 and RDFC-1.0 write differently (RDF-CANON §5.1: canonical N-Quads).
func checkText(q *ld.Quad) error {
	literal, ok := q.Object.(ld.Literal)
	if !ok {
		return nil
	}
	for _, r := range literal.Value {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return refuse("rdf-character", "", "a control character in a text")
		}
	}
	return nil
}

// line is a statement: subject, predicate, object, graph; blank nodes begin with "_:", literals with a quote.
type line [4]string

func lineOf(q *ld.Quad, graph string) line {
	l := line{q.Subject.GetValue(), q.Predicate.GetValue(), q.Object.GetValue(), graph}
	if literal, ok := q.Object.(ld.Literal); ok {
		l[2] = `"` + literal.Value + `"^^` + literal.Datatype + "@" + literal.Language
	}
	return l
}

// blanks are the distinct blank nodes of a statement.
func (l line) blanks() []string {
	var found []string
	for _, term := range l {
		if strings.HasPrefix(term, "_:") && !slices.Contains(found, term) {
			found = append(found, term)
		}
	}
	return found
}

// seenFrom writes the statement as one of its blank nodes sees it: itself _:a, all others _:z (RDF-CANON §4.6).
func (l line) seenFrom(node string) string {
	for i, term := range l {
		switch {
		case term == node:
			l[i] = "_:a"
		case strings.HasPrefix(term, "_:"):
			l[i] = "_:z"
		}
	}
	return strings.Join(l[:], "\x00")
}

// checkAlike counts the blank nodes that share what they see with another.
func checkAlike(around map[string][]line) error {
	groups := map[[32]byte]int{}
	for node, lines := range around {
		var seen []string
		for _, l := range lines {
			seen = append(seen, l.seenFrom(node))
		}
		slices.Sort(seen)
		groups[sha256.Sum256([]byte(strings.Join(seen, "\x01")))]++
	}
	alike := 0
	for _, n := range groups {
		if n > 1 {
			alike += n
		}
	}
	if alike > maxAlike {
		return refuse("rdf-poison", "", "more than %d nodes that look the same", maxAlike)
	}
	return nil
}
