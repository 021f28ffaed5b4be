package rule

import (
	"strings"
	"unicode/utf8"

	"github.com/writ-trust/writ/internal/jcs"
)

// exprNode is one part of an expression.
type exprNode struct {
	op    exprOp
	kind  exprKind // of a reference: see kindNow
	at    int      // offset in the text, in bytes
	args  []*exprNode
	value exprValue  // of a literal
	ref   *reference // of a reference
	other *Violation // of a comparison of amounts: given where their currencies differ
}

type exprOp uint8

const (
	opLiteral exprOp = iota
	opReference
	opOr  // two or more arguments
	opAnd // two or more arguments
	opNot
	opEqual
	opNotEqual
	opLess
	opAtMost
	opGreater
	opAtLeast
	opIn // the value, then the items
	opStartsWith
	opSize
)

// exprValue is what a part amounts to. Broken comes first: where it is there, the rest says nothing.
type exprValue struct {
	number int64  // an integer, minor units of an amount, 1 for true
	text   string // a text, the currency of an amount
	broken *Violation
}

// reference is a place in the action that an expression names. Its violations are made once, so that judging an action
// allocates nothing.
type reference struct {
	pointer       string
	kind          exprKind
	at            int
	absent, wrong *Violation
}

func truth(b bool) exprValue {
	if b {
		return exprValue{number: 1}
	}
	return exprValue{}
}

// eval is total: it ends with a value or a violation, after at most one visit of each part.
func (n *exprNode) eval(a *Action) exprValue {
	switch n.op {
	case opLiteral:
		return n.value
	case opReference:
		return n.ref.read(a)
	case opOr:
		return n.evalChain(a, 1)
	case opAnd:
		return n.evalChain(a, 0)
	case opNot:
		v := n.args[0].eval(a)
		v.number = 1 - v.number
		return v
	case opIn:
		return n.evalIn(a)
	case opSize:
		v := n.args[0].eval(a)
		return exprValue{number: int64(utf8.RuneCountInString(v.text)), broken: v.broken}
	}
	return n.evalPair(a)
}

// evalChain is the logic of CEL: one term that decides (true for ||, false for &&) decides whatever the others are, a
// broken one among them too, wherever it stands; else the leftmost broken one is the answer.
func (n *exprNode) evalChain(a *Action, decides int64) exprValue {
	all := exprValue{number: 1 - decides}
	for _, arg := range n.args {
		switch v := arg.eval(a); {
		case v.broken == nil && v.number == decides:
			return v
		case all.broken == nil:
			all.broken = v.broken
		}
	}
	return all
}

func (n *exprNode) evalIn(a *Action) exprValue {
	v := n.args[0].eval(a)
	if v.broken != nil {
		return v
	}
	for _, item := range n.args[1:] {
		if item.value.number == v.number && item.value.text == v.text { // of a text the number is 0, of an integer the text ""
			return truth(true)
		}
	}
	return truth(false)
}

func (n *exprNode) evalPair(a *Action) exprValue {
	left := n.args[0].eval(a)
	if left.broken != nil {
		return left
	}
	right := n.args[1].eval(a)
	switch {
	case right.broken != nil:
		return right
	case n.op == opStartsWith:
		return truth(strings.HasPrefix(left.text, right.text))
	case n.other != nil && left.text != right.text:
		return exprValue{broken: n.other}
	}
	return truth(n.op.holds(left, right))
}

// holds compares two values of one type, and of one currency.
func (op exprOp) holds(left, right exprValue) bool {
	switch op {
	case opEqual:
		return left.number == right.number && left.text == right.text
	case opNotEqual:
		return left.number != right.number || left.text != right.text
	case opLess:
		return left.number < right.number
	case opAtMost:
		return left.number <= right.number
	case opGreater:
		return left.number > right.number
	}
	return left.number >= right.number
}

// read looks the place up. An amount and its currency are those that every limit on money sees.
func (ref *reference) read(a *Action) exprValue {
	if ref.ofAmount() {
		return ref.readAmount(a.Amount)
	}
	v, ok := a.Value.Lookup(ref.pointer)
	if !ok {
		return exprValue{broken: ref.absent}
	}
	out, ok := exprValue{}, false
	switch ref.kind {
	case kindText:
		out.text, ok = v.Text()
	case kindInteger:
		out.number, ok = v.Int()
	case kindBool:
		var b bool
		b, ok = v.Bool()
		out = truth(b)
	case kindMoney:
		out, ok = readMoney(v)
	}
	if !ok {
		return exprValue{broken: ref.wrong}
	}
	return out
}

func (ref *reference) ofAmount() bool {
	return ref.pointer == amountPointer || ref.pointer == amountCurrencyPointer
}

const amountCurrencyPointer = amountPointer + "/currency"

func (ref *reference) readAmount(m *Money) exprValue {
	switch {
	case m == nil:
		return exprValue{broken: ref.absent}
	case m.Minor <= 0:
		return exprValue{broken: ref.wrong}
	case ref.kind == kindText:
		return exprValue{text: m.Currency}
	}
	return exprValue{number: m.Minor, text: m.Currency}
}

func readMoney(v jcs.Value) (exprValue, bool) {
	m, err := ParseMoneyOrZero(v)
	return exprValue{number: m.Minor, text: m.Currency}, err == nil
}
