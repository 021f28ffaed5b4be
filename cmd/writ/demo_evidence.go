package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/verifier"
)

// This file is the end of the story: what an auditor does with the evidence, in processes that have no network.

// 5. The evidence is verified without a network

const bundleName = "bundle.json"

func (s *story) export(ctx context.Context) (string, error) {
	data, err := s.headed(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(s.out, bundleName)
	return fmt.Sprintf("%d bytes: the lifted payment, with its interim decision and supplement", len(data)), os.WriteFile(path, data, 0o644)
}

// headed exports until the heads, which are logged each second, cover all that the bundle has.
func (s *story) headed(ctx context.Context) (data []byte, err error) {
	for range 50 {
		if data, err = s.acme.Bundle(ctx, s.lifted.Digest); err != nil {
			return nil, err
		}
		if s.bundle, err = jcs.ParseDocument(data); err != nil {
			return nil, err
		}
		if _, has := s.bundle.Member("head"); has {
			return data, nil
		}
		if err := pause(ctx, publishEvery/5); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the heads of the log do not come")
}

func (s *story) verifyOffline(ctx context.Context) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	if s.offline, err = findOffline(ctx, program); err != nil {
		return "", err
	}
	out, code, err := s.verify(ctx, bundleName, trustName)
	if err == nil && code != exitHolds {
		err = fmt.Errorf("exit %d:\n%s", code, out)
	}
	return fmt.Sprintf("writ verify %s --trust %s --expect executed (%s)\n%s", bundleName, trustName, s.offline.name, out), err
}

// verify runs writ verify in a process without a network, in the folder of the evidence.
func (s *story) verify(ctx context.Context, bundle, trust string, flags ...string) (out string, code int, err error) {
	program, err := os.Executable()
	if err != nil {
		return "", 0, err
	}
	data, err := s.offline.output(ctx, s.out, program, append([]string{"verify", bundle, "--trust", trust, "--expect", "executed"}, flags...)...)
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return string(data), ended.ExitCode(), nil
	}
	return string(data), 0, err
}

func (s *story) tamper(ctx context.Context) (string, error) {
	var rows strings.Builder
	var lines [][]string
	for _, t := range tamperings(s.declined) {
		changed, err := t.change(s.bundle)
		if err != nil {
			return "", fmt.Errorf("%s: %w", t.name, err)
		}
		if changed.Equal(s.bundle) {
			return "", fmt.Errorf("%s changes nothing", t.name)
		}
		saw, err := s.fails(ctx, changed.Canonical(), trustName, exitFails)
		if err != nil {
			return "", fmt.Errorf("%s: %w", t.name, err)
		}
		lines = append(lines, []string{t.name, saw})
	}
	table(&rows, lines)
	return rows.String(), nil
}

// fails wants the verification to fail with this exit code and to name the check.
func (s *story) fails(ctx context.Context, bundle []byte, trust string, want int) (saw string, err error) {
	const tampered = "tampered.json"
	path := filepath.Join(s.out, tampered)
	if err := os.WriteFile(path, bundle, 0o644); err != nil {
		return "", err
	}
	defer os.Remove(path)
	out, code, err := s.verify(ctx, tampered, trust, "--json")
	if err != nil {
		return "", err
	}
	var checked verifier.Checked
	if err := json.Unmarshal([]byte(out), &checked); err != nil {
		return "", fmt.Errorf("exit %d: %w", code, err)
	}
	if code != want || checked.Holds {
		return "", fmt.Errorf("exit %d, not %d", code, want)
	}
	for _, v := range checked.Verdicts {
		if v.Outcome == verifier.Fails {
			return v.Name + ": " + v.Reason, nil
		}
	}
	return "", errors.New("no check is named")
}

func (s *story) emptyTrust(ctx context.Context) (string, error) {
	const empty = "empty.json"
	path := filepath.Join(s.out, empty)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		return "", err
	}
	defer os.Remove(path)
	return s.fails(ctx, s.bundle.Canonical(), empty, exitTrust)
}

// 6. The server stays

func (s *story) hostAgent(ctx context.Context) (saw string, err error) {
	if s.hosted, err = s.admin.CreateKey(ctx, "kept by writ demo", true, api.ScopeVerify, api.ScopeRead); err != nil {
		return "", err
	}
	content, err := s.mandateFor(s.hosted.Agent, mandateTerms{name: "Pay AWS from curl", daily: "10000.00", approvers: both, lift: true})
	if err != nil {
		return "", err
	}
	s.own, err = s.grant(ctx, content)
	return s.hosted.Agent, err
}

// printCalls prints three calls, one for each answer.
func (s *story) printCalls() error {
	fmt.Fprintf(s.sys.out, "\nThe server answers at %s; its log is at %s/log, with the key\n  %s\nCall it, once for each answer:\n",
		s.server.url, s.server.url, s.ledger.Log.Key)
	for _, call := range []struct{ answer, euros, payee string }{
		{"AUTHORIZED", "10.00", aws}, {"COLLECT_MISSING", "12000.00", aws}, {"REJECTED", "10.00", somebody},
	} {
		key, err := newNonce(s.sys)
		if err != nil {
			return err
		}
		_, action, err := paymentOf(call.euros, call.payee, account, key)
		if err != nil {
			return err
		}
		body, err := json.Marshal(map[string]any{"mandates": []string{s.own.content}, "action": action, "request": map[string]string{"executor": bank}})
		if err != nil {
			return err
		}
		fmt.Fprintf(s.sys.out, "\n# %s\ncurl -s -w '\\n' %s/v1/verify -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \\\n  -H 'Idempotency-Key: %s' -d '%s'\n",
			call.answer, s.server.url, s.hosted.Key, key, body)
	}
	return nil
}
