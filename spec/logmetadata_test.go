package spec_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

var described = spec.LogMetadata{Type: spec.TypeLogMetadata, Version: spec.Version, Origin: "writ.example/log1", Key: "writ.example/log1+0+0", Policy: "https://writ.example/policy",
	PublishWithin: 2, MaxEntrySize: spec.MaxEntry, Retired: []spec.RetiredLog{{Origin: "writ.example/log0", Key: "writ.example/log0+0+0", Size: 7}}}

func TestLogMetadata(t *testing.T) {
	text, _ := spec.Schema("logmetadata")
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	walk{t, nil}.same("logmetadata", reflect.TypeOf(described), schema)
	data, err := jcs.Marshal(described)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := spec.ParseLogMetadata(data, "writ.example/log1"); err != nil || !reflect.DeepEqual(*m, described) {
		t.Fatalf("%+v %v", m, err)
	}
	for change, reason := range map[[2]string]string{{"LogMetadata", "Mandate"}: "type-unknown", {`"version":"1"`, `"version":"2"`}: "version-unknown",
		{`"origin":"writ.example/log1"`, `"origin":"other"`}: "checkpoint-origin", {`"publishWithin":2`, `"publishWithin":-2`}: "member-range",
		{`"minIndex":0`, `"minIndex":0,"more":1`}: "member-unknown"} {
		_, err := spec.ParseLogMetadata([]byte(strings.Replace(string(data), change[0], change[1], 1)), "writ.example/log1")
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

func FuzzLogMetadata(f *testing.F) {
	data, err := jcs.Marshal(described)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := spec.ParseLogMetadata(data, "writ.example/log1")
		if err == nil && (m.Origin != "writ.example/log1" || m.PublishWithin < 0 || m.MaxCheckpointAge < 0) {
			t.Errorf("%+v", m)
		}
	})
}
