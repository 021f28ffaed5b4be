package spec

import (
	"slices"

	"github.com/writ-trust/writ/internal/jcs"
)

// Kinds of approval: what the content is, or what is approved of a mandate that exists.
const (
	KindMandate        = "mandate"
	KindSupplement     = "supplement"
	KindRoster         = "roster"
	KindPolicy         = "policy"
	KindResume         = "resume"
	KindReconciliation = "reconciliation"
)

// KindAccount is a chain that keeps what a policy's mandates share; nothing on it is approved.
const KindAccount = "account"

// Decisions of an approver.
const (
	Approve  = "approve"
	Decline  = "decline"
	Withdraw = "withdraw"
)

// Grade answers "who could have forged this?" (protocol.md 6.4), from weakest to strongest.
type Grade string

// The grades; agent is that of delegated mandates, which no person approves.
const (
	GradeServer       Grade = "server"
	GradeProvider     Grade = "provider"
	GradeDeviceHosted Grade = "device-hosted"
	GradeDevice       Grade = "device"
	GradeQualified    Grade = "qualified"
)

var grades = []Grade{"", GradeServer, GradeProvider, GradeDeviceHosted, GradeDevice, GradeQualified}

func (g Grade) known() bool { return slices.Index(grades, g) > 0 }

// AtLeast says whether g is as strong as least, where absent asks for nothing. An unknown grade reaches nothing and is reached
// by nothing.
func (g Grade) AtLeast(least Grade) bool {
	i, j := slices.Index(grades, g), slices.Index(grades, least)
	return j >= 0 && i >= j
}

// Approval is one person's signed word on one content (protocol.md 4.5).
type Approval struct {
	Type     string `json:"type"`
	Version  string `json:"version"`
	Mode     string `json:"mode,omitempty"`
	Kind     string `json:"kind"`
	Content  string `json:"content"`
	Decision string `json:"decision"`
	Approver string `json:"approver"`
	At       Time   `json:"at"`
	Expires  Time   `json:"expires"`
	Nonce    string `json:"nonce"`
	Shown    string `json:"shown"`
	Seen     *Seen  `json:"seen,omitempty"`
}

func (a *Approval) docType() string { return TypeApproval }
func (a *Approval) mode() string    { return a.Mode }

func (a *Approval) check() error {
	kinds := []string{KindMandate, KindSupplement, KindRoster, KindPolicy, KindResume, KindReconciliation}
	switch {
	case a.Type != "MandateApproval":
		return refuse("type-fixed", "/type", "exactly MandateApproval")
	case a.Version != Version:
		return refuse("version-unknown", "/version", "only version 1 is known")
	case !slices.Contains(kinds, a.Kind):
		return refuse("approval-kind", "/kind", "no such kind")
	case a.Decision != Approve && a.Decision != Decline && a.Decision != Withdraw:
		return refuse("approval-decision", "/decision", "approve, decline or withdraw")
	case a.Approver == "" || a.Nonce == "":
		return refuse("member-empty", "/approver", "approver and nonce are not empty")
	case !a.At.Before(a.Expires.Time):
		return refuse("approval-expiry", "/expires", "expires is after at")
	}
	return firstError(
		func() error { return checkDigest(a.Content, "/content") },
		func() error { return checkDigest(a.Shown, "/shown") },
		func() error { return checkMode(a.Mode) },
	)
}

// ReconciliationContent is what people sign to turn a charge without a report into not_entered.
func ReconciliationContent(decision string) string {
	v, _ := jcs.ValueOf(struct {
		Decision string `json:"decision"`
		Outcome  string `json:"outcome"`
	}{decision, OutcomeNotEntered})
	return jcs.Digest("writ/reconciliation/v1\n", v.Canonical())
}

// Shown is the digest of the sentences that an approver was shown: the catalogue, the locale, the lines.
func Shown(catalogue, locale string, sentences []string) string {
	text := append(append(append(append(make([]byte, 0, 2048), catalogue...), '\n'), locale...), '\n')
	for i, s := range sentences {
		if i > 0 {
			text = append(text, '\n')
		}
		text = append(text, s...)
	}
	return jcs.Digest("writ/shown/v1\n", text)
}

// Notice takes authority away: revoke or suspend a mandate, veto a roster version (protocol.md 7.3). It is signed by
// a revoker of the roster, or by the issuer of a delegated mandate.
type Notice struct {
	Type    string `json:"type"`
	Version string `json:"version"`
	Mode    string `json:"mode,omitempty"`
	Content string `json:"content"`
	Act     string `json:"act"`
	By      string `json:"by"`
	At      Time   `json:"at"`
	Nonce   string `json:"nonce"`
	Seen    *Seen  `json:"seen,omitempty"`
}

// Acts of a notice.
const (
	ActRevoke  = "revoke"
	ActSuspend = "suspend"
	ActVeto    = "veto"
)

func (n *Notice) docType() string { return TypeNotice }
func (n *Notice) mode() string    { return n.Mode }

func (n *Notice) check() error {
	switch {
	case n.Type != "RevocationNotice":
		return refuse("type-fixed", "/type", "exactly RevocationNotice")
	case n.Version != Version:
		return refuse("version-unknown", "/version", "only version 1 is known")
	case n.Act != ActRevoke && n.Act != ActSuspend && n.Act != ActVeto:
		return refuse("notice-act", "/act", "revoke, suspend or veto")
	case n.By == "" || n.Nonce == "":
		return refuse("member-empty", "/by", "by and nonce are not empty")
	}
	return firstError(
		func() error { return checkDigest(n.Content, "/content") },
		func() error { return checkMode(n.Mode) },
	)
}
