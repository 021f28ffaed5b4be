package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/jcs"
)

// remote is the part of the command line that names a server.
type remote struct {
	URL        string `name:"url" env:"WRIT_URL" default:"http://127.0.0.1:8467" placeholder:"URL" help:"Address of the server (WRIT_URL)."`
	APIKeyFile string `name:"api-key-file" env:"WRIT_API_KEY_FILE" placeholder:"FILE" help:"File with the API key; else WRIT_API_KEY."`
}

const remoteHelp = `The server is the one at --url (WRIT_URL); the API key is in --api-key-file (WRIT_API_KEY_FILE) or in WRIT_API_KEY.`

const remotePatience = time.Minute // longer than the longest wait that the API holds a call for

// connection is a client that remembers what the server said last: --json prints the API's object as it came.
type connection struct {
	*writ.Client
	ctx  context.Context
	last []byte
}

func (r remote) connect(sys *system) (*connection, error) {
	key := os.Getenv("WRIT_API_KEY")
	if r.APIKeyFile != "" {
		data, err := os.ReadFile(r.APIKeyFile)
		if err != nil {
			return nil, usage(err)
		}
		key = strings.TrimSpace(string(data))
	}
	c := &connection{ctx: context.Background()}
	var err error
	c.Client, err = writ.New(writ.Options{URL: strings.TrimSuffix(r.URL, "/"), APIKey: key, Now: sys.now, Random: sys.random,
		HTTPClient: &http.Client{Timeout: remotePatience, Transport: c}})
	if err != nil {
		return nil, usage(err)
	}
	return c, nil
}

// RoundTrip implements http.RoundTripper.
func (c *connection) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if c.last, err = io.ReadAll(io.LimitReader(response.Body, maxBundle+1)); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(c.last))
	return response, nil
}

// print writes the API's object, or lets people read it.
func (c *connection) print(sys *system, asJSON bool, people func()) error {
	if !asJSON {
		people()
		return nil
	}
	v, err := jcs.Parse(c.last)
	if err != nil {
		return &exit{exitUnchecked, err}
	}
	return printJSON(sys.out, v)
}
