# Every target is one line that someone could type. `make help` lists them.
GO      ?= go
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/switchback-project/switchback/internal/cli.version=$(VERSION)
BIN     := bin/switchback
VENV    := .venv/ready

.PHONY: check help demo test build release generate generate-diff tidy-diff fmt-diff lint short fuzz cover bench soak conformance clean

check: fmt-diff lint short ## what a developer runs (default)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## a trail is turned off and comes back, in a sandbox account
	$(BIN) demo $(ARGS)

test: $(VENV) fmt-diff tidy-diff generate-diff lint ## everything, with the race detector, against the sandbox and moto
	SWITCHBACK_AWSCLI="$(CURDIR)/.venv/bin/python" $(GO) test -race -timeout 15m ./...

short: ## tests without the slow ones
	$(GO) test -short ./...

build: ## native, with cgo
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/switchback

release: ## static and reproducible
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS) -buildid=' -o dist/switchback ./cmd/switchback

generate: ## regenerate code and docs
	$(GO) generate ./...

generate-diff: ## fail when generated files are not up to date
	@tools/unchanged.sh $(GO) generate ./...

tidy-diff: ## fail when go.mod is not tidy
	$(GO) mod tidy -diff

fmt-diff: ## fail when a file is not formatted
	@test -z "$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go'))" || { echo "not formatted:"; gofmt -l $$(git ls-files -co --exclude-standard '*.go'); exit 1; }

lint: ## go vet and staticcheck
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

fuzz: ## each fuzz target 30 s
	tools/fuzz.sh 30s

cover: ## coverage profile, a note and not a gate
	$(GO) test -short -coverprofile=coverage.out ./... && $(GO) tool cover -func=coverage.out | tail -1

bench: $(VENV) ## ours beside each peer present, by turns; go test -bench measures single packages
	cd bench && $(GO) run . $(ARGS)

conformance: ## recorded verdicts of AWS: file, cases, agree, differ
	tools/conformance.sh

soak: ## the long forms of the kill tests
	SWITCHBACK_SOAK=1 $(GO) test -timeout 60m -run 'Kill|Soak' -v ./...

clean: ## remove what make made
	rm -rf bin dist .venv coverage.out

$(VENV): tools/requirements.txt
	python3 -m venv --system-site-packages .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r tools/requirements.txt
	touch $(VENV)
