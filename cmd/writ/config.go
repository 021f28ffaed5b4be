package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
)

// settings are those of writ serve. Each comes from its flag, else its environment variable, else the settings file, else a
// default. The file is a JSON object of the flags' names, {"listen":"127.0.0.1:8467"}; an unknown name in it is refused.
type settings struct {
	Config        string `placeholder:"FILE" env:"WRIT_CONFIG" help:"Settings file, a JSON object of the names below."`
	Data          string `placeholder:"DIR" env:"WRIT_DATA" help:"Data folder; made if missing. Default writ-data."`
	Listen        string `placeholder:"ADDR" env:"WRIT_LISTEN" help:"Address to listen on. Default 127.0.0.1:8467; port 0 takes a free one."`
	DID           string `name:"did" placeholder:"DID" env:"WRIT_DID" help:"The ledger's DID, fixed at the first start. Default: the did:key of its decision key."`
	LogOrigin     string `placeholder:"NAME" env:"WRIT_LOG_ORIGIN" help:"Name of the log, fixed at the first start. Default: derived from the DID."`
	PublicURL     string `name:"public-url" placeholder:"URL" env:"WRIT_PUBLIC_URL" help:"Address at which everybody reaches this server; status lists and the mandates on them name it. Default: that of a did:web, else none, and no status lists."`
	MetricsListen string `placeholder:"ADDR" env:"WRIT_METRICS_LISTEN" help:"Address for /metrics (Prometheus), which needs no key: keep it off the internet. Default: not served."`
	Witnesses     string `placeholder:"FILE" env:"WRIT_WITNESSES" help:"Policy (C2SP tlog-policy) of the witnesses that cosign the log: their keys, URLs and quorum. Default: none."`
	WitnessStart  string `placeholder:"MODE" env:"WRIT_WITNESS_START" help:"warn: start although a witness cannot be asked what it cosigned; require: only with the quorum's answer. Default warn."`
	Mirrors       string `placeholder:"FILE" env:"WRIT_MIRRORS" help:"Policy (C2SP tlog-policy) of the mirrors that replay the log: their keys, the addresses of their copies, and the quorum. Default: none."`
	LogPolicy     string `placeholder:"URL" env:"WRIT_LOG_POLICY" help:"Where the log's policy stands for its readers; the log's metadata name it. Default: the policy of this build."`
	ExecuteWithin string `placeholder:"TIME" env:"WRIT_EXECUTE_WITHIN" help:"How long an authorised action may wait for its executor. Default 15m, at least 1s."`
	Trillian      string `placeholder:"ADDR" env:"WRIT_TRILLIAN" help:"Log server of Trillian, HOST:PORT or tls://HOST:PORT, that the log is kept in. Default: files in the data folder."`
	TrillianDB    string `name:"trillian-db" placeholder:"URI" env:"WRIT_TRILLIAN_DB" help:"PostgreSQL database of the log's lease and tiles (writ log trillian-schema); with --trillian."`
}

// setting is one of them with where it came from.
type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"` // flag, environment, file or default

	env   string
	into  *string
	basis string // the default
}

func (s *settings) table() []setting {
	return []setting{
		{Name: "data", env: "WRIT_DATA", into: &s.Data, basis: "writ-data"},
		{Name: "listen", env: "WRIT_LISTEN", into: &s.Listen, basis: "127.0.0.1:8467"},
		{Name: "metrics-listen", env: "WRIT_METRICS_LISTEN", into: &s.MetricsListen},
		{Name: "did", env: "WRIT_DID", into: &s.DID},
		{Name: "log-origin", env: "WRIT_LOG_ORIGIN", into: &s.LogOrigin},
		{Name: "public-url", env: "WRIT_PUBLIC_URL", into: &s.PublicURL},
		{Name: "witnesses", env: "WRIT_WITNESSES", into: &s.Witnesses},
		{Name: "witness-start", env: "WRIT_WITNESS_START", into: &s.WitnessStart, basis: startWarn},
		{Name: "mirrors", env: "WRIT_MIRRORS", into: &s.Mirrors},
		{Name: "log-policy", env: "WRIT_LOG_POLICY", into: &s.LogPolicy, basis: logPolicyURL},
		{Name: "execute-within", env: "WRIT_EXECUTE_WITHIN", into: &s.ExecuteWithin, basis: "15m"},
		{Name: "trillian", env: "WRIT_TRILLIAN", into: &s.Trillian},
		{Name: "trillian-db", env: "WRIT_TRILLIAN_DB", into: &s.TrillianDB},
	}
}

// resolve fills in what neither flag nor environment gave, and says where each setting came from.
func (s *settings) resolve(ctx *kong.Context) ([]setting, error) {
	file, err := s.readFile()
	if err != nil {
		return nil, err
	}
	rows := s.table()
	for i := range rows {
		r := &rows[i]
		inFile, found := file[r.Name]
		switch {
		case flagGiven(ctx, r.Name):
			r.Source = "flag"
		case *r.into != "" && os.Getenv(r.env) != "":
			r.Source = "environment"
		case found:
			r.Source, *r.into = "file", inFile
		default:
			r.Source, *r.into = "default", r.basis
		}
		r.Value = *r.into
	}
	return rows, nil
}

func flagGiven(ctx *kong.Context, name string) bool {
	return slices.ContainsFunc(ctx.Path, func(p *kong.Path) bool { return p.Flag != nil && p.Flag.Name == name && !p.Resolved })
}

func (s *settings) readFile() (map[string]string, error) {
	if s.Config == "" {
		return nil, nil
	}
	data, err := os.ReadFile(s.Config)
	if err != nil {
		return nil, usage(err)
	}
	v, err := jcs.ParseDocument(data) // which bounds the size
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", s.Config, err))
	}
	values := map[string]string{}
	for _, m := range v.Members() {
		text, ok := m.Value.Text()
		if !ok || !slices.ContainsFunc(s.table(), func(r setting) bool { return r.Name == m.Name }) {
			return nil, usage(fmt.Errorf("%s: %q is no setting, or not a string", s.Config, m.Name))
		}
		values[m.Name] = text
	}
	return values, nil
}

// check finds what would keep a server from starting with these settings.
func (s *settings) check() (executeWithin time.Duration, err error) {
	for _, address := range []struct{ name, value string }{{"listen", s.Listen}, {"metrics-listen", s.MetricsListen}} {
		if _, _, err := net.SplitHostPort(address.value); err != nil && (address.value != "" || address.name == "listen") {
			return 0, usage(fmt.Errorf("%s: %w", address.name, err))
		}
	}
	if s.DID != "" && did.Check(s.DID) != nil {
		return 0, usage(fmt.Errorf("did: %q is no DID of a known method", s.DID))
	}
	if strings.ContainsAny(s.LogOrigin, " +\t\n") {
		return 0, usage(fmt.Errorf("log-origin: %q has a space or a plus", s.LogOrigin))
	}
	if u, err := url.Parse(s.PublicURL); err != nil || s.PublicURL != "" && (u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "") {
		return 0, usage(fmt.Errorf("public-url: %q is not the address of a server, such as https://writ.acme.example", s.PublicURL))
	}
	if u, err := url.Parse(s.LogPolicy); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return 0, usage(fmt.Errorf("log-policy: %q is no address, such as https://acme.example/log-policy", s.LogPolicy))
	}
	if s.WitnessStart != startWarn && s.WitnessStart != startRequire {
		return 0, usage(fmt.Errorf("witness-start: %q is neither %s nor %s", s.WitnessStart, startWarn, startRequire))
	}
	if (s.Trillian == "") != (s.TrillianDB == "") {
		return 0, usage(errors.New("trillian and trillian-db: both, or neither"))
	}
	executeWithin, err = time.ParseDuration(s.ExecuteWithin)
	if err != nil || executeWithin < time.Second || executeWithin%time.Second != 0 {
		return 0, usage(fmt.Errorf("execute-within: %q is not whole seconds, at least one, such as 15m", s.ExecuteWithin))
	}
	return executeWithin, s.checkFolder()
}

// statusURL is the address below which status lists are served, "" where the server has no public address.
func (s *settings) statusURL(ledger string) string {
	base := strings.TrimSuffix(s.PublicURL, "/")
	if host, ok := strings.CutPrefix(ledger, "did:web:"); ok && base == "" {
		host, _, _ = strings.Cut(host, ":")
		base = "https://" + strings.ReplaceAll(host, "%3A", ":")
	}
	if base == "" {
		return ""
	}
	return base + "/v1/status/"
}

// checkFolder refuses a folder that is not a server's, or that keeps another ledger than the one asked for.
func (s *settings) checkFolder() error {
	if _, err := os.Stat(filepath.Join(s.Data, devMark)); err == nil {
		return &exit{exitRefused, fmt.Errorf("%s belongs to writ dev: its keys and approvers are for play", s.Data)}
	}
	id, err := readIdentity(s.Data)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.DID != "" && s.DID != id.DID || s.LogOrigin != "" && s.LogOrigin != id.Log {
		return &exit{exitRefused, fmt.Errorf("%s keeps the ledger %s with the log %s; mandates name both, so they never change", s.Data, id.DID, id.Log)}
	}
	return nil
}

// configCmd is writ config.
type configCmd struct {
	Show  configShowCmd  `cmd:"" help:"Print each setting and where it comes from."`
	Check configCheckCmd `cmd:"" help:"Say whether a server would start with these settings."`
}

const configHelp = `Settings come from flags, else from the environment, else from the file that --config (or WRIT_CONFIG) names, else from
defaults. Secrets are no settings: the passphrase of the server's keys is WRIT_PASSPHRASE.`

type configShowCmd struct {
	settings `embed:""`
	JSON     bool `name:"json" help:"Print JSON."`
}

// Help is the long text of writ config show --help.
func (configShowCmd) Help() string { return configHelp }

func (c *configShowCmd) Run(sys *system, ctx *kong.Context) error {
	rows, err := c.resolve(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(sys.out, rows)
	}
	var lines [][]string
	for _, r := range rows {
		lines = append(lines, []string{r.Name, orDash(r.Value), r.Source})
	}
	table(sys.out, lines)
	return nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
