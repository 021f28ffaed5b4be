package witness

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/writ-trust/writ/log"
)

// statuses is the one table from reasons to HTTP (tlog-witness.md, "add-checkpoint"). What is not in it is a 500.
var statuses = map[string]int{
	"request-syntax":       http.StatusBadRequest,
	"note-syntax":          http.StatusBadRequest,
	"checkpoint-syntax":    http.StatusBadRequest,
	"witness-old-size":     http.StatusBadRequest,
	"checkpoint-signature": http.StatusForbidden,
	"witness-log-unknown":  http.StatusNotFound,
	"witness-inconsistent": http.StatusUnprocessableEntity,
}

// sizeType is the media type of the answer 409.
const sizeType = "text/x.tlog.size"

const textType = "text/plain; charset=utf-8"

// Handler serves add-checkpoint, and the newest cosigned checkpoint of each log to monitors (tlog-witness.md, "HTTP Interface"):
// submission prefix and monitoring prefix are the same. A checkpoint that its log signed and that contradicts what was cosigned
// is proof of misbehaviour: it goes, whole, to the logger.
func (w *Witness) Handler(logger *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(out http.ResponseWriter, in *http.Request) { w.serveAdd(out, in, logger) })
	mux.HandleFunc("GET /{origin}/checkpoint", w.serveCheckpoint)
	return mux
}

func (w *Witness) serveAdd(out http.ResponseWriter, in *http.Request, logger *slog.Logger) {
	body, err := io.ReadAll(http.MaxBytesReader(out, in.Body, MaxRequestSize))
	if err != nil {
		answer(out, http.StatusBadRequest, textType, "the body is too large or cannot be read\n")
		return
	}
	line, err := w.Add(body)
	var conflict *ConflictError
	var refusal *log.Error
	switch {
	case err == nil:
		answer(out, http.StatusOK, textType, string(line))
	case errors.As(err, &conflict):
		answer(out, http.StatusConflict, sizeType, strconv.FormatInt(conflict.Size, 10)+"\n")
	case errors.As(err, &refusal) && statuses[refusal.Reason] != 0:
		if refusal.Reason == "witness-inconsistent" {
			logger.Warn("a log contradicts what was cosigned, or its proof does not hold", "err", err, "request", string(body))
		}
		answer(out, statuses[refusal.Reason], textType, refusal.Reason+"\n")
	default:
		logger.Error("cannot cosign", "err", err)
		answer(out, http.StatusInternalServerError, textType, "internal\n")
	}
}

func (w *Witness) serveCheckpoint(out http.ResponseWriter, in *http.Request) {
	signed := w.Checkpoint(in.PathValue("origin"))
	if signed == nil {
		answer(out, http.StatusNotFound, textType, "no checkpoint of this log was cosigned\n")
		return
	}
	out.Header().Set("Cache-Control", "no-cache")
	answer(out, http.StatusOK, textType, string(signed))
}

func answer(out http.ResponseWriter, status int, mediaType, body string) {
	out.Header().Set("Content-Type", mediaType)
	out.WriteHeader(status)
	io.WriteString(out, body)
}
