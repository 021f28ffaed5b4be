package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// routes is the table of all operations under /v1.
func (s *Server) routes() {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	const created = http.StatusCreated

	register(s, operation{id: "createDraft", method: post, path: "/v1/drafts", scope: ScopeIssue, status: created, takes: unsigned{},
		summary: "Keep a mandate, or a roster or policy version, for approval"}, s.createDraft)
	register(s, operation{id: "getDraft", method: get, path: "/v1/drafts/{id}", scope: ScopeRead,
		summary: "A draft, with what its approvers have said"}, s.getDraft)
	register(s, operation{id: "addTemplate", method: post, path: "/v1/templates", scope: ScopeIssue, status: created, takes: spec.TypeTemplate,
		summary: "Keep an action template, which mandates name by its digest"}, s.addTemplate)
	register(s, operation{id: "getTemplate", method: get, path: "/v1/templates/{id}", scope: ScopeRead, gives: spec.TypeTemplate,
		summary: "An action template, by its digest"}, s.getTemplate)
	register(s, operation{id: "approve", method: post, path: "/v1/approvals", scope: ScopeApprove, takes: spec.TypeApproval,
		summary: "Hand over a person's approval of a mandate, a roster or policy version, or the resuming of a mandate"}, s.approve)
	register(s, operation{id: "delegate", method: post, path: "/v1/delegations", scope: ScopeIssue, takes: spec.TypeMandate,
		summary: "Hand over a mandate that an agent signed for another below its own"}, s.delegate)
	register(s, operation{id: "notice", method: post, path: "/v1/notices", scope: ScopeRevoke, takes: spec.TypeNotice,
		summary: "Revoke or suspend a mandate, or veto a roster version that waits"}, s.notice)
	register(s, operation{id: "listMandates", method: get, path: "/v1/mandates", scope: ScopeRead,
		summary: "The organisation's mandates, newest first"}, s.listMandates)
	register(s, operation{id: "getMandate", method: get, path: "/v1/mandates/{id}", scope: ScopeRead,
		summary: "A mandate with its status and account, by urn, mnd_ id or content digest"}, s.getMandate)
	register(s, operation{id: "getRoster", method: get, path: "/v1/rosters/{id}", scope: ScopeRead,
		summary: "A grantor's roster, by grantor or content digest"}, s.getRoster)
	register(s, operation{id: "getPolicy", method: get, path: "/v1/policies/{id}", scope: ScopeRead,
		summary: "A policy, by the content digest of any version"}, s.getPolicy)

	register(s, operation{id: "verify", method: post, path: "/v1/verify", scope: ScopeVerify, takes: verifyBody{},
		summary: "Decide whether an agent may act"}, s.verify)
	register(s, operation{id: "begin", method: post, path: "/v1/begins", scope: ScopeExecute, takes: spec.TypeBegin,
		summary: "The executor's word right before the effect; the acknowledgement is the leave to execute"}, s.begin)
	register(s, operation{id: "report", method: post, path: "/v1/reports", scope: ScopeExecute, takes: spec.TypeReport,
		summary: "The executor's word on what became of the action"}, s.report)
	register(s, operation{id: "getDecision", method: get, path: "/v1/decisions/{id}", scope: ScopeRead,
		summary: "A decision, by urn, dec_ id or digest"}, s.getDecision)
	register(s, operation{id: "getRecovery", method: get, path: "/v1/recoveries/{id}", scope: ScopeRead,
		summary: "What a waiting request waits for, and its end"}, s.getRecovery)
	register(s, operation{id: "approveSupplement", method: post, path: "/v1/recoveries/{id}/approvals", scope: ScopeApprove, takes: spec.TypeApproval,
		summary: "Hand over a person's approval of a supplement"}, s.approveSupplement)
	register(s, operation{id: "reconcile", method: post, path: "/v1/decisions/{id}/approvals", scope: ScopeApprove, takes: spec.TypeApproval,
		summary: "Hand over a person's word that the charge of a decision was not executed"}, s.reconcile)
	register(s, operation{id: "getReceipt", method: get, path: "/v1/receipts/{id}", scope: ScopeRead,
		summary: "The receipt of an authorised action, by the decision's urn, dec_ or rcp_ id, or digest"}, s.getReceipt)
	register(s, operation{id: "getBundle", method: get, path: "/v1/receipts/{id}/bundle", scope: ScopeRead, gives: bundle{},
		summary: "One file that shows a final decision and what followed, to anybody with a trust file"}, s.getBundle)

	register(s, operation{id: "getLogProof", method: get, path: "/v1/log/proof", scope: ScopeRead,
		summary: "Prove a published entry of the log"}, s.getLogProof)
	register(s, operation{id: "getLogEntry", method: get, path: "/v1/log/entries/{id}", scope: ScopeRead,
		summary: "A published entry of the log"}, s.getLogEntry)
	register(s, operation{id: "getLogHead", method: get, path: "/v1/log/heads/{id}", scope: ScopeRead, gives: "headproof",
		summary: "Prove a chain's newest entry as of the newest heads entry, or that it has none, by the chain's id, or by what has a mandate, roster or policy"}, s.getLogHead)
	register(s, operation{id: "getStatusList", method: get, path: "/v1/status/{id}", gives: statusList{},
		summary: "A BitstringStatusListCredential, such as 1-revocation: what the chains say now"}, s.getStatusList)
	register(s, operation{id: "getLedger", method: get, path: "/v1/ledger",
		summary: "Who this ledger is"}, s.getLedger)

	register(s, operation{id: "createOrganisation", method: post, path: "/v1/organisations", scope: ScopeAdmin, status: created, takes: organisationBody{},
		summary: "Add an organisation (operator only)"}, s.createOrganisation)
	register(s, operation{id: "listOrganisations", method: get, path: "/v1/organisations", scope: ScopeAdmin,
		summary: "Organisations: the operator's admins see all, others their own"}, s.listOrganisations)
	register(s, operation{id: "createKey", method: post, path: "/v1/api-keys", scope: ScopeAdmin, status: created, takes: keyBody{},
		summary: "Make an API key, which is shown once"}, s.createKey)
	register(s, operation{id: "listKeys", method: get, path: "/v1/api-keys", scope: ScopeAdmin,
		summary: "The organisation's API keys"}, s.listKeys)
	register(s, operation{id: "revokeKey", method: del, path: "/v1/api-keys/{id}", scope: ScopeAdmin,
		summary: "Revoke an API key, now"}, s.revokeKey)
}

const (
	pathHealth = "/healthz"
	pathReady  = "/readyz"
)

// public are the paths outside /v1, which everybody may read.
func (s *Server) public() {
	s.router.Get("/log/checkpoint", s.serveLog)
	s.router.Get("/log/tile/*", s.serveLog)
	s.router.Get("/log/metadata.json", s.serveLogMetadata)
	s.router.Get(pathHealth, func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok\n") })
	s.router.Get(pathReady, s.ready)
	s.describePublic("/log/checkpoint", "The newest published checkpoint of the log (C2SP tlog-checkpoint). Where the server has witnesses: the newest that their quorum cosigned, and 404 before the first", mediaText)
	s.describePublic("/log/metadata.json", "What the log says of itself (LogMetadata): its promises to readers, and its witnesses. Nobody signs it", mediaJSON)
	s.describePublic("/log/tile/{tile}", "A tile of the published log, or of its entries, by its path in C2SP tlog-tiles, which has slashes: "+
		"0/x001/234, entries/000.p/7", mediaBytes)
	s.describePublic("/healthz", "The process answers", mediaText)
	s.describePublic("/readyz", "Requests would be answered: journal and log can be relied on, and the trust file, if there is one, reads; else 503", mediaText)
}

// Metrics serves the server's numbers in the text format of Prometheus. They are in no route: the caller chooses who may see them.
func (s *Server) Metrics() http.Handler { return s.metrics.handler() }

const (
	mediaJSON  = "application/json"
	mediaText  = "text/plain; charset=utf-8"
	mediaBytes = "application/octet-stream"
)

func (s *Server) serveLogMetadata(w http.ResponseWriter, r *http.Request) {
	if s.LogMetadata == nil {
		s.writeProblem(w, r, notFound())
		return
	}
	(&reply{Status: http.StatusOK, ContentType: mediaJSON, ContentLength: len(s.LogMetadata), Body: s.LogMetadata}).write(w)
}

// serveLog serves the published log (C2SP tlog-tiles.md): tiles never change, the checkpoint does each second.
func (s *Server) serveLog(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/log/")
	data, err := s.Log.ReadTile(path)
	if path == "checkpoint" && s.Witnesses != nil {
		if data = s.served(); data == nil {
			err = notFound()
		}
	}
	var refusal *log.Error
	if errors.As(err, &refusal) && refusal.Reason == "tile-path" {
		err = spec.Refuse("tile-path", "", "no such tile")
	}
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	out := &reply{Status: http.StatusOK, ContentType: mediaBytes, ContentLength: len(data), Body: data}
	if strings.HasPrefix(path, "tile/entries/") { // "SHOULD be compressed" (C2SP tlog-tiles.md, "Log entries"); hashes would not shrink
		w.Header().Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzipped(data)
			out.ContentLength, out.Body = len(packed), packed
		}
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	if path == "checkpoint" {
		out.ContentType = mediaText
		w.Header().Set("Cache-Control", "no-cache")
	}
	out.write(w)
}

// ready says whether requests would be answered: the journal, the log and the trust file can be relied on. Why they cannot is in our log.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-s.Journal.Failed():
		text(w, http.StatusServiceUnavailable, "the journal failed\n")
		return
	default:
	}
	if s.Log.Published() == nil {
		text(w, http.StatusServiceUnavailable, "the log failed\n")
		return
	}
	if s.TrustReads != nil && !s.TrustReads() {
		text(w, http.StatusServiceUnavailable, "the trust file does not read\n")
		return
	}
	text(w, http.StatusOK, "ready\n")
}

func text(w http.ResponseWriter, status int, body string) {
	(&reply{Status: status, ContentType: mediaText, ContentLength: len(body), Body: []byte(body)}).write(w)
}
