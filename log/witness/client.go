package witness

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/writ-trust/writ/log"
)

// Doer sends a request, as http.Client does. It must not follow redirects: a witness is where the policy says.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

const (
	maxAnswer = 64 << 10         // bytes: room for 16 lines of the longest assigned signature type
	patience  = 10 * time.Second // for one answer
)

// errInconsistent says that a witness finds that our checkpoint does not continue what it cosigned (status 422).
var errInconsistent = errors.New("it cosigned another tree")

// add sends an add-checkpoint request and returns the signature line of the witness, in canonical form. A 409 is a ConflictError.
// What a witness answers is believed only where its key has signed it.
func add(ctx context.Context, client Doer, w log.PolicyWitness, r Request) ([]byte, error) {
	status, body, err := ask(ctx, client, http.MethodPost, strings.TrimSuffix(w.URL, "/")+"/add-checkpoint", r.Marshal())
	if err != nil {
		return nil, err
	}
	switch status {
	case http.StatusOK:
		return lineOf(r.Checkpoint, body, w.Key)
	case http.StatusConflict:
		return nil, conflictOf(body)
	case http.StatusUnprocessableEntity:
		return nil, errInconsistent
	}
	return nil, fmt.Errorf("status %d", status)
}

// ask sends one request, and reads as much of the answer as may be.
func ask(ctx context.Context, client Doer, method, url string, body []byte) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		err = fmt.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	return response.StatusCode, answer, err
}

func conflictOf(body []byte) error {
	text, ended := strings.CutSuffix(string(body), "\n")
	size, err := parseSize(text)
	if err != nil || !ended {
		return errors.New("status 409 without a size")
	}
	return &ConflictError{size}
}

// lineOf finds the key's signature over the checkpoint among an answer's lines (tlog-witness.md, "add-checkpoint": signatures of
// unknown keys are ignored).
func lineOf(checkpoint, lines []byte, key *log.Verifier) ([]byte, error) {
	text, _, _ := bytes.Cut(checkpoint, []byte("\n\n"))
	n, err := note.Open(append(append(bytes.Clone(text), "\n\n"...), lines...), note.VerifierList(key))
	if err != nil {
		return nil, fmt.Errorf("status 200 without its cosignature: %w", err)
	}
	signature, err := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(signature[4:12], make([]byte, 8)) { // a verified cosignature has an id of 4 bytes and a time of 8
		return nil, errors.New("a cosignature without a time")
	}
	return []byte("— " + key.Name() + " " + base64.StdEncoding.EncodeToString(signature) + "\n"), nil
}
