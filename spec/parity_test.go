package spec_test

import (
	"reflect"
	"strings"
)

// memberNames lists the JSON names of a struct's fields, those of embedded structs included.
func memberNames(of any) []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
