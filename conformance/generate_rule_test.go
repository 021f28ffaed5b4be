package conformance

import (
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

func instant(text string) spec.Time {
	at, err := rule.ParseTime(text)
	if err != nil {
		panic(err)
	}
	return spec.At(at)
}

func windowVectors(b *book) {
	ask := func(name, title, per, zone, at string, want RuleEnd) {
		b.put("window/"+name, Vector{Title: title, Section: bytesClause, Kind: KindRule,
			Rule: &Rule{Window: &WindowAsk{Per: per, Zone: zone, Rolling: zone == ""}, At: instant(at), Want: want}})
	}
	window := func(from, to string) RuleEnd { return RuleEnd{Holds: true, From: instant(from), To: instant(to)} }
	ask("day-in-winter", "Lisbon is at UTC in winter.", "P1D", "Europe/Lisbon", "2026-12-01T09:00:00Z", window("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"))
	ask("day-in-utc-instead-of-zone", "23:30Z in June is tomorrow in Lisbon.", "P1D", "Europe/Lisbon", "2026-06-01T23:30:00Z", window("2026-06-01T23:00:00Z", "2026-06-02T23:00:00Z"))
	ask("day-with-a-gap", "A day of 23 hours: clocks skip an hour.", "P1D", "Europe/Lisbon", "2027-03-28T12:00:00Z", window("2027-03-28T00:00:00Z", "2027-03-28T23:00:00Z"))
	ask("day-with-an-overlap", "A day of 25 hours: clocks repeat an hour.", "P1D", "Europe/Lisbon", "2026-10-25T12:00:00Z", window("2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"))
	ask("day-that-starts-at-one", "In Santiago clocks skip midnight: the day begins at 01:00.", "P1D", "America/Santiago", "2026-09-06T12:00:00Z", window("2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"))
	ask("instant-before-a-day-that-starts-at-one", "One second before, it is still the day before.", "P1D", "America/Santiago", "2026-09-06T03:59:59Z", window("2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z"))
	ask("midnight-that-comes-twice", "In Havana 00:00 to 01:00 comes twice: the day begins once, at the first.", "P1D", "America/Havana", "2026-11-01T05:30:00Z", window("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"))
	ask("hour-before-midnight-that-comes-twice", "In Santiago 23:00 to 24:00 comes twice; both belong to the old day.", "P1D", "America/Santiago", "2026-04-05T03:30:00Z", window("2026-04-04T03:00:00Z", "2026-04-05T04:00:00Z"))
	ask("day-skipped", "Samoa had no 30 December 2011: the 29th ends where the 31st begins.", "P1D", "Pacific/Apia", "2011-12-30T09:59:59Z", window("2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"))
	ask("week-over-new-year", "Weeks are ISO: Friday 1 January 2027 is in the week from Monday 28 December.", "P1W", "Europe/Lisbon", "2027-01-01T12:00:00Z", window("2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"))
	ask("month-with-a-gap", "March is an hour short.", "P1M", "Europe/Lisbon", "2027-03-31T22:59:59Z", window("2027-03-01T00:00:00Z", "2027-03-31T23:00:00Z"))
	ask("leap-day", "29 February in a zone of odd minutes.", "P1D", "Asia/Kathmandu", "2028-02-29T12:00:00Z", window("2028-02-28T18:15:00Z", "2028-02-29T18:15:00Z"))
	ask("year-at-utc-plus-14", "The year begins in Kiritimati first.", "P1Y", "Pacific/Kiritimati", "2026-12-31T10:00:00Z", window("2026-12-31T10:00:00Z", "2027-12-31T10:00:00Z"))
	ask("end-belongs-to-the-next", "Windows are [from, to).", "P1D", "Europe/Lisbon", "2026-12-02T00:00:00Z", window("2026-12-02T00:00:00Z", "2026-12-03T00:00:00Z"))
	ask("rolling-day", "A rolling day is a sum of fixed buckets, never less than a day.", "P1D", "", "2026-12-01T09:30:00Z",
		RuleEnd{Holds: true, From: instant("2026-12-01T09:00:00Z"), To: instant("2026-12-01T10:00:00Z"), SumFrom: instant("2026-11-30T09:00:00Z")})
	ask("unknown-zone", "A zone that is not in the table.", "P1D", "Europe/Lisboa", "2026-12-01T09:00:00Z", RuleEnd{Reason: "zone-unknown", Pointer: "/zone"})
	ask("local-zone", "The machine's own zone is none.", "P1D", "Local", "2026-12-01T09:00:00Z", RuleEnd{Reason: "zone-unknown", Pointer: "/zone"})
	ask("unknown-period", "P2D is no period.", "P2D", "Europe/Lisbon", "2026-12-01T09:00:00Z", RuleEnd{Reason: "period-unknown", Pointer: "/per"})
}

func constraintVectors(b *book) {
	w := world("constraint")
	action := func(edits ...Edit) string {
		data, err := applyEdits(w.Action("42.00", func(a *spec.Action) { a.Parameters = parse(`{"region":"eu","urgent":true}`) }).Canonical(), edits)
		b.must(err)
		return string(data)
	}
	ask := func(name, title, constraint, action, at string, want RuleEnd) {
		b.put("constraint/"+name, Vector{Title: title, Section: mandateClause, Kind: KindRule,
			Rule: &Rule{Constraint: parse(constraint), Action: parse(action), At: instant(at), Want: want}})
	}
	broken := func(reason, pointer string) RuleEnd { return RuleEnd{Violation: reason, Pointer: pointer} }
	holds := RuleEnd{Holds: true}
	noon := spec.At(writtest.Start.Add(3 * time.Hour)).String()
	noneOf := `{"id":"not-there","type":"noneOf","pointer":"/parameters/region","values":["us","ru"]}`
	ask("none-of-absent", "An absent field does not pass noneOf.", noneOf, action(remove("/parameters/region")), noon, broken("value-absent", "/parameters/region"))
	ask("none-of-listed", "An excluded value.", noneOf, action(set("/parameters/region", "us")), noon, broken("value-listed", "/parameters/region"))
	ask("none-of-array-with-listed", "An array is no listed value and no other text.", noneOf, action(set("/parameters/region", []string{"us"})), noon, broken("value-other-kind", "/parameters/region"))
	ask("none-of", "Another value.", noneOf, action(), noon, holds)
	oneOf := `{"id":"payee","type":"oneOf","pointer":"/counterparty/id","values":["` + writtest.Payee + `"]}`
	ask("one-of-absent", "An absent field does not pass oneOf.", oneOf, action(remove("/counterparty")), noon, broken("value-absent", "/counterparty/id"))
	ask("one-of-other", "Another payee.", oneOf, action(set("/counterparty/id", "lei:OTHER")), noon, broken("value-not-listed", "/counterparty/id"))
	ask("one-of-other-case", "Equality is by JCS bytes.", oneOf, action(set("/counterparty/id", "LEI:ZXTILKJKG63JELOEG630")), noon, broken("value-not-listed", "/counterparty/id"))
	ask("one-of-with-name-in-list", "The name is for people and limits nothing.", oneOf, action(set("/counterparty/id", "lei:OTHER"), set("/counterparty/name", writtest.Payee)), noon, broken("value-not-listed", "/counterparty/id"))
	ask("one-of", "The payee.", oneOf, action(), noon, holds)
	urgent := `{"id":"calm","type":"oneOf","pointer":"/parameters/urgent","values":[false]}`
	ask("one-of-text-for-boolean", "\"false\" is not false.", urgent, action(set("/parameters/urgent", "false")), noon, broken("value-other-kind", "/parameters/urgent"))
	amount := `{"id":"each","type":"amount","min":{"value":"10.00","currency":"EUR"},"max":{"value":"50.00","currency":"EUR"}}`
	ask("amount-absent", "An action without an amount does not pass a limit on amounts.", amount, action(remove("/amount")), noon, broken("amount-absent", "/amount"))
	ask("amount-in-other-currency", "Nothing is converted.", amount, action(set("/amount/currency", "USD")), noon, broken("currency-other", "/amount/currency"))
	above := broken("amount-above-max", "/amount")
	above.Over = "0.01"
	ask("amount-a-cent-above", "A cent above, which a lift of a cent admits.", amount, action(set("/amount/value", "50.01")), noon, above)
	ask("amount-below-min", "Below the least, which no lift admits.", amount, action(set("/amount/value", "9.99")), noon, broken("amount-below-min", "/amount"))
	ask("amount-of-exactly-max", "The limit itself is inside.", amount, action(set("/amount/value", "50.00")), noon, holds)
	daily := `{"id":"daily","type":"budget","max":{"value":"100.00","currency":"EUR"},"per":"P1D","zone":"Europe/Lisbon"}`
	ask("budget-without-amount", "A budget asks for an amount.", daily, action(remove("/amount")), noon, broken("amount-absent", "/amount"))
	ask("budget-in-other-currency", "Nothing is converted.", daily, action(set("/amount/currency", "USD")), noon, broken("currency-other", "/amount/currency"))
	hours := `{"id":"office","type":"hours","from":"09:00","to":"17:00","zone":"Europe/Lisbon","days":["mon","tue","wed","thu","fri"]}`
	ask("hours-in-utc-instead-of-zone", "08:30Z in June is 09:30 in Lisbon.", hours, action(), "2026-06-01T08:30:00Z", holds)
	ask("hours-at-the-end", "Hours are [from, to).", hours, action(), "2026-12-01T17:00:00Z", broken("outside-hours", ""))
	ask("hours-on-saturday", "Not on this day.", hours, action(), "2026-12-05T12:00:00Z", broken("outside-hours", ""))
	night := `{"id":"night","type":"hours","from":"22:00","to":"06:00","zone":"Europe/Lisbon","days":["fri"]}`
	ask("hours-across-midnight", "Friday's night ends on Saturday.", night, action(), "2026-12-05T05:59:59Z", holds)
	ask("hours-of-the-night-before", "Thursday's night is not Friday's.", night, action(), "2026-12-04T05:00:00Z", broken("outside-hours", ""))
	refused := func(name, title, constraint, reason, pointer string) {
		b.doc("constraint/"+name, mandateClause, title, "constraint", constraint, no(reason, pointer))
	}
	refused("type-absent", "A constraint has a type.", `{"id":"x"}`, "constraint-unknown", "/type")
	refused("list-of-mixed-types", "Values of one JSON type.", `{"id":"x","type":"oneOf","pointer":"/resource","values":["1",1]}`, "constraint-invalid", "/values/1")
	refused("list-with-value-twice", "Each value once.", `{"id":"x","type":"oneOf","pointer":"/resource","values":["1","1"]}`, "constraint-invalid", "/values/1")
	refused("amount-without-limits", "A limit limits something.", `{"id":"x","type":"amount"}`, "constraint-invalid", "")
	refused("amount-in-two-currencies", "Min and max in one currency.", `{"id":"x","type":"amount","min":{"value":"1.00","currency":"EUR"},"max":{"value":"2.00","currency":"USD"}}`, "constraint-invalid", "/max")
	refused("budget-of-zero", "A budget is above zero.", `{"id":"x","type":"budget","max":{"value":"0.00","currency":"EUR"}}`, "money-zero", "/max/value")
	refused("count-as-text", "A count is an integer.", `{"id":"x","type":"count","max":"3"}`, "member-type", "/max")
	refused("id-in-capitals", "Ids are small.", `{"id":"Daily","type":"count","max":3}`, "constraint-id", "/id")
}
