# What the benchmark's mandate says, as a policy: who, when, what, from which account, to whom, and how much a day. What was used today
# is data that somebody else would have to keep: a policy engine writes nothing down.
package writ

default allow := false

allow if {
	m := data.mandates[input.mandate]
	m.status == "active"
	input.agent == m.agent
	now := time.now_ns()
	now >= time.parse_rfc3339_ns(m.validFrom)
	now < time.parse_rfc3339_ns(m.validUntil)
	input.action.type in m.actions
	input.action.resource in m.resources
	input.action.counterparty.id in m.payees
	input.action.amount + m.used <= m.max
}
