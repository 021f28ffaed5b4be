package history

import (
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"
)

// windowSteps is how many changes of one account porcupine orders at once: more take it too long, or for ever.
const windowSteps = 24

// CheckWindows is Check, and porcupine on windows of each account, each from what the linear pass says was there. A window that it does
// not decide within the time is counted, and no problem: the linear pass has.
func CheckWindows(h *History, within time.Duration) *Result {
	r, steps := check(h)
	for a, all := range steps {
		for ; len(all) > 0; all = all[min(len(all), windowSteps):] {
			window := all[:min(len(all), windowSteps)]
			r.Windows++
			switch porcupine.CheckOperationsTimeout(budget(window[0].before), operations(window), within) {
			case porcupine.Illegal:
				r.Problems = append(r.Problems, fmt.Sprintf("porcupine: no order explains %d changes of %s", len(window), a.constraint))
			case porcupine.Unknown:
				r.Unknown++
			}
		}
	}
	return r
}

func operations(window []step) []porcupine.Operation {
	var all []porcupine.Operation
	for i, s := range window {
		all = append(all, porcupine.Operation{ClientId: i, Input: s, Call: s.invoke, Return: s.back})
	}
	return all
}

// budget is the account as porcupine knows it: a decision finds exactly what is there.
func budget(before totals) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return before },
		Step: func(state, input, _ any) (bool, any) {
			now, s := state.(totals), input.(step)
			ok := s.saw == nil || *s.saw == now
			return ok, totals{now.held + s.held, now.committed + s.committed}
		},
	}
}
