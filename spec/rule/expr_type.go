package rule

// exprKind is the type of a part of an expression. Types are settled when it is parsed: no value is ever converted.
type exprKind uint8

const (
	kindOpen exprKind = iota // a parameter whose type its use has not told yet
	kindBool
	kindInteger
	kindText
	kindMoney
)

func (k exprKind) String() string {
	return [...]string{"unknown", "boolean", "integer", "text", "money"}[k]
}

// kindNow is the type as far as it is known. That of a parameter is told by its use: what it is compared with, or where
// it stands.
func (n *exprNode) kindNow() exprKind {
	if n.op == opReference {
		return n.ref.kind
	}
	return n.kind
}

// listKind is the type that the next item of a list must have: that of the first, which is a text or an integer.
func (n *exprNode) listKind(first exprKind) exprKind {
	if len(n.args) > 1 {
		return n.args[1].kind
	}
	return first
}

// want settles a parameter's type, and refuses any other part that is not of the type.
func (r *exprReader) want(n *exprNode, kind exprKind) {
	switch now := n.kindNow(); {
	case now == kindOpen:
		n.ref.kind = kind
	case now != kind && r.err == nil:
		r.fail(ReasonExpressionType, n.at, "this is of type "+now.String()+", and must be "+kind.String())
	}
}

// unify gives both sides of a comparison one type, and reports whether one of them had told it.
func (r *exprReader) unify(n *exprNode) bool {
	left, right := n.args[0], n.args[1]
	kind := left.kindNow()
	if kind == kindOpen {
		kind = right.kindNow()
	}
	if kind == kindOpen {
		return false
	}
	r.want(left, kind)
	r.want(right, kind)
	if ordered := n.op != opEqual && n.op != opNotEqual; ordered && kind != kindInteger && kind != kindMoney {
		r.fail(ReasonExpressionType, n.at, "only integers and amounts have an order")
	}
	return true
}

// settle unifies comparisons of two parameters until no type is told any more.
func (r *exprReader) settle() {
	for told := true; told; {
		told = false
		var open []*exprNode
		for _, n := range r.open {
			if r.unify(n) {
				told = true
			} else {
				open = append(open, n)
			}
		}
		r.open = open
	}
}
