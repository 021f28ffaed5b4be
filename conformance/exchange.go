package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/writ-trust/writ/spec"
)

// This file is the vectors as questions and answers, for implementations that are asked over standard input and output (README.md).

// Answer is what an implementation says to one question.
type Answer struct {
	Name        string          `json:"name"`
	Unsupported bool            `json:"unsupported,omitempty"` // it does not do this kind, or this parser
	Answer      json.RawMessage `json:"answer,omitempty"`
}

// TraceEnd is the answer to a trace: what each step came to, and the accounts asked for.
type TraceEnd struct {
	Steps    []StepEnd `json:"steps"`
	Accounts []Account `json:"accounts,omitempty"`
}

// Question is the vector as one line of JSON: its kind and name and what is asked, without the sentence, the clause and what is wanted.
// A bundle and its trust file are there as texts, after their edits.
func (v Vector) Question() ([]byte, error) {
	part, err := v.asked()
	if err != nil {
		return nil, err
	}
	return encodeLine(map[string]any{"name": v.Path, "kind": v.Kind, v.Kind: part})
}

func (v Vector) asked() (any, error) {
	if v.Kind == KindBundle {
		bundle, err := edited(v.Bundle.Bundle, v.Bundle.Edits)
		if err != nil {
			return nil, err
		}
		trust, err := edited(v.Bundle.Trust, v.Bundle.TrustEdits)
		return bundleAsk{string(bundle), string(trust), v.Bundle.Expect, v.Bundle.Test}, err
	}
	var part any = v.Document
	switch v.Kind {
	case KindRule:
		part = v.Rule
	case KindTrace:
		part = v.Trace
	case KindHead:
		part = v.Head
	}
	data, err := encodeLine(part)
	if err != nil {
		return nil, err
	}
	tree, err := generic(data)
	if err != nil {
		return nil, err
	}
	return withoutAnswers(tree.(map[string]any)), nil
}

// bundleAsk is a bundle vector as a question.
type bundleAsk struct {
	Bundle string `json:"bundle"`
	Trust  string `json:"trust"`
	Expect string `json:"expect,omitempty"`
	Test   bool   `json:"test,omitempty"`
}

// withoutAnswers takes away what is wanted, of the vector, of its steps and of its accounts.
func withoutAnswers(part map[string]any) map[string]any {
	delete(part, "want")
	for list, answers := range map[string][]string{"steps": {"want"}, "accounts": {"status", "used", "lifted", "excess"}} {
		all, _ := part[list].([]any)
		for _, element := range all {
			for _, name := range answers {
				delete(element.(map[string]any), name)
			}
		}
	}
	return part
}

func encodeLine(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// Respond is this implementation as one that is asked: the answer to one question.
func Respond(question []byte) ([]byte, error) {
	var q struct {
		Name, Kind string
		Document   *Document
		Rule       *Rule
		Bundle     *bundleAsk
		Trace      *Trace
		Head       *Head
	}
	if err := decode(question, &q); err != nil {
		return nil, err
	}
	var end any
	switch {
	case q.Document != nil:
		end = q.Document.end()
	case q.Rule != nil:
		end = q.Rule.ask()
	case q.Bundle != nil:
		b := Bundle{Expect: q.Bundle.Expect, Test: q.Bundle.Test}
		end = b.check([]byte(q.Bundle.Bundle), []byte(q.Bundle.Trust))
	case q.Trace != nil:
		played, err := q.Trace.play()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.Name, err)
		}
		end = played
	case q.Head != nil:
		end = q.Head.end()
	default:
		return encodeLine(Answer{Name: q.Name, Unsupported: true})
	}
	data, err := encodeLine(end)
	if err != nil {
		return nil, err
	}
	return encodeLine(Answer{Name: q.Name, Answer: data})
}

// end is parse with a refusal as an answer.
func (d *Document) end() DocumentEnd {
	got, err := d.parse()
	if err != nil {
		r := refusalOf(err)
		return DocumentEnd{Reason: r.reason, Pointer: r.pointer}
	}
	return got
}

// play takes every step and reads the accounts, whatever is wanted of them.
func (t *Trace) play() (TraceEnd, error) {
	m, err := newMachine(t)
	if err != nil {
		return TraceEnd{}, err
	}
	var end TraceEnd
	for i, s := range t.Steps {
		got, err := m.do(s)
		if err != nil {
			return end, fmt.Errorf("step %d: %w", i, err)
		}
		end.Steps = append(end.Steps, got)
	}
	for _, asked := range t.Accounts {
		got, err := m.read(asked)
		if err != nil {
			return end, err
		}
		end.Accounts = append(end.Accounts, got)
	}
	return end, nil
}

// Judge holds somebody's answer against the vector; the error names the first difference. Unknown members are a difference.
func (v Vector) Judge(answer json.RawMessage) error {
	switch v.Kind {
	case KindDocument:
		return judge(answer, v.Document.Want)
	case KindRule:
		return judgeBy(answer, v.Rule.Want, RuleEnd.differs)
	case KindBundle:
		return judge(answer, v.Bundle.Want)
	case KindHead:
		return judge(answer, v.Head.Want)
	}
	return judgeBy(answer, TraceEnd{Accounts: v.Trace.Accounts}, func(got, _ TraceEnd) error { return v.Trace.differs(got) })
}

func judge[T comparable](answer json.RawMessage, want T) error {
	return judgeBy(answer, want, func(got, want T) error {
		if got == want {
			return nil
		}
		return unequal(got, want)
	})
}

func judgeBy[T any](answer json.RawMessage, want T, differs func(got, want T) error) error {
	var got T
	if err := decode(answer, &got); err != nil {
		return fmt.Errorf("the answer does not read: %w", err)
	}
	return differs(got, want)
}

// unequal says what came and what was wanted, as JSON.
func unequal(got, want any) error {
	g, err := encodeLine(got)
	if err != nil {
		return err
	}
	w, err := encodeLine(want)
	if err != nil {
		return err
	}
	return fmt.Errorf("answers %s, want %s", g, w)
}

// differs compares steps and accounts. Why a caller is not entitled is the ledger's own knowledge, and another may find another cause
// first: it is not asked of others.
func (t *Trace) differs(got TraceEnd) error {
	if len(got.Steps) != len(t.Steps) || len(got.Accounts) != len(t.Accounts) {
		return fmt.Errorf("answers %d steps and %d accounts, want %d and %d", len(got.Steps), len(got.Accounts), len(t.Steps), len(t.Accounts))
	}
	for i, s := range t.Steps {
		end, want := got.Steps[i], s.Want
		end.Because, want.Because = "", ""
		if same(end, want) != nil {
			return fmt.Errorf("step %d (%s): %w", i, strings.TrimSpace(s.Do+" "+s.Document), unequal(end, want))
		}
	}
	for i, a := range t.Accounts {
		if !a.equals(got.Accounts[i]) {
			return fmt.Errorf("account %d: %w", i, unequal(got.Accounts[i], a))
		}
	}
	return nil
}

func (a Account) equals(b Account) bool {
	if !a.From.Equal(b.From.Time) {
		return false
	}
	a.From, b.From = spec.Time{}, spec.Time{}
	return a == b
}
