package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// reply is every answer as huma writes it: our bytes, with their length, so that none goes out in chunks.
type reply struct {
	Status        int
	ContentType   string `header:"Content-Type"`
	ContentLength int    `header:"Content-Length"`
	RetryAfter    string `header:"Retry-After"`
	Authenticate  string `header:"WWW-Authenticate"`
	Body          []byte
}

func (r *reply) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", r.ContentType)
	h.Set("Content-Length", strconv.Itoa(r.ContentLength))
	if r.RetryAfter != "" {
		h.Set("Retry-After", r.RetryAfter)
	}
	if r.Authenticate != "" {
		h.Set("WWW-Authenticate", r.Authenticate)
	}
	w.WriteHeader(r.Status)
	w.Write(r.Body)
}

// posted is an input with a body.
type posted struct {
	RawBody []byte `contentType:"application/json"`
}

// body copies the bytes: huma takes its buffer back after the handler, and parsed documents, which caches keep, share them.
func (p *posted) body() []byte { return bytes.Clone(p.RawBody) }

// document is an output that is bytes already.
type document struct {
	mediaType string
	body      []byte
}

// operation is one line of the table in routes.go.
type operation struct {
	id, method, path string
	scope            string // "" lets everybody in
	status           int    // of success; zero means 200
	takes            any    // what the body is: a document type of spec, or a value of a Go type
	gives            any    // what the answer is, likewise; nil means what the handler returns
	summary          string
}

// register binds an operation to its handler.
func register[I, O any](s *Server, o operation, handle func(context.Context, *I) (*O, error)) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	if o.gives == nil {
		o.gives = new(O)
	}
	huma.Register(s.api, huma.Operation{OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, DefaultStatus: o.status,
		SkipValidateBody: true, SkipValidateParams: true, Middlewares: huma.Middlewares{s.gate(o)}},
		func(ctx context.Context, in *I) (*reply, error) {
			out, err := handle(ctx, in)
			if err != nil {
				return s.refusal(ctx, err), nil
			}
			return s.replyOf(ctx, o.status, out), nil
		})
	s.describe(o)
}

func (s *Server) replyOf(ctx context.Context, status int, out any) *reply {
	if d, ok := out.(*document); ok {
		return &reply{Status: status, ContentType: d.mediaType, ContentLength: len(d.body), Body: d.body}
	}
	body, err := jcs.Marshal(out)
	if err != nil { // our mistake, not one of the caller's document
		return s.problemOf(ctx, fmt.Errorf("api: an answer cannot be written: %v", err)).reply()
	}
	return &reply{Status: status, ContentType: "application/json", ContentLength: len(body), Body: body}
}

// gate admits a caller before anything of the body is read, and then reads it, within its limit.
func (s *Server) gate(o operation) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(c)
		if o.scope != "" {
			key, err := s.admit(r, o.scope)
			if err != nil {
				s.writeProblem(w, r, err)
				return
			}
			c = huma.WithValue(c, callerKey{}, key)
		}
		if err := checkQuery(r.URL.RawQuery, c.Operation().Parameters); err != nil {
			s.writeProblem(w, r, err)
			return
		}
		if o.takes != nil {
			if err := readBody(w, r); err != nil {
				s.writeProblem(w, r, err)
				return
			}
		}
		next(c)
	}
}

// checkQuery refuses what an operation does not read: a caller who misspells a parameter would get another answer than the one asked for.
func checkQuery(raw string, known []*huma.Param) error {
	given, err := url.ParseQuery(raw)
	if err != nil {
		return spec.Refuse("request-syntax", "?", "the query does not read")
	}
	for name, values := range given {
		place := "?" + url.QueryEscape(name)
		if !slices.ContainsFunc(known, func(p *huma.Param) bool { return p.In == "query" && p.Name == name }) {
			return spec.Refuse("query-unknown", place, "the operation has no such query parameter")
		}
		if len(values) > 1 {
			return spec.Refuse("request-syntax", place, "a query parameter is given once")
		}
	}
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request) error {
	if given := r.Header.Get("Content-Type"); given != "" {
		t, _, err := mime.ParseMediaType(given)
		if err != nil || t != "application/json" && !strings.HasSuffix(t, "+json") {
			return spec.Refuse("unsupported-media-type", "", "JSON is wanted")
		}
	}
	var data bytes.Buffer
	data.Grow(int(min(max(r.ContentLength, 0), maxBody)) + bytes.MinRead) // so that it is not copied as it grows
	_, err := data.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return spec.Refuse("request-too-large", "", "at most %d bytes", maxBody)
	case err != nil:
		return spec.Refuse("request-syntax", "", "the body could not be read")
	case data.Len() == 0:
		return spec.Refuse("json-syntax", "", "there is no body")
	}
	r.Body = io.NopCloser(&data)
	return nil
}

type requestKey struct{}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// identify gives each request an id of ours; a caller's own would end up in the log.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var drawn [12]byte
		if _, err := io.ReadFull(s.Random, drawn[:]); err != nil {
			s.writeProblem(w, r, err)
			return
		}
		id := hex.EncodeToString(drawn[:])
		h := w.Header()
		h.Set("Writ-Version", Version)
		h.Set("Request-Id", id)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
	})
}

// observe counts and logs requests: by route, never by path or query, and nothing of headers or bodies.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, ww := s.Now(), middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(ww, r)
		route, took := chi.RouteContext(r.Context()).RoutePattern(), s.Now().Sub(start)
		s.metrics.request(r.Method, route, ww.Status(), took)
		s.Logger.DebugContext(r.Context(), "request", "method", r.Method, "route", route, "status", ww.Status(),
			"took", took, "request_id", requestID(r.Context()))
	})
}

// bound limits how many requests are answered at once. Those about health are beside the limit: a busy server is none to restart.
func (s *Server) bound(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == pathHealth || r.URL.Path == pathReady {
			next.ServeHTTP(w, r)
			return
		}
		select {
		case s.flights <- struct{}{}:
			defer func() { <-s.flights }()
			next.ServeHTTP(w, r)
		default:
			s.writeProblem(w, r, spec.Refuse("rate-limited", "", "too many requests at once"))
		}
	})
}

// contain keeps a panic to its request.
func (s *Server) contain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				s.Logger.ErrorContext(r.Context(), "panic", "value", p, "stack", string(debug.Stack()), "request_id", requestID(r.Context()))
				s.writeProblem(w, r, errors.New("panic"))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func (s *Server) has(method, path string) bool {
	return s.router.Match(chi.NewRouteContext(), method, path)
}
