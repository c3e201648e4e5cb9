# The verbs a person types. `make` lists them; each does what it needs first, and nothing twice.

# How the program is compiled: `dev` (fast to build: a first run, tests) or `release` (production, and packages).
PROFILE ?= $(if $(filter package,$(MAKECMDGOALS)),release,dev)

ifeq ($(filter $(PROFILE),dev release),)
$(error PROFILE is dev or release, not "$(PROFILE)")
endif

# The tools of this checkout (script/bootstrap) come first.
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

PROGRAM := target/$(if $(filter release,$(PROFILE)),release,debug)/ocim
WASM := --package frontend --target wasm32-unknown-unknown

# Directories too: a file that is deleted changes only them.
SPA_SOURCES := Cargo.toml Cargo.lock $(wildcard Trunk.toml) script/build-spa $(shell find frontend shared-types)
SPA_STAMP := target/spa.stamp

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run build spa program package test-package test test-histories test-github test-ansible test-traffic test-examples test-tutor test-openstack test-resources test-containers test-searches test-screens test-provider test-upgrade test-configuration test-application-type test-certificates test-production chaos fuzz-api fuzz-settings bench bench-ui check lint fmt openapi openapi-breaking permissions problems settings screens audit deny clean bootstrap bootstrap-test bootstrap-package

help: ## List the verbs
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS='	' read -r verb text; do printf '  make %-16s %s\n' "$$verb" "$$text"; done
	@printf '\n  PROFILE=release compiles the program for production; without it, for a quick build (dev).\n'

run: build ## Install what is missing, build, start everything; Ctrl-C stops it
	@exec $(PROGRAM) server

build: bootstrap spa program ## The same without starting: the program is target/{debug,release}/ocim
	@$(PROGRAM) admin prepare-cache

package: bootstrap-package spa program ## The Debian package of this host's architecture, its SBOM and checksums, in target/package (PROFILE=dev: not optimised)
	@PROFILE=$(PROFILE) script/package $(PROGRAM)

test: bootstrap-test ## Everything CI runs: lint, unit and API tests, wasm tests, browser tests
	@script/test

test-histories: bootstrap-test ## A thousand random histories of launches, stops, switches and crashes, instead of a hundred
	OCIM_HISTORIES=1000 cargo test --locked --test api -- flows::histories --nocapture

test-github: ## The client of GitHub's API against GitHub's own description of it (npm packages are fetched)
	@script/test-github

test-traffic: bootstrap-test ## The gateway under 200 requests of every form, held connections, and a Django form behind TLS (Django is fetched)
	@script/test-traffic

test-examples: bootstrap-test ## Deploy the sites of ansible/examples on local machines and switch them under load (root; 140 MB are fetched)
	cargo test --locked --test api -- --ignored --nocapture --test-threads 1 system::examples

test-tutor: bootstrap-test ## Deploy with Tutor on two local machines, with a recorder in place of Docker (root; 40 MB are fetched)
	cargo test --locked --test api -- --ignored --nocapture system::machines::tutor

test-openstack: ## The OpenStack provider against a real control plane, which the program OPENSTACK_TESTBED starts
	@script/test-openstack

test-resources: ## Databases, buckets and backups at real servers, and the life of a site in PostgreSQL, which the suite starts (root; quarter of an hour)
	@script/test-resources

test-screens: bootstrap-test spa program ## Every screen in a browser: accessibility in both themes, focus, touch targets (ten minutes)
	cargo build --package ocim-api --example fake_github --target-dir target
	cd e2e-tests && npx --no-install playwright test --config every-screen.config.ts

test-provider: bootstrap-test ## Every provider that works here against the conformance suite: local, the example program, fake (root)
	cargo test --locked --test api -- --ignored --nocapture system::machines::conformance

test-containers: bootstrap-test ## Containers with Podman, as root and as an ordinary user: the contract, reboots, times, a move from a local machine (root; five minutes)
	@script/test-containers

test-searches: bootstrap-test ## Abandon forty searches in ten million log lines while a build runs (some minutes, 5 GB)
	cargo test --locked --test api -- --ignored --nocapture ten_million

test-ansible: ## Seventy small playbooks with Ansible 2.10, 2.12, 2.16 and the newest; a table (packages are fetched; OCIM_ANSIBLE=2.10)
	@script/test-ansible

test-application-type: bootstrap-test ## Add an application type to a copy of the tree as docs/application-types.md says, and build it
	@script/test-application-type

test-certificates: bootstrap-test ## Certificates from Pebble, a real server of ACME: bad nonces, slow validation, failures, renewal windows (a minute)
	cargo test --locked --test api -- --ignored --nocapture system::certificates

test-package: bootstrap-package spa program ## Make the package twice, install it in a Debian, start, upgrade, remove and purge it (root; RELEASE=trixie; packages are fetched)
	@PROFILE=$(PROFILE) script/test-package $(PROGRAM)

test-production: program ## Install with ansible/deploy on one host and on five, kill and upgrade them under load; a table (root; 30 minutes; packages are fetched)
	@script/test-production $(PARTS)

chaos: build ## Kill real workers, server, HAProxy and Postgres at random while they build (root; about six minutes)
	@script/chaos

test-upgrade: build ## Start an installation of an earlier version (REVISION, default: the last tag) with the program built here
	@script/test-upgrade $(REVISION)

test-configuration: build ## Load a copy of edx/configuration (REPOSITORY, VERSION) and run it as far as it comes here; figures (packages are fetched)
	@script/test-configuration "$(REPOSITORY)" "$(VERSION)"

fuzz-api: bootstrap-test build ## Ask the API for ten minutes what its document allows and what not, as each role (OCIM_FUZZ_SECONDS)
	@cargo build --locked --example fake_github
	@script/fuzz-api

fuzz-settings: bootstrap-test ## Read random bodies of pull requests, and YAML as PyYAML does, for ten minutes (OCIM_FUZZ_SECONDS)
	@script/fuzz-settings

check: bootstrap-test ## What to run before a push, three minutes once compiled: formatting, clippy, unit tests, routes, architecture
	@script/check

lint: ## Formatting, clippy for the host and for wasm, scripts, the browser tests' types
	@script/lint

fmt: ## Format the Rust code
	cargo fmt --all

bench: ## Measure the program against floors of the same run: a table, ten minutes with the first compilation
	nice cargo bench --bench bench

bench-ui: PROFILE = release
bench-ui: bootstrap-test spa program ## Measure the screens in a browser, 10,000 instances among them, and say which figure breaks its limit
	cd e2e-tests && npx playwright test --config bench

openapi: ## Write openapi.yaml anew from the code
	@mkdir -p target
	cargo run --package ocim-api --bin ocim -- openapi > target/openapi.yaml
	mv target/openapi.yaml openapi.yaml

openapi-breaking: bootstrap-test ## What in openapi.yaml breaks clients of the last tag, or of REVISION
	@script/openapi-breaking $(REVISION)

permissions: ## Write docs/permissions.md anew from the code
	OCIM_WRITE_PERMISSIONS=1 cargo test --locked --test api -- routes::permissions::the_committed_table

problems: ## Write docs/problems.md anew from the code
	OCIM_WRITE_PROBLEMS=1 cargo test --locked --test api -- routes::document::the_committed_page_of_problems

settings: ## Write docs/settings.md anew from the code
	OCIM_WRITE_SETTINGS=1 cargo test --locked --test api -- routes::document::the_committed_page_of_settings

screens: bootstrap-test spa program ## Run the browser stories and keep their pictures in docs/screens
	cargo build --package ocim-api --example fake_github --target-dir target
	cd e2e-tests && SCREENS_DIR=../docs/screens npx playwright test

audit: ## Known vulnerabilities of the dependencies, Rust's and npm's (needs cargo-deny, and GitHub for its database)
	@cargo deny --version >/dev/null 2>&1 || { echo "cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 1; }
	cargo deny check advisories
	npm audit --prefix e2e-tests
	npm audit --prefix script/binaryen

deny: ## Licences, banned crates and sources of the dependencies (needs cargo-deny)
	@cargo deny --version >/dev/null 2>&1 || { echo "cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 1; }
	cargo deny check bans licenses sources

clean: ## Remove what was built; tools that took minutes (target/tools) and data (.ocim) stay
	rm -rf dist e2e-tests/test-results
	[ ! -d target ] || find target -mindepth 1 -maxdepth 1 ! -name tools -exec rm -rf {} +

bootstrap:
	@script/bootstrap run

bootstrap-test:
	@script/bootstrap test

bootstrap-package:
	@script/bootstrap package

# The single-page application, which the program embeds.
spa: $(SPA_STAMP)

$(SPA_STAMP): $(SPA_SOURCES)
	@script/build-spa
	@mkdir -p $(@D) && touch $@

# A stamp without what it stands for is worth nothing.
ifeq ($(wildcard dist/index.html),)
.PHONY: $(SPA_STAMP)
endif

# Cargo knows best whether there is anything to do. The directory is given because others look for the program there.
program:
	cargo build --package ocim-api --bin ocim --profile $(PROFILE) --target-dir target
