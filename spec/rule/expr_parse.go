package rule

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
)

// Bounds of an expression.
const (
	maxExpression = 1024 // bytes
	maxNodes      = 256  // literals, references and operators
	maxNesting    = 16   // brackets and ! within one another
)

// Reason codes of an expression that does not parse.
const (
	ReasonExpressionSize   = "expression-size"
	ReasonExpressionSyntax = "expression-syntax"
	ReasonExpressionName   = "expression-name"
	ReasonExpressionType   = "expression-type"
)

// exprReader reads an expression from the left, by recursive descent; the grammar stands at type expression. token is
// the one to read next.
type exprReader struct {
	text       string
	end        int // of the token
	token      token
	nodes      int
	nesting    int
	references []*reference
	open       []*exprNode // comparisons of two parameters whose type nothing has told yet
	err        error       // the first; reading goes on at the end of the text
}

// token is a word, an operator, a literal, or nothing at the end.
type token struct {
	kind tokenKind
	text string // of a text literal its value, else as written
	at   int    // offset in the expression, in bytes
}

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenInteger
	tokenText
	tokenSign
)

// parseExpression reads and types an expression. Every error names the byte at which it stands.
func parseExpression(text string) (*exprNode, []*reference, error) {
	r := &exprReader{text: text}
	if text == "" || len(text) > maxExpression {
		r.fail(ReasonExpressionSize, 0, "an expression has 1 to "+strconv.Itoa(maxExpression)+" bytes")
	}
	r.next()
	root := r.or()
	if r.token.kind != tokenEnd {
		r.fail(ReasonExpressionSyntax, r.token.at, "the expression ends before this")
	}
	r.settle()
	r.want(root, kindBool)
	for _, ref := range r.references {
		if ref.kind == kindOpen {
			r.fail(ReasonExpressionType, ref.at, "nothing tells the type of this parameter: compare it with a literal")
		}
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	return root, r.references, nil
}

// fail keeps the first error and moves to the end, so that every loop of the reader ends.
func (r *exprReader) fail(reason string, at int, detail string) {
	if r.err == nil {
		r.err = refuse(reason, "/expression", "at byte "+strconv.Itoa(at)+": "+detail)
	}
	r.end, r.token = len(r.text), token{at: len(r.text)}
}

var (
	wordForm    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	integerForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)`)
	signForm    = regexp.MustCompile(`^(&&|\|\||==|!=|<=|>=|[<>!().,[\]])`)
)

// next reads the next token. Only spaces part tokens: a line break has no place in a sentence that people sign.
func (r *exprReader) next() {
	for r.end < len(r.text) && r.text[r.end] == ' ' {
		r.end++
	}
	at, rest := r.end, r.text[r.end:]
	if rest == "" {
		r.token = token{at: at}
		return
	}
	if rest[0] == '"' || rest[0] == '\'' {
		r.textLiteral(at)
		return
	}
	for _, form := range []struct {
		kind tokenKind
		form *regexp.Regexp
	}{{tokenWord, wordForm}, {tokenInteger, integerForm}, {tokenSign, signForm}} {
		if found := form.form.FindString(rest); found != "" {
			r.token = token{form.kind, found, at}
			r.end += len(found)
			return
		}
	}
	r.fail(ReasonExpressionSyntax, at, "no token begins like this")
}

// textLiteral reads a text in double or single quotes, in which \\, \" and \' are escapes.
func (r *exprReader) textLiteral(at int) {
	quote := r.text[at]
	var b strings.Builder
	for i := at + 1; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == quote:
			r.end, r.token = i+1, token{tokenText, b.String(), at}
			if unprintable(r.token.text) {
				r.fail(ReasonExpressionSyntax, at, "a text has no control or formatting characters")
			}
			return
		case c == '\\':
			if i++; i == len(r.text) || strings.IndexByte(`\"'`, r.text[i]) < 0 {
				r.fail(ReasonExpressionSyntax, i, `only \\, \" and \' are escapes`)
				return
			}
			b.WriteByte(r.text[i])
		default:
			b.WriteByte(c)
		}
	}
	r.fail(ReasonExpressionSyntax, at, "the text does not end")
}

// unprintable reports characters that would show a reader something else than what is compared: controls, separators of
// lines, marks of writing direction, and those without a width. The list is fixed, since tables of Unicode grow.
func unprintable(text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool {
		return c < 0x20 || 0x7f <= c && c < 0xa0 || c == 0xad || c == 0x61c || 0x200b <= c && c <= 0x200f ||
			0x2028 <= c && c <= 0x202e || 0x2060 <= c && c <= 0x206f || c == 0xfeff || 0xfff9 <= c && c <= 0xfffb || c >= 0xe0000
	})
}

func (r *exprReader) take(sign string) bool {
	if r.token.kind != tokenSign || r.token.text != sign {
		return false
	}
	r.next()
	return true
}

func (r *exprReader) expect(sign string) {
	if !r.take(sign) {
		r.fail(ReasonExpressionSyntax, r.token.at, sign+" must stand here")
	}
}

// node counts a new one.
func (r *exprReader) node(op exprOp, kind exprKind, at int, args ...*exprNode) *exprNode {
	if r.nodes++; r.nodes > maxNodes {
		r.fail(ReasonExpressionSize, at, "an expression has at most "+strconv.Itoa(maxNodes)+" literals, references and operators")
	}
	return &exprNode{op: op, kind: kind, at: at, args: args}
}

// nested reads one level deeper.
func (r *exprReader) nested(read func() *exprNode) *exprNode {
	if r.nesting++; r.nesting > maxNesting {
		r.fail(ReasonExpressionSize, r.token.at, "brackets and ! are nested at most "+strconv.Itoa(maxNesting)+" deep")
	}
	n := read()
	r.nesting--
	return n
}

func (r *exprReader) or() *exprNode  { return r.chain(opOr, "||", r.and) }
func (r *exprReader) and() *exprNode { return r.chain(opAnd, "&&", r.comparison) }

// chain reads terms that one sign joins; any number of them is one node.
func (r *exprReader) chain(op exprOp, sign string, term func() *exprNode) *exprNode {
	first, at := term(), r.token.at
	if !r.take(sign) {
		return first
	}
	n := r.node(op, kindBool, at, first, term())
	for r.take(sign) {
		n.args = append(n.args, term())
	}
	for _, arg := range n.args {
		r.want(arg, kindBool)
	}
	return n
}

var comparisons = map[string]exprOp{"==": opEqual, "!=": opNotEqual, "<": opLess, "<=": opAtMost, ">": opGreater, ">=": opAtLeast}

// comparison reads at most one sign between two operands: a == b == c has no meaning that people agree on.
func (r *exprReader) comparison() *exprNode {
	left, at := r.unary(), r.token.at
	if r.token.kind == tokenWord && r.token.text == "in" {
		r.next()
		return r.in(left, at)
	}
	op, ok := comparisons[r.token.text]
	if r.token.kind != tokenSign || !ok {
		return left
	}
	r.next()
	n := r.node(op, kindBool, at, left, r.unary())
	if !r.unify(n) {
		r.open = append(r.open, n)
	}
	return n
}

// in reads the list of literals, all texts or all integers.
func (r *exprReader) in(left *exprNode, at int) *exprNode {
	n := r.node(opIn, kindBool, at, left)
	for r.expect("["); ; {
		item := r.literal()
		if item == nil {
			r.fail(ReasonExpressionSyntax, r.token.at, "a list has texts or integers")
			return n
		}
		r.want(item, n.listKind(item.kind))
		n.args = append(n.args, item)
		if !r.take(",") {
			break
		}
	}
	r.expect("]")
	r.want(left, n.args[1].kind)
	return n
}

// literal reads a text or an integer; nil where none stands.
func (r *exprReader) literal() *exprNode {
	t := r.token
	switch t.kind {
	case tokenText:
		r.next()
		n := r.node(opLiteral, kindText, t.at)
		n.value.text = t.text
		return n
	case tokenInteger:
		i, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil || i > jcs.MaxInt || i < -jcs.MaxInt || t.text == "-0" {
			r.fail(ReasonExpressionSyntax, t.at, "an integer is within 2^53, and zero has no sign")
		}
		r.next()
		n := r.node(opLiteral, kindInteger, t.at)
		n.value.number = i
		return n
	}
	return nil
}

func (r *exprReader) unary() *exprNode {
	at := r.token.at
	if !r.take("!") {
		return r.member()
	}
	arg := r.nested(r.unary)
	r.want(arg, kindBool)
	return r.node(opNot, kindBool, at, arg)
}

// member reads an operand and what may follow it: x.startsWith(y).
func (r *exprReader) member() *exprNode {
	n := r.primary()
	if at := r.token.at; r.take(".") {
		if r.word() != "startsWith" {
			r.fail(ReasonExpressionName, at, "a value has no such member or function; texts have startsWith")
		}
		r.expect("(")
		prefix := r.nested(r.member)
		r.expect(")")
		r.want(n, kindText)
		r.want(prefix, kindText)
		return r.node(opStartsWith, kindBool, at, n, prefix)
	}
	return n
}

func (r *exprReader) word() string {
	t := r.token
	if t.kind != tokenWord {
		r.fail(ReasonExpressionSyntax, t.at, "a name must stand here")
		return ""
	}
	r.next()
	return t.text
}

func (r *exprReader) primary() *exprNode {
	if n := r.literal(); n != nil {
		return n
	}
	at := r.token.at
	if r.take("(") {
		n := r.nested(r.or)
		r.expect(")")
		return n
	}
	switch word := r.word(); word {
	case "true", "false":
		n := r.node(opLiteral, kindBool, at)
		if word == "true" {
			n.value.number = 1
		}
		return n
	case "action":
		return r.reference(at)
	case "money":
		return r.money(at)
	case "size":
		r.expect("(")
		arg := r.nested(r.member)
		r.expect(")")
		r.want(arg, kindText)
		return r.node(opSize, kindInteger, at, arg)
	default:
		r.fail(ReasonExpressionName, at, "the names are action, money, size, startsWith, in, true and false")
		return r.node(opLiteral, kindBool, at)
	}
}

// money reads the literal money("100.00", "EUR"); zero is an amount here.
func (r *exprReader) money(at int) *exprNode {
	n := r.node(opLiteral, kindMoney, at)
	r.expect("(")
	value := r.token
	r.next()
	r.expect(",")
	currency := r.token
	r.next()
	r.expect(")")
	if value.kind != tokenText || currency.kind != tokenText {
		r.fail(ReasonExpressionSyntax, at, `money is like money("100.00", "EUR")`)
		return n
	}
	m, err := ParseAmountOrZero(value.text, currency.text)
	if err != nil {
		r.fail(ReasonExpressionSyntax, at, err.Error())
	}
	n.value = exprValue{number: m.Minor, text: m.Currency}
	return n
}

// expressionMembers are the members of an action that an expression may name, beside its parameters.
var expressionMembers = map[string]exprKind{
	"type": kindText, "resource": kindText, "counterparty.id": kindText, "amount": kindMoney, "amount.currency": kindText,
}

// keywords are the words that are no names in CEL, not even of members.
var keywords = []string{"true", "false", "null", "in"}

// reference reads the members behind action: one, or two where the first has members of its own.
func (r *exprReader) reference(at int) *exprNode {
	r.expect(".")
	name := r.word()
	kind, ok := expressionMembers[name]
	if name == "parameters" || name == "counterparty" || name == "amount" && r.token.text == "." && r.token.kind == tokenSign {
		r.expect(".")
		second := r.word()
		if kind, ok = expressionMembers[name+"."+second]; name == "parameters" {
			kind, ok = kindOpen, !slices.Contains(keywords, second)
		}
		name += "/" + second
	}
	if !ok {
		r.fail(ReasonExpressionName, at, "an action has type, resource, amount, amount.currency, counterparty.id and parameters.NAME here")
	}
	n := r.node(opReference, kind, at)
	n.ref = r.refer("/"+name, kind, at)
	return n
}

// refer finds the reference to the place, so that it has one type wherever it stands.
func (r *exprReader) refer(pointer string, kind exprKind, at int) *reference {
	i := slices.IndexFunc(r.references, func(ref *reference) bool { return ref.pointer == pointer })
	if i < 0 {
		i = len(r.references)
		r.references = append(r.references, &reference{pointer: pointer, kind: kind, at: at})
	}
	return r.references[i]
}
