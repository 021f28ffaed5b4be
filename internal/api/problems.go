package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// statuses is the one table from reason codes to HTTP. What is not in it answers 500 "internal", and its detail stays in our log.
var statuses = byCode(map[int]string{
	// The bytes are not what any operation reads.
	http.StatusBadRequest: `json-depth json-syntax json-trailing-data json-utf8 json-surrogate json-noncharacter json-duplicate-name
		json-case-variant json-number json-not-object json-null json-empty json-not-nfc request-syntax query-unknown cursor-syntax`,
	http.StatusUnauthorized: "unauthenticated",
	// Who asks, or who signed, may not.
	http.StatusForbidden: "forbidden-scope hosted-agent-absent not-entitled approver-not-named revoker-unknown",
	// Unknown here, or somebody else's.
	http.StatusNotFound: `not-found erasure-unknown chain-unknown decision-unknown proposal-unknown recovery-unknown parent-unknown roster-unknown
		ancestor-missing tile-path`,
	http.StatusMethodNotAllowed: "method-not-allowed",
	http.StatusGone:             "document-erased",
	// Well-formed, but the ledger stands otherwise.
	http.StatusConflict: `key-reused draft-closed mandate-exists parent-inactive proposal-closed proposal-expired recovery-open
		not-suspended not-a-charge status-transition position-stale time-backwards decision-not-authorized decision-repeated
		action-other executor-other payload-other hold-entered hold-lapsed hold-closed holds-many words-many hosted-agents-many report-final external-ref-reused report-order
		report-agent budget-exceeded money-overflow mandate-draft mandate-declined mandate-suspended mandate-revoked
		mandate-expired mandate-not-yet-valid roster-previous roster-repeated roster-identity roster-stale policy-previous policy-identity veto-late approval-declined
		approvals-missing receipt-none erasure-kept export-foreign lift-unbacked table-rule`,
	http.StatusRequestEntityTooLarge: "json-size request-too-large entry-size",
	http.StatusUnsupportedMediaType:  "unsupported-media-type",
	// The document does not hold.
	http.StatusUnprocessableEntity: `member-unknown member-missing member-type member-range member-value member-empty encoding-invalid
		digest-syntax salt-syntax time-syntax duration-syntax id-syntax did-syntax pointer-syntax type-unknown type-fixed
		context-fixed version-unknown mode-unknown mode-other validity-absent validity-order grantor-mismatch evidence-shape
		evidence-approval-shape subject-key ledger-syntax action-pattern action-type resource-absent
		resource-repeated nonce-length payload-absent idempotency-key constraints-many constraint-repeated recovery-repeated
		recovery-foreign recovery-unliftable recovery-unbounded recovery-window approval-clause text-hidden issuer-unknown approver-repeated approver-unknown threshold-range grade-unknown
		delegation-depth child-approvers child-status child-issuer child-parent child-grantor child-ledger child-validity
		child-depth child-self-executed child-policies policies-many policy-version policy-shared policy-account policy-foreign policy-unknown roster-version roster-threshold roster-person roster-key roster-party recovery-delay recovery-other executor-role
		lift-foreign notice-act decision-result decision-missing decision-check decision-identity decision-execute-before
		report-outcome report-amount receipt-foreign receipt-outcome mandate-incomplete supplement-alone approval-kind
		approval-decision approval-expiry approval-expired approval-stale approval-future approval-not-logged power-missing
		roster-not-pinned seal-unknown draft-signed status-unsupported not-an-event too-many-chains position-status position-absent ledger-other
		subject-other presentation-stale presentation-life presentation-audience holder-other commit-other executor-unknown
		resource-owner executor-is-agent constraint-unknown constraint-invalid constraint-id pointer-invalid pointer-name
		zone-unknown period-unknown duration-form pattern-invalid expression-size expression-syntax expression-name expression-type
		time-form time-range money-form money-zero money-range currency-unknown currency-other
		units-form key-syntax did-multikey did-key-type did-key-point did-jwk did-method proof-missing proof-not-single
		proof-present proof-empty proof-context proof-type proof-suite proof-key proof-value proof-high-s proof-signature
		proof-method proof-purpose proof-audience proof-domain proof-challenge proof-time proof-life proof-early proof-expired
		credentials-many credential-form credential-unasked credential-repeated credential-issuer vc-context vc-type vc-id vc-issuer
		vc-subject vc-status vc-evidence vc-time status-entry status-list status-encoding status-size
		template-invalid templates-many template-repeated template-unknown template-other
		rdf-context rdf-keyword rdf-term rdf-reference rdf-character rdf-size rdf-poison rdf-processing`,
	http.StatusTooManyRequests:    "rate-limited refusals-many",
	http.StatusServiceUnavailable: "indeterminate not-witnessed not-replayed heads-not-ready read-only",
	// Our own failure.
	http.StatusInternalServerError: "internal",
})

func byCode(table map[int]string) map[string]int {
	all := map[string]int{}
	for status, codes := range table {
		for _, code := range strings.Fields(codes) {
			all[code] = status
		}
	}
	return all
}

// problem is the body of every answer that is no success (RFC 9457). It says what was found and where, and never echoes a value.
type problem struct {
	Type      string `json:"type" doc:"A URI of the reason code"`
	Title     string `json:"title" doc:"What was found, in one sentence"`
	Status    int    `json:"status"`
	Code      string `json:"code" doc:"Stable reason code; see writ explain"`
	Pointer   string `json:"pointer,omitempty" doc:"RFC 6901 JSON Pointer of the place in the document, or ? and the name of a query parameter"`
	Offset    *int   `json:"offset,omitempty" doc:"Of the byte, from 0, at which reading the body stopped"`
	Scope     string `json:"scope,omitempty" doc:"The scope that the API key lacks"`
	Remedy    string `json:"remedy,omitempty" doc:"What to do about it, in one sentence"`
	RequestID string `json:"request_id" doc:"Names this request in the server's log"`
}

const (
	reasonURI   = "https://w3id.org/writ/v1/reasons#"
	problemType = "application/problem+json"
	maxPointer  = 512 // names in a pointer are the caller's: long ones are left out
)

// codeOf is the reason of an error and its place in the document. Identity, authenticity and authority are one reason without a
// place: whoever holds a stolen mandate learns nothing.
func codeOf(err error) (code, pointer string) {
	var hidden *verifier.NotEntitledError
	var refusal *spec.Error
	var scope *scopeError
	switch {
	case errors.As(err, &hidden):
		return "not-entitled", ""
	case errors.As(err, &scope):
		return "forbidden-scope", ""
	case errors.Is(err, journal.ErrClosed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "indeterminate", ""
	case errors.Is(err, log.ErrNotFound):
		return "not-found", ""
	case errors.As(err, &refusal):
		return refusal.Reason, refusal.Pointer
	}
	return "internal", ""
}

// problemOf writes an error down, and what the caller is not told into our log.
func (s *Server) problemOf(ctx context.Context, err error) problem {
	code, pointer := codeOf(err)
	status, listed := statuses[code]
	if !listed {
		code, pointer, status = "internal", "", http.StatusInternalServerError
	}
	var hidden *verifier.NotEntitledError
	switch {
	case errors.As(err, &hidden):
		s.Logger.InfoContext(ctx, "not entitled", "reason", hidden.Reason, "request_id", requestID(ctx))
	case status >= http.StatusInternalServerError:
		s.Logger.ErrorContext(ctx, "request failed", "err", err, "request_id", requestID(ctx))
	}
	if len(pointer) > maxPointer {
		pointer = ""
	}
	said, _ := spec.Explain(code)
	return problem{Type: reasonURI + code, Title: said.Meaning, Status: status, Code: code, Pointer: pointer, Offset: offsetOf(code, err),
		Scope: scopeOf(err), Remedy: said.Remedy, RequestID: requestID(ctx)}
}

// offsetOf is where reading a body as JSON stopped, nil where it did not.
func offsetOf(code string, err error) *int {
	var refusal *spec.Error
	if !strings.HasPrefix(code, "json-") || !errors.As(err, &refusal) || refusal.Offset == 0 && refusal.Pointer != "" {
		return nil
	}
	return &refusal.Offset
}

// scopeOf is the scope that a key lacks, "" where that is not the matter.
func scopeOf(err error) string {
	var e *scopeError
	if !errors.As(err, &e) {
		return ""
	}
	return e.scope
}

func (p problem) reply() *reply {
	body, _ := json.Marshal(p) // strings and a number
	r := &reply{Status: p.Status, ContentType: problemType, ContentLength: len(body), Body: body}
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		r.RetryAfter = "1"
	case http.StatusUnauthorized:
		r.Authenticate = "Bearer"
	}
	return r
}

func (s *Server) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	s.refusal(r.Context(), err).write(w)
}

// methodNotAllowed names the methods that the path takes (RFC 9110 section 15.5.6).
func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if s.has(m, r.URL.Path) {
			w.Header().Add("Allow", m)
		}
	}
	s.writeProblem(w, r, spec.Refuse("method-not-allowed", "", "the path does not take this method"))
}
