package rule

import "strings"

// CurrencyRelease names the pinned currency table, for a decision's env.currency.
const CurrencyRelease = "iso-4217/2026-01-01"

// The active codes of ISO 4217 list one with the number of digits after the point. Codes without minor units (metals,
// bond units, special drawing rights, test and no currency) are left out, so they are unknown here
// (protocol.md 2.2).
var exponents = table(map[int]string{
	0: `BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF`,
	2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
		CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
		IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
		MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
		SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG
		YER ZAR ZMW ZWG`,
	3: `BHD IQD JOD KWD LYD OMR TND`,
	4: `CLF UYW`,
})

// table has 1 more than the exponent of each code at its place, 0 where no currency is.
func table(rows map[int]string) (t [letters * letters * letters]uint8) {
	for exponent, codes := range rows {
		for _, code := range strings.Fields(codes) {
			at, _ := place(code)
			t[at] = uint8(exponent) + 1
		}
	}
	return t
}

const letters = 26

// place numbers the codes of three capital letters.
func place(code string) (at int, ok bool) {
	if len(code) != 3 {
		return 0, false
	}
	for i := range len(code) {
		letter := code[i] - 'A'
		if letter >= letters {
			return 0, false
		}
		at = at*letters + int(letter)
	}
	return at, true
}

// Exponent returns how many digits an amount in the currency has after the point; false for a code that is not in
// the table, which is then no currency at all.
func Exponent(currency string) (int, bool) {
	at, ok := place(currency)
	if !ok || exponents[at] == 0 {
		return 0, false
	}
	return int(exponents[at]) - 1, true
}
