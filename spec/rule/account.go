package rule

import (
	"slices"

	"github.com/writ-trust/writ/internal/jcs"
)

// accounts are the types that Draw from a window and that ask nobody.
var accounts = []string{"budget", "count", "interval"}

// IsAccount says whether the constraint keeps an account that no person's approval belongs to: a budget, a count or an interval.
func IsAccount(c Constraint) bool { return slices.Contains(accounts, c.Type()) }

// SameAccount says whether two constraint objects of one id count the same: equal but for how much. Where they do not, what was
// counted under one says nothing under the other.
func SameAccount(a, b jcs.Value) bool {
	from, to := a.Without("max"), b.Without("max")
	x, _ := a.Lookup("/max/currency")
	y, _ := b.Lookup("/max/currency")
	return from.Equal(to) && x.Equal(y)
}

// Narrows says whether one constraint object lets through nothing that the one before it did not: it is equal, but for a max that
// is not larger, values of a oneOf that are fewer, or values of a noneOf that are more.
func Narrows(after, before jcs.Value) bool {
	if after.Equal(before) {
		return true
	}
	name, _ := before.Member("type")
	kind, _ := name.Text()
	varied := map[string]string{"amount": "max", "budget": "max", "count": "max", "oneOf": "values", "noneOf": "values"}[kind]
	if varied == "" || !after.Without(varied).Equal(before.Without(varied)) {
		return false
	}
	is, _ := after.Member(varied)
	was, _ := before.Member(varied)
	switch kind {
	case "oneOf":
		return among(is.Elements(), was.Elements())
	case "noneOf":
		return among(was.Elements(), is.Elements())
	}
	return notLarger(is, was)
}

// among says whether every value of a is one of b.
func among(a, b []jcs.Value) bool {
	return !slices.ContainsFunc(a, func(x jcs.Value) bool { return !slices.ContainsFunc(b, x.Equal) })
}

// notLarger compares two max members: both money of one currency, or both counts. Where there was none, any is.
func notLarger(is, was jcs.Value) bool {
	if was.IsZero() || is.IsZero() {
		return was.IsZero()
	}
	if n, counts := is.Int(); counts {
		m, same := was.Int()
		return same && n <= m
	}
	n, err := ParseMoney(is)
	if err != nil {
		return false
	}
	m, err := ParseMoney(was)
	if err != nil {
		return false
	}
	order, err := n.Cmp(m)
	return err == nil && order <= 0
}
