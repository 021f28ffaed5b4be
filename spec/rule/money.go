package rule

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
)

// Money is an amount in minor units of a currency (cents for EUR, yen for JPY); in a document
// {"value":"4200.00","currency":"EUR"}. The zero Money is no amount. Nothing ever converts between currencies.
type Money struct {
	Minor    int64
	Currency string // a code of the pinned table
}

// UnitCount is the unit of counts; all other units are currency codes.
const UnitCount = "count"

const maxUnits = math.MaxInt64

// Errors of arithmetic on amounts.
var (
	ErrOverflow      = errors.New("amount does not fit in 64 bits")
	ErrOtherCurrency = errors.New("amounts are in different currencies")
)

// ParseAmount reads a value with exactly the currency's digits after the point. It refuses zero (money-zero), a code
// outside the table (currency-unknown), any other form (money-form) and what does not fit (money-range).
func ParseAmount(value, currency string) (Money, error) {
	m, err := ParseAmountOrZero(value, currency)
	if err == nil && m.Minor == 0 {
		err = refuse(ReasonMoneyZero, "/value", "the amount must be above zero")
	}
	if err != nil {
		return Money{}, err
	}
	return m, nil
}

// ParseAmountOrZero is ParseAmount for the places that allow zero.
func ParseAmountOrZero(value, currency string) (Money, error) {
	exponent, ok := Exponent(currency)
	if !ok {
		return Money{}, refuse(ReasonCurrencyUnknown, "/currency", "not a currency with minor units in "+CurrencyRelease)
	}
	whole, fraction, ok := cutAmount(value)
	if !ok || len(fraction) != exponent {
		return Money{}, refuse(ReasonMoneyForm, "/value",
			fmt.Sprintf("an amount in %s is up to 15 digits with exactly %d after the point", currency, exponent))
	}
	minor, err := parseDigits(whole, fraction)
	if err != nil {
		return Money{}, refuse(ReasonMoneyRange, "/value", ErrOverflow.Error())
	}
	return Money{Minor: minor, Currency: currency}, nil
}

// ParseMoney reads {"value","currency"}, above zero.
func ParseMoney(v jcs.Value) (Money, error) { return parseMoney(v, ParseAmount) }

// ParseMoneyOrZero is ParseMoney for the places that allow zero.
func ParseMoneyOrZero(v jcs.Value) (Money, error) { return parseMoney(v, ParseAmountOrZero) }

// wireMoney is Money in a document.
type wireMoney struct {
	Value    string `json:"value"`
	Currency string `json:"currency"`
}

func parseMoney(v jcs.Value, parse func(value, currency string) (Money, error)) (Money, error) {
	var w wireMoney
	if err := v.Decode(&w); err != nil {
		return Money{}, err
	}
	return parse(w.Value, w.Currency)
}

// UnmarshalJCS is ParseMoney.
func (m *Money) UnmarshalJCS(v jcs.Value) (err error) {
	*m, err = ParseMoney(v)
	return err
}

// OneFormJCS says that UnmarshalJCS takes nothing but what is written.
func (Money) OneFormJCS() {}

// MarshalJCS is the amount as a document has it. It refuses negative amounts and unknown currencies.
func (m Money) MarshalJCS() (jcs.Value, error) {
	if _, err := ParseAmountOrZero(m.Value(), m.Currency); err != nil {
		return jcs.Value{}, err
	}
	return jcs.ValueOf(wireMoney{Value: m.Value(), Currency: m.Currency})
}

// Value is the amount in digits, without the currency: "4200.00".
func (m Money) Value() string { return FormatUnits(m.Minor, m.Currency) }

// Add returns m + n. It fails with ErrOtherCurrency or ErrOverflow.
func (m Money) Add(n Money) (Money, error) { return m.combine(n, add) }

// Sub returns m − n, which may be negative. It fails with ErrOtherCurrency or ErrOverflow.
func (m Money) Sub(n Money) (Money, error) { return m.combine(n, sub) }

func (m Money) combine(n Money, op func(a, b int64) (int64, error)) (Money, error) {
	if m.Currency != n.Currency {
		return Money{}, ErrOtherCurrency
	}
	minor, err := op(m.Minor, n.Minor)
	if err != nil {
		return Money{}, err
	}
	return Money{Minor: minor, Currency: m.Currency}, nil
}

// Cmp compares like cmp.Compare. It fails with ErrOtherCurrency.
func (m Money) Cmp(n Money) (int, error) {
	if m.Currency != n.Currency {
		return 0, ErrOtherCurrency
	}
	return cmp.Compare(m.Minor, n.Minor), nil
}

func add(a, b int64) (int64, error) {
	if (b > 0 && a > math.MaxInt64-b) || (b < 0 && a < math.MinInt64-b) {
		return 0, ErrOverflow
	}
	return a + b, nil
}

func sub(a, b int64) (int64, error) {
	if (b < 0 && a > math.MaxInt64+b) || (b > 0 && a < math.MinInt64+b) {
		return 0, ErrOverflow
	}
	return a - b, nil
}

// FormatUnits writes n units in digits: minor units of a currency with its point, counts as an integer.
// The unit must be UnitCount or a currency of the table; any other is written as an integer.
func FormatUnits(n int64, unit string) string {
	exponent, _ := Exponent(unit)
	if n == 0 {
		return zeros[exponent]
	}
	var buffer [21]byte // a sign, 19 digits and a point, filled from behind
	at := len(buffer)
	for rest, digits := magnitude(n), 0; rest > 0 || digits <= exponent; digits++ {
		if digits == exponent && exponent > 0 {
			at--
			buffer[at] = '.'
		}
		at--
		buffer[at], rest = '0'+byte(rest%10), rest/10
	}
	if n < 0 {
		at--
		buffer[at] = '-'
	}
	return string(buffer[at:])
}

// zeros are nothing at all, by the digits after the point.
var zeros = [...]string{"0", "0.0", "0.00", "0.000", "0.0000"}

// magnitude is |n|, of the smallest n too.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func cutSign(digits string) (sign, rest string) {
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		return "-", rest
	}
	return "", digits
}

// ParseUnits reads what FormatUnits writes for n ≥ 0, and nothing else (units-form); unlike an amount, a total may be
// zero and may have more than 15 digits, as long as it fits in 64 bits.
func ParseUnits(s, unit string) (int64, error) {
	if _, ok := Exponent(unit); !ok && unit != UnitCount {
		return 0, refuse(ReasonCurrencyUnknown, "", "the unit is neither count nor a currency with minor units")
	}
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := parseDigits(whole, fraction)
	if err != nil || n < 0 || FormatUnits(n, unit) != s {
		return 0, refuse(ReasonUnitsForm, "", "a total is digits in its unit, in 64 bits")
	}
	return n, nil
}
