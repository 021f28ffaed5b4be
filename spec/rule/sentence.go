package rule

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
)

// Catalogue is the version of all sentences of this package, in every locale. It changes with any word of them, since
// approvals commit to what was shown (protocol.md 6.4).
const Catalogue = "1"

// A Locale is a language that limits are said in. Anything but the constants below reads as English.
type Locale string

// The locales of the catalogue.
const (
	English    Locale = "en"
	Portuguese Locale = "pt" // as written in Portugal
)

// Locales lists the locales of the catalogue.
func Locales() []Locale { return []Locale{English, Portuguese} }

// pick chooses the wording of the locale.
func (l Locale) pick(english, portuguese string) string {
	if l == Portuguese {
		return portuguese
	}
	return english
}

const noBreak = "\u00a0" // between digits and between amount and currency, so that lines never end inside an amount

// Money writes an amount for people: €10,000.00 or 10 000,00 €. Only the euro and the pound have signs: every other
// sign belongs to several currencies.
func (l Locale) Money(m Money) string {
	whole, fraction, _ := strings.Cut(m.Value(), ".")
	negative, whole := cutSign(whole)
	text := negative + group(whole, l.pick(",", noBreak))
	if fraction != "" {
		text += l.pick(".", ",") + fraction
	}
	symbol := sign(m.Currency)
	switch {
	case l == Portuguese:
		return text + noBreak + cmp.Or(symbol, m.Currency)
	case symbol != "":
		return symbol + text
	}
	return m.Currency + noBreak + text
}

func sign(currency string) string {
	switch currency {
	case "EUR":
		return "€"
	case "GBP":
		return "£"
	}
	return ""
}

// Units writes a total for people: an amount of money, or "3 actions".
func (l Locale) Units(n int64, unit string) string {
	if unit != UnitCount {
		return l.Money(Money{Minor: n, Currency: unit})
	}
	if n == 1 {
		return l.pick("1 action", "1 ação")
	}
	return strconv.FormatInt(n, 10) + l.pick(" actions", " ações")
}

// group sets the separator between thousands.
func group(digits, separator string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return digits
}

// Lift says what a recovery would allow above a limit: over, in units, once.
func (l Locale) Lift(c Constraint, over int64, unit string) string {
	return l.pick("once, ", "uma vez, ") + l.Units(over, unit) + l.pick(" above this limit: ", " acima deste limite: ") +
		c.Sentence(l)
}

// span says how long a limit counts and when it begins anew.
func (l Locale) span(s span) string {
	switch {
	case s.Per == "":
		return l.pick("in total", "no total")
	case s.Rolling:
		return rollingSpans[s.Per].in(l)
	}
	return calendarSpans[s.Per].in(l) + l.place(s.Zone)
}

// wording is one part of a sentence in both locales.
type wording struct{ english, portuguese string }

func (w wording) in(l Locale) string { return l.pick(w.english, w.portuguese) }

var (
	rollingSpans = map[string]wording{
		Day:   {"in any 24 hours", "em quaisquer 24 horas"},
		Week:  {"in any 7 days", "em quaisquer 7 dias"},
		Month: {"in any 31 days", "em quaisquer 31 dias"},
		Year:  {"in any 366 days", "em quaisquer 366 dias"},
	}
	calendarSpans = map[string]wording{
		Day:   {"a day; resets at midnight ", "por dia; recomeça à meia-noite "},
		Week:  {"a week; resets on Monday at midnight ", "por semana; recomeça à segunda-feira, à meia-noite "},
		Month: {"a month; resets on the 1st at midnight ", "por mês; recomeça no dia 1, à meia-noite "},
		Year:  {"a year; resets on 1 January at midnight ", "por ano; recomeça a 1 de janeiro, à meia-noite "},
	}
)

// places holds the cities that Portuguese spells otherwise.
var places = map[string]string{
	"Europe/Lisbon": "em Lisboa", "Europe/London": "em Londres", "Europe/Brussels": "em Bruxelas",
	"Europe/Berlin": "em Berlim", "Europe/Rome": "em Roma", "Europe/Vienna": "em Viena", "Europe/Zurich": "em Zurique",
	"Europe/Luxembourg": "no Luxemburgo", "Europe/Copenhagen": "em Copenhaga", "Europe/Stockholm": "em Estocolmo",
	"Europe/Warsaw": "em Varsóvia", "Europe/Athens": "em Atenas", "Europe/Moscow": "em Moscovo",
	"Atlantic/Madeira": "na Madeira", "Atlantic/Azores": "nos Açores", "America/New_York": "em Nova Iorque",
	"America/Sao_Paulo": "em São Paulo", "Asia/Tokyo": "em Tóquio", "Asia/Shanghai": "em Xangai",
	"Asia/Singapore": "em Singapura",
}

// place says where a wall clock hangs: "in Lisbon", "UTC", or the zone's whole name where it is no city.
func (l Locale) place(zone string) string {
	if zone == "UTC" {
		return zone
	}
	if special, ok := places[zone]; ok && l == Portuguese {
		return special
	}
	if city, ok := cityOf(zone); ok {
		return l.pick("in ", "em ") + strings.ReplaceAll(city, "_", " ")
	}
	return l.pick("in the zone ", "no fuso ") + zone
}

// member names a place in the action.
func (l Locale) member(pointer string) string {
	switch pointer {
	case payeePointer:
		return l.pick("payee", "beneficiário")
	case "/resource":
		return l.pick("account or resource", "conta ou recurso")
	}
	if !isPlainPointer(pointer) {
		pointer = quoted(pointer)
	} else if parameter, ok := strings.CutPrefix(pointer, "/parameters/"); ok {
		return l.pick("parameter ", "parâmetro ") + parameter
	}
	return l.pick("member ", "campo ") + pointer
}

// quoted writes a text as canonical JSON: other languages, and later versions of this one, quote in the same way.
func quoted(text string) string {
	v, err := jcs.ValueOf(text)
	if err != nil {
		return "?" // not a text that a document can hold
	}
	return string(v.Canonical())
}
