package journal

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/writ-trust/writ/internal/writtest"
)

func TestTemplates(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	template := writtest.Template()
	for range 2 {
		if err := b.j.PutTemplate(ctx, org, template); err != nil {
			t.Fatal(err)
		}
	}
	r, err := b.j.Record(ctx, org, template.Digest)
	if err != nil || !bytes.Equal(r.Document.Bytes(), template.Bytes()) || r.Entry != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := b.j.Record(ctx, "rival", template.Digest); !errors.Is(err, ErrNotFound) {
		t.Errorf("another organisation's: %v", err)
	}
}
