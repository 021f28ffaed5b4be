# Everything Writ needs is Go; the targets fetch what else they use. Start with: make demo, make test

.DEFAULT_GOAL := help
.PHONY: help demo test test-planted build lint format vet staticcheck vulnerabilities fuzz bench interop soak soak-check clean

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

test: lint ## everything CI runs: format, vet, staticcheck, vulnerabilities, tests with the race detector
	.ci/go-test -timeout 15m ./...
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

bench: ## run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

interop: ## show Writ's exports to a generic library for verifiable credentials (needs Node 20 and npm)
	cd conformance/interop/npm && npm ci --no-audit --no-fund && npm test

HISTORY ?= bin/history.jsonl

soak: ## 50 power cuts under the real binary, and a recorded history (HISTORY=FILE), checked; Linux with FUSE, as a user who may mount
	@mkdir -p $(dir $(HISTORY))
	WRIT_POWERCUT=required WRIT_CUTS=50 WRIT_HISTORY=$(abspath $(HISTORY)) go test -count=1 -timeout 30m -v -run '^Test(PowerCut|History)' ./cmd/writ

soak-check: ## check a recorded history again: make soak-check FILE=bin/history.jsonl
	go run ./internal/history/historycheck $(FILE)

clean: ## remove what was built
	rm -rf bin
