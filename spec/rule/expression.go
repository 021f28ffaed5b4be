package rule

import (
	"strings"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() {
	kinds["expression"] = kind{parseExpressionLimit, expressionSchema, []string{ReasonExpressionFalse, ReasonExpressionAbsent,
		ReasonExpressionKind, ReasonExpressionCurrency, ReasonAmountNotPositive}}
}

// Reason codes of violations of expression.
const (
	ReasonExpressionFalse    = "expression-false"
	ReasonExpressionAbsent   = "expression-absent"
	ReasonExpressionKind     = "expression-kind"
	ReasonExpressionCurrency = "expression-currency"
)

const expressionSchema = `"expression":{"type":"string","minLength":1,"maxLength":1024}},
"required":["id","type","expression"],"additionalProperties":false}`

// expression holds when a condition on the action's members is true. It is written in a small part of the Common
// Expression Language (CEL), in which every condition ends, and with the value that CEL gives it:
//
//	condition  = conjunct { "||" conjunct }
//	conjunct   = comparison { "&&" comparison }
//	comparison = unary [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) unary | "in" list ]
//	unary      = { "!" } operand
//	operand    = primary [ ".startsWith(" operand ")" ]
//	primary    = "true" | "false" | integer | text | money | "size(" operand ")" | reference | "(" condition ")"
//	list       = "[" integer { "," integer } "]" | "[" text { "," text } "]"
//	money      = "money(" text "," text ")"                 value and currency, as documents write them; zero too
//	reference  = "action." ( "type" | "resource" | "amount" | "amount.currency" | "counterparty.id" | "parameters." name )
//	name       = a letter or _, then letters, digits and _; not true, false, null or in
//	integer    = [ "-" ] digits, within 2^53, without leading zeros
//	text       = characters in " or ', with the escapes \\ \" \'; no control or formatting characters
//
// Spaces may part tokens. It has at most 1024 bytes, 256 nodes (literals, references, operators) and 16 levels of
// brackets and "!".
//
// Every part has one type, known when the mandate is read: boolean, integer, text or money. A parameter's type is told
// by its use, and is one throughout. Both sides of a comparison have one type; only integers and amounts have an order.
// size counts code points.
//
// A member that is absent, or of another type than its use (what a document writes as {value, currency} is money), has
// no value, and neither has a comparison of amounts in different currencies, != among them. What is made of a part
// without a value has none either, but for this: x || y is true where one of them is, and x && y is false where one of
// them is, whatever the other. So the condition has a value only where it does not depend on what is missing, in
// whatever order its terms stand. Without a value it is a violation as it is when false; the reason is that of the
// leftmost part without one.
type expression struct {
	head
	Text string `json:"expression"`
	noDraw
	noReach
	root       *exprNode
	references []*reference
	untrue     *Violation
}

func parseExpressionLimit(v jcs.Value) (Constraint, error) {
	c := &expression{}
	if err := v.Decode(c); err != nil {
		return nil, err
	}
	var err error
	if c.root, c.references, err = parseExpression(c.Text); err != nil {
		return nil, err
	}
	c.prepare()
	return c, nil
}

// prepare makes every violation that can be given.
func (c *expression) prepare() {
	c.untrue = c.broken(ReasonExpressionFalse, "", "the expression is false")
	for _, ref := range c.references {
		ref.absent = c.broken(ReasonExpressionAbsent, ref.pointer, "the action does not have this member")
		ref.wrong = c.broken(ReasonExpressionKind, ref.pointer, "the member is not of the type "+ref.kind.String())
		if ref.ofAmount() {
			ref.wrong = c.broken(ReasonAmountNotPositive, amountPointer+"/value", "the amount is not above zero")
		}
	}
	c.prepareNode(c.root)
}

func (c *expression) prepareNode(n *exprNode) {
	if len(n.args) > 0 && n.op != opIn && n.args[0].kindNow() == kindMoney {
		n.other = c.broken(ReasonExpressionCurrency, "", "amounts in different currencies are compared, and nothing is converted")
	}
	for _, arg := range n.args {
		c.prepareNode(arg)
	}
}

func (c *expression) Targets() []string {
	var pointers []string
	for _, ref := range c.references {
		pointers = append(pointers, ref.pointer)
	}
	return pointers
}

func (c *expression) Check(a Action, _ time.Time) *Violation {
	v := c.root.eval(&a)
	switch {
	case v.broken != nil:
		given := *v.broken // callers own what they are given
		return &given
	case v.number == 0:
		given := *c.untrue
		return &given
	}
	return nil
}

func (c *expression) Sentence(l Locale) string {
	return l.pick("only if ", "só se ") + l.condition(c.root, false)
}

// condition says a part that is true or false. Inside another one, what has several parts stands in brackets.
func (l Locale) condition(n *exprNode, inside bool) string {
	text, compound := l.conditionText(n)
	if inside && compound {
		return "(" + text + ")"
	}
	return text
}

func (l Locale) conditionText(n *exprNode) (text string, compound bool) {
	switch n.op {
	case opOr:
		return l.joined(n, l.pick(" or ", " ou ")), true
	case opAnd:
		return l.joined(n, l.pick(" and ", " e ")), true
	case opNot:
		return l.pick("not ", "não ") + "(" + l.condition(n.args[0], false) + ")", false
	case opLiteral:
		return l.operand(n), false
	case opReference:
		return l.operand(n) + l.pick(" is true", " é verdadeiro"), false
	case opIn:
		return l.operand(n.args[0]) + l.pick(" is one of [", " é um de [") + l.items(n.args[1:]) + "]", false
	}
	return l.operand(n.args[0]) + l.comparison(n.op) + l.operand(n.args[1]), false
}

func (l Locale) joined(n *exprNode, word string) string {
	var parts []string
	for _, arg := range n.args {
		parts = append(parts, l.condition(arg, true))
	}
	return strings.Join(parts, word)
}

func (l Locale) items(items []*exprNode) string {
	var parts []string
	for _, item := range items {
		parts = append(parts, l.operand(item))
	}
	return strings.Join(parts, ", ")
}

func (l Locale) comparison(op exprOp) string {
	switch op {
	case opEqual:
		return l.pick(" is ", " é ")
	case opNotEqual:
		return l.pick(" is not ", " não é ")
	case opLess:
		return l.pick(" is below ", " é inferior a ")
	case opAtMost:
		return l.pick(" is at most ", " é no máximo ")
	case opGreater:
		return l.pick(" is above ", " é superior a ")
	case opAtLeast:
		return l.pick(" is at least ", " é no mínimo ")
	}
	return l.pick(" begins with ", " começa por ")
}

// operand names a value: a literal, a member, a length, or a condition in brackets.
func (l Locale) operand(n *exprNode) string {
	switch n.op {
	case opReference:
		return l.expressionMember(n.ref.pointer)
	case opSize:
		return l.pick("the length of ", "o comprimento de ") + l.operand(n.args[0])
	case opLiteral:
		return l.literal(n)
	}
	return "(" + l.condition(n, false) + ")"
}

func (l Locale) literal(n *exprNode) string {
	switch {
	case n.kind == kindMoney:
		return l.Money(Money{Minor: n.value.number, Currency: n.value.text})
	case n.kind == kindText:
		return quoted(n.value.text)
	case n.kind == kindInteger:
		return FormatUnits(n.value.number, UnitCount)
	case n.value.number == 1:
		return l.pick("true", "verdadeiro")
	}
	return l.pick("false", "falso")
}

// expressionMember names a place in the action; those that expressions alone can name have words of their own.
func (l Locale) expressionMember(pointer string) string {
	switch pointer {
	case "/type":
		return l.pick("kind of action", "tipo de ação")
	case amountPointer:
		return l.pick("amount", "montante")
	case amountCurrencyPointer:
		return l.pick("currency", "moeda")
	}
	return l.member(pointer)
}
