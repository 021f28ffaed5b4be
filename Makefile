# Everything Writ needs is Go; the targets fetch what else they use. Start with: make demo, make test

.DEFAULT_GOAL := help
.PHONY: help demo test test-planted build lint format vet staticcheck vulnerabilities fuzz bench interop trillian sim soak soak-check clean

# Run by pinned version, so that they add nothing to go.sum.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# A folder with a copy of the Go vulnerability database; without one, vulnerabilities are not checked.
VULNDB ?= $(wildcard ../shared/vulndb)

FUZZTIME ?= 10s

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## build Writ and watch the whole story happen
	bin/writ demo

# Load on the real binary, which is built without the race detector, and scripts, whose key derivations it makes ten times as long.
SLOW := ^(TestKill|TestRace|TestHistory|TestDiskFull|TestPowerCut.*|TestScripts|TestDemo)$$

test: lint ## everything CI runs: format, vet, staticcheck, vulnerabilities, tests with the race detector
	.ci/go-test -timeout 15m -skip '$(SLOW)' ./...
	.ci/go-test -timeout 15m -run '^TestScripts$$/^(serve|recovery|witness)$$' ./cmd/writ
	go test -timeout 15m -run '$(SLOW)' ./cmd/writ ./log ./internal/journal/postgres # without the detector
	go test -run '^TestInvariant' ./verifier # without the detector: all hundred histories of each

PLANTED ?= bin/planted.md

test-planted: ## one mistake after the other, each before the test that must find it (SHORT=1: none that needs a real server)
	@mkdir -p bin
	go run ./internal/planted $(if $(SHORT),-short) -o $(PLANTED)

build: ## build bin/writ, a static binary
	CGO_ENABLED=0 go build -trimpath -o bin/writ ./cmd/writ

lint: format vet staticcheck vulnerabilities ## all checks that run no test

format: ## fail if gofmt would change a file
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { printf 'gofmt would change:\n%s\n' "$$unformatted"; exit 1; }

vet: ## go vet
	go vet ./...

staticcheck: ## staticcheck
	go run $(STATICCHECK) ./...

vulnerabilities: ## govulncheck against a local database folder: make vulnerabilities VULNDB=DIR
ifeq ($(VULNDB),)
	@echo 'NOT CHECKED: known vulnerabilities (name a database folder: VULNDB=DIR)'
else
	go run $(GOVULNCHECK) -db file://$(abspath $(VULNDB)) ./...
endif

fuzz: ## run each fuzz target for FUZZTIME (10s)
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

PEERS := github.com/open-policy-agent/opa github.com/openfga/openfga/cmd/openfga

bench: ## measure Writ beside floors and peers, about 15 minutes: bench-results.json (SHORT=1: few iterations; BENCH=long: a million calls and mandates)
	go build -o bin/bench ./internal/bench
ifndef SHORT
	cd conformance/interop/peers && go build -o $(abspath bin/peers)/ $(PEERS)
	cd conformance/interop/tlog && go build -o $(abspath bin/peers)/ ./tessera
	cd conformance/interop/trillian && go build -tags postgresql -o $(abspath bin/peers)/ $(TRILLIAN)
endif
	bin/bench -out bench-results.json -peers "$(if $(SHORT),$(wildcard bin/peers),bin/peers)" $(if $(SHORT),-short) $(if $(filter long,$(BENCH)),-long)

interop: ## show Writ's exports to generic libraries, and its log to witnesses, fsck and libraries of others (needs Node 20 and npm)
	cd conformance/interop/npm && npm ci --no-audit --no-fund && npm test
	cd conformance/interop/witness && go test ./...
	cd conformance/interop/tlog && go test -count=1 .

TRILLIAN := github.com/google/trillian/cmd/trillian_log_server github.com/google/trillian/cmd/trillian_log_signer
KILLS ?= 6

trillian: ## build Trillian's servers and test the log over them (needs PostgreSQL's programs; KILLS processes are killed under load; make soak has 50)
	cd conformance/interop/trillian && go build -tags postgresql -o $(abspath bin/trillian)/ $(TRILLIAN)
	WRIT_TRILLIAN_BIN=$(abspath bin/trillian) WRIT_KILLS=$(KILLS) go test -count=1 ./log/trillian ./internal/journal/postgres
	WRIT_TRILLIAN_BIN=$(abspath bin/trillian) go test -count=1 -run '^TestTrillian' ./cmd/writ
	cd conformance/interop/tlog && WRIT_TRILLIAN_BIN=$(abspath bin/trillian) go test -count=1 -run '^Test(Trillian|EnginesAgree)$$' .

SEED ?= 1
RUNS ?= 100
MINUTES ?= 0
STEPS ?=

sim: ## simulate a ledger whose disk fails: RUNS seeds from SEED on, for at least MINUTES; STEPS=all tells each step
	@cd internal/sim && SIM_SEED=$(SEED) SIM_RUNS=$(RUNS) SIM_MINUTES=$(MINUTES) SIM_STEPS=$(STEPS) go test -count=1 -timeout 0 $(if $(STEPS),-v) -run '^TestMany$$'

SOAK ?= 10m

soak: ## SOAK minutes (10m) of power cuts under the real binary, a witness and a log by itself, kills and checked histories (bin/soak); Linux with FUSE, as a user who may mount
	.ci/soak $(SOAK) bin/soak

FILE ?= bin/soak/history-1.jsonl

soak-check: ## check a recorded history again: make soak-check FILE=bin/soak/history-1.jsonl
	go run ./internal/history/historycheck $(FILE)

clean: ## remove what was built
	rm -rf bin
