package api

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
)

// acceptsGzip says whether the caller asks for gzip by name, and does not take it back.
func acceptsGzip(r *http.Request) bool {
	for _, coding := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(coding, " ", ""), ";")
		if name == "gzip" {
			return strings.Trim(weight, "q=0.") != "" || weight == ""
		}
	}
	return false
}

// gzipped is data as one gzip member, the same bytes each time.
func gzipped(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(data) // a Buffer takes everything
	w.Close()
	return out.Bytes()
}
