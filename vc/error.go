package vc

import (
	"errors"
	"fmt"

	"github.com/writ-trust/writ/internal/jcs"
)

// Error is what this package refuses with: a stable reason code and the JSON Pointer of the place.
type Error = jcs.Error

func refuse(reason, pointer, format string, args ...any) error {
	return &Error{Reason: reason, Pointer: pointer, Detail: fmt.Sprintf(format, args...)}
}

// within moves an error about a part of a document to the part's place.
func within(pointer string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	moved := *e
	moved.Pointer = pointer + e.Pointer
	return &moved
}
