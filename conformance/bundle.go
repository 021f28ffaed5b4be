package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/writ-trust/writ/verifier"
)

// Bundle is a bundle and a trust file, each a shared file with edits, so that the mistake stands in the vector alone.
type Bundle struct {
	Bundle     string    `json:"bundle"` // file
	Edits      []Edit    `json:"edits,omitempty"`
	Trust      string    `json:"trust"` // file
	TrustEdits []Edit    `json:"trustEdits,omitempty"`
	Expect     string    `json:"expect,omitempty"`
	Test       bool      `json:"test,omitempty"` // documents of test mode are asked for
	Want       BundleEnd `json:"want"`
}

// Edit changes one place of a JSON file: set replaces or adds a member, add puts an element into an array before the one at the
// pointer ("-": behind the last), remove takes a member or element away, move takes the value at from.
type Edit struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"` // RFC 6901
	From  string          `json:"from,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

// BundleEnd is holds, or the verdict that fails, with its reason and place. Trust "refused" means that the trust file itself is.
type BundleEnd struct {
	Holds   bool   `json:"holds"`
	Fails   string `json:"fails,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Pointer string `json:"pointer,omitempty"`
	Late    int    `json:"late,omitempty"` // how many documents were logged more than ten minutes after their own time
}

func (b *Bundle) run() error {
	bundle, err := edited(b.Bundle, b.Edits)
	if err != nil {
		return err
	}
	file, err := edited(b.Trust, b.TrustEdits)
	if err != nil {
		return err
	}
	return difference("verdict", b.check(bundle, file), b.Want)
}

func (b *Bundle) check(bundle, file []byte) BundleEnd {
	trust, err := verifier.ParseTrust(file)
	if err != nil {
		r := refusalOf(err)
		return BundleEnd{Fails: "trust", Reason: r.reason, Pointer: r.pointer}
	}
	c := verifier.CheckBundle(bundle, trust, verifier.CheckOptions{Expect: b.Expect, Test: b.Test})
	i := slices.IndexFunc(c.Verdicts, func(v verifier.Verdict) bool { return v.Outcome == verifier.Fails || v.Outcome == verifier.Unchecked })
	if i < 0 {
		return BundleEnd{Holds: c.Holds, Late: len(c.Late)}
	}
	return BundleEnd{Fails: c.Verdicts[i].Name, Reason: c.Verdicts[i].Reason, Pointer: c.Verdicts[i].Pointer, Late: len(c.Late)}
}

// edited is a shared file after the edits, in order.
func edited(name string, edits []Edit) ([]byte, error) {
	data, err := files.ReadFile("bundles/" + name)
	if err != nil {
		return nil, err
	}
	return applyEdits(data, edits)
}

func applyEdits(data []byte, edits []Edit) ([]byte, error) {
	if len(edits) == 0 {
		return data, nil
	}
	root, err := generic(data)
	if err != nil {
		return nil, err
	}
	for _, e := range edits {
		if root, err = e.apply(root); err != nil {
			return nil, fmt.Errorf("edit %s %s: %w", e.Op, e.Path, err)
		}
	}
	return json.Marshal(root)
}

func generic(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return v, d.Decode(&v)
}

func (e Edit) apply(root any) (any, error) {
	var value any
	var err error
	switch {
	case e.Op == "move":
		if value, err = lookup(root, e.From); err == nil {
			root, err = Edit{Op: "remove", Path: e.From}.apply(root)
		}
	case e.Op != "remove":
		value, err = generic(e.Value)
	}
	if err != nil {
		return nil, err
	}
	return change(root, tokens(e.Path), e.Op, value)
}

func tokens(pointer string) []string {
	all := strings.Split(pointer, "/")[1:]
	for i, t := range all {
		all[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(t)
	}
	return all
}

var errNoPlace = errors.New("no such place")

func lookup(v any, pointer string) (any, error) {
	for _, t := range tokens(pointer) {
		switch x := v.(type) {
		case map[string]any:
			v = x[t]
		case []any:
			i, err := strconv.Atoi(t)
			if err != nil || i < 0 || i >= len(x) {
				return nil, errNoPlace
			}
			v = x[i]
		}
	}
	if v == nil {
		return nil, errNoPlace
	}
	return v, nil
}

// change returns v with the edit made below it.
func change(v any, path []string, op string, value any) (any, error) {
	switch x := v.(type) {
	case map[string]any:
		old, there := x[path[0]]
		switch {
		case len(path) > 1:
			below, err := change(old, path[1:], op, value)
			x[path[0]] = below
			return x, err
		case op == "remove" && !there:
			return nil, errNoPlace
		case op == "remove":
			delete(x, path[0])
		default:
			x[path[0]] = value
		}
		return x, nil
	case []any:
		return changeElement(x, path, op, value)
	}
	return nil, errNoPlace
}

func changeElement(x []any, path []string, op string, value any) (any, error) {
	i, err := strconv.Atoi(path[0])
	if path[0] == "-" {
		i, err = len(x), nil
	}
	insert := len(path) == 1 && (op == "add" || op == "move")
	if err != nil || i < 0 || i > len(x) || i == len(x) && !insert {
		return nil, errNoPlace
	}
	switch {
	case len(path) > 1:
		x[i], err = change(x[i], path[1:], op, value)
		return x, err
	case op == "remove":
		return slices.Delete(x, i, i+1), nil
	case insert:
		return slices.Insert(x, i, value), nil
	}
	x[i] = value
	return x, nil
}
