package spec_test

import (
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestNoHiddenText: what an approver is shown carries no line breaks, terminal escapes or directions of whoever drafted the content.
func TestNoHiddenText(t *testing.T) {
	w := writtest.Acme("hidden")
	for _, text := range []string{"Pay AWS\u001b[8m", "a\rb", "a\nb", "\u202eesrever", "zero\u200bwidth"} {
		for place, change := range map[string]func(v jcs.Value) jcs.Value{
			"name": func(v jcs.Value) jcs.Value { return v.With("name", writtest.Value(text)) },
			"resources": func(v jcs.Value) jcs.Value {
				subject, _ := v.Member("credentialSubject")
				terms, _ := subject.Member("mandate")
				return v.With("credentialSubject", subject.With("mandate", terms.With("resources", writtest.Value([]string{text}))))
			},
		} {
			if _, err := spec.FromValue(change(w.Mandate().Value)); err == nil {
				t.Errorf("%s: %q is shown to people", place, text)
			} else {
				wantReason(t, err, "text-hidden")
			}
		}
	}
}
