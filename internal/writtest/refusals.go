package writtest

import (
	"errors"
	"maps"

	"github.com/writ-trust/writ/spec"
)

// beyond counts a refusal that gets no entry. The caller holds the lock.
func (l *Ledger) beyond(err error) {
	var refused *spec.BeyondError
	if !errors.As(err, &refused) {
		return
	}
	counted := *l.states.ByContent(refused.Mandate)
	counted.Refusals.Beyond++
	l.states = maps.Clone(l.states)
	l.states[counted.Chain] = &counted
}
