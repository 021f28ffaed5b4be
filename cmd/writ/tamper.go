package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// A tampering changes one thing of a bundle, as somebody would who wants it to say something else.
type tampering struct {
	name   string
	change func(bundle jcs.Value) (jcs.Value, error)
}

// tamperings of the story's bundle. declined is a decline that the CFO once signed of the very mandate.
func tamperings(declined spec.Document) []tampering {
	const mandate = "/presentation/verifiableCredential/0"
	return []tampering{
		{"another amount", setText("/presentation/action/amount/value", "9200.00")},
		{"another seal", setText(mandate+"/proof/proofValue", flip)},
		{"a decline relabelled as an approval", func(b jcs.Value) (jcs.Value, error) {
			relabelled := declined.Value.With("decision", text(spec.Approve))
			return edit(b, mandate+"/evidence/1/approval", func(jcs.Value) (jcs.Value, error) { return relabelled, nil })
		}},
		{"an approver removed", func(b jcs.Value) (jcs.Value, error) {
			return edit(b, mandate+"/evidence", func(v jcs.Value) (jcs.Value, error) { return jcs.ValueOf(v.Elements()[:1]) })
		}},
		{"another roster", setText("/rosters/0/credentialSubject/roster/persons/1/keys/0/publicKeyMultibase", otherKey)},
		{"another payload in the report", setText("/reports/0/payloadDigest", otherDigest)},
		{"another result", setText("/decision/result", spec.Rejected)},
		{"another usage", setText("/decision/usage/0/before/committed", "1.00")},
		{"another hash in a proof", proofEdit(func(p *log.InclusionProof) { p.Hashes[0][0] ^= 1 })},
		{"another index in the log", proofEdit(func(p *log.InclusionProof) { p.Index ^= 1 })},
		{"another checkpoint", checkpointEdit},
		{"another salt", setText("/logged/0/salt", flip)},
	}
}

// The places of change: text stands for the whole new value; flip, otherKey and otherDigest make it from the old one.
const (
	flip        = "\x00flip"
	otherKey    = "\x00key"
	otherDigest = "\x00digest"
)

func text(s string) jcs.Value {
	v, _ := jcs.ValueOf(s)
	return v
}

// setText changes a string: to s, or by one of the markers.
func setText(pointer, s string) func(jcs.Value) (jcs.Value, error) {
	return func(b jcs.Value) (jcs.Value, error) {
		return edit(b, pointer, func(old jcs.Value) (jcs.Value, error) {
			was, ok := old.Text()
			if !ok {
				return old, errors.New("not a string")
			}
			return text(changed(was, s)), nil
		})
	}
}

func changed(was, to string) string {
	switch to {
	case flip: // one letter in the middle
		i := len(was) / 2
		letter := byte('2')
		if was[i] == letter {
			letter = '3'
		}
		return was[:i] + string(letter) + was[i+1:]
	case otherDigest:
		return jcs.Digest("another\n", []byte(was))
	case otherKey:
		return strangersKey
	}
	return to
}

// strangersKey is a sound key that nobody in the story has: that of RFC 8032 section 7.1, test 1.
const strangersKey = "z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw"

// proofEdit changes the first proof that has hashes.
func proofEdit(change func(*log.InclusionProof)) func(jcs.Value) (jcs.Value, error) {
	return func(b jcs.Value) (jcs.Value, error) {
		return edit(b, "/logged/0/proof", func(old jcs.Value) (jcs.Value, error) {
			was, _ := old.Text()
			p, err := log.ParseProof([]byte(was))
			if err != nil {
				return old, err
			}
			change(&p)
			return text(string(p.Marshal())), nil
		})
	}
}

// checkpointEdit makes the log say another size in every proof, so that they still agree.
func checkpointEdit(b jcs.Value) (jcs.Value, error) {
	logged, _ := b.Member("logged")
	for i := range logged.Elements() {
		var err error
		b, err = edit(b, "/logged/"+strconv.Itoa(i)+"/proof", func(old jcs.Value) (jcs.Value, error) {
			was, _ := old.Text()
			p, err := log.ParseProof([]byte(was))
			if err != nil {
				return old, err
			}
			c, err := log.ReadCheckpoint(p.Checkpoint)
			if err != nil {
				return old, err
			}
			size := fmt.Sprintf("\n%d\n", c.Size)
			p.Checkpoint = []byte(strings.Replace(string(p.Checkpoint), size, fmt.Sprintf("\n%d\n", c.Size+1), 1))
			return text(string(p.Marshal())), nil
		})
		if err != nil {
			return b, err
		}
	}
	return b, nil
}

// edit replaces the value at a pointer (RFC 6901) by what change makes of it. That the pointer leads nowhere is an error: a
// tampering that changes nothing proves nothing.
func edit(v jcs.Value, pointer string, change func(jcs.Value) (jcs.Value, error)) (jcs.Value, error) {
	if pointer == "" {
		return change(v)
	}
	name, rest, _ := strings.Cut(pointer[1:], "/")
	if rest != "" {
		rest = "/" + rest
	}
	if elements := v.Elements(); len(elements) > 0 {
		i, err := strconv.Atoi(name)
		if err != nil || i >= len(elements) {
			return v, fmt.Errorf("no element %s", name)
		}
		changed := append([]jcs.Value(nil), elements...)
		if changed[i], err = edit(elements[i], rest, change); err != nil {
			return v, err
		}
		return jcs.ValueOf(changed)
	}
	member, ok := v.Member(name)
	if !ok {
		return v, fmt.Errorf("no member %s", name)
	}
	member, err := edit(member, rest, change)
	return v.With(name, member), err
}
