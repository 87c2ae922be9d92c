# `make` lists the targets. Everything generated stays in .build/, .deps/ and .data/.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

SWIFT ?= swift
# Where the executables of `make build` are.
RELEASE := .build/release
DATA ?= .data
PORT ?= 8080
SHEETS ?= 50
# Of `make bench-file`: pdf, tiff or zip.
KIND ?= pdf
SECONDS_OF_CHAOS ?= 60
EVENTS ?= 100000
AUTOBAHN ?= ../shared/tools/autobahn

.PHONY: help deps build run demo bench bench-file test chaos chaos-websocket bench-replay autobahn lint format clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

deps: ## Install what is missing: Debian packages, OpenVINO, the recognition model
	@deploy/tools/deps.sh

build: deps ## Build the executables with optimisation, into .build/release/
	$(SWIFT) build -c release --static-swift-stdlib

run: build ## Start everything with a demonstration exam at http://localhost:$(PORT)
	exec $(RELEASE)/zhiyue up --demo --port $(PORT) --data $(DATA)

demo: build ## Simulate, scan, upload and mark $(SHEETS) sheets, and compare every mark with the truth
	exec $(RELEASE)/zhiyue demo --sheets $(SHEETS)

bench-file: build ## Mark 500 sheets that come in one file (KIND=pdf, tiff or zip; SHEETS=N): time, memory, every mark
	@deploy/tools/one-file.sh $(KIND) $(if $(filter command line environment,$(origin SHEETS)),$(SHEETS),500) $(RELEASE)

bench-replay: deps ## Handle $(EVENTS) events live, replay them, and compare figures and times
	$(SWIFT) build -c release --static-swift-stdlib --product ReplayBenchmark
	$(RELEASE)/ReplayBenchmark $(EVENTS)

test: deps ## Build for debugging and run every test
	$(SWIFT) build --build-tests
	@SWIFT='$(SWIFT)' deploy/tools/test.sh

bench: build ## Measure everything on this machine, beside Redis' own ceiling, an empty route, and nginx with nchan
	@deploy/tools/deps.sh --bench
	@for bench in events tasks http websocket recognition; do $(RELEASE)/zhiyue bench $$bench || exit 1; done

chaos: deps ## Kill, stop, cut off and fill up everything, counting events, tasks, WebSocket messages, for $(SECONDS_OF_CHAOS) s each (SEED=N repeats)
	$(SWIFT) build --build-tests
	@CHAOS_SECONDS=$(SECONDS_OF_CHAOS) $(if $(SEED),CHAOS_SEED=$(SEED)) \
	    $(SWIFT) test --skip-build --disable-xctest --no-parallel --filter '^ChaosTests\.Randomized'

chaos-websocket: deps ## The same for WebSockets alone, and Redis away, 20,000 half-open sockets, slow and silent clients
	$(SWIFT) build --build-tests
	$(SWIFT) build -c release --static-swift-stdlib --product gateway
	@CHAOS_SECONDS=$(SECONDS_OF_CHAOS) $(if $(SEED),CHAOS_SEED=$(SEED)) CHAOS_GATEWAY=$(CURDIR)/$(RELEASE)/gateway \
	    $(SWIFT) test --skip-build --disable-xctest --no-parallel --filter '^ChaosTests\.(Randomized)?WebSocket'

autobahn: deps ## Run the Autobahn test suite of WebSockets from the folder $(AUTOBAHN), where there is one
	$(SWIFT) build --product WebSocketEcho
	@deploy/tools/autobahn.sh "$(AUTOBAHN)"

lint: ## Check format, architecture, types of the web app, and the deployment files
	@deploy/tools/lint.sh

format: ## Format the Swift sources in place
	$(SWIFT) format --in-place --parallel --recursive --configuration .swift-format Package.swift Services Shared Tests

clean: ## Remove what was built and the data of `make run`; .deps/ stays
	rm -rf .build .build-* $(DATA) Services/Gateway/Web/node_modules
