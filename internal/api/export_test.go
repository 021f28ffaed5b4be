package api

import (
	"bytes"
	"net/http"

	"github.com/danielgtaylor/huma/v2/yaml"
	"github.com/go-chi/chi/v5"
)

// Paths lists every operation as method and path pattern.
func (s *Server) Paths() []string {
	var all []string
	chi.Walk(s.router, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		all = append(all, method+" "+route)
		return nil
	})
	return all
}

// OpenAPI is the document of all operations, as JSON and as YAML.
func (s *Server) OpenAPI() (asJSON, asYAML []byte, err error) {
	if asJSON, err = s.api.OpenAPI().MarshalJSON(); err != nil {
		return nil, nil, err
	}
	var out bytes.Buffer
	err = yaml.Convert(&out, bytes.NewReader(asJSON))
	return asJSON, out.Bytes(), err
}

// Statuses is the table of problems.go.
func Statuses() map[string]int { return statuses }

// URNOf and the prefixes are ids.go.
var (
	URNOf    = urnOf
	Prefixes = []string{prefixMandate, prefixDecision, prefixRecovery, prefixReceipt}
)
