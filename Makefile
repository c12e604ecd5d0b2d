# Every task of this repository. Needs make, npm and Node 20 or later; the Node that everything then runs on comes from
# npm, into node_modules. `make` alone lists the tasks; what takes arguments is also an npm script (see package.json).
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The tools of node_modules first. Not for npm ci itself, which deletes them.
with_tools := PATH="$(CURDIR)/node_modules/.bin:$$PATH"
installed := node_modules/.installed

.PHONY: help
help: ## List the tasks
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ See it work
.PHONY: run
run: $(installed) ## Start three small members with a balancer before them; Ctrl-C ends all of it
	@$(with_tools) node examples/demo/main.ts

##@ Develop
.PHONY: install
install: $(installed) ## Install dependencies; the other tasks do so by themselves

# NODE_ENV=production must not leave the tools out. Where npm has no Node for this machine (macOS on Intel, Alpine), the
# one that is installed must be new enough.
$(installed): package-lock.json
	npm ci --include=dev --include=optional --loglevel=error
	@$(with_tools) node -e 'process.exit(parseInt(process.versions.node) < 26 ? 1 : 0)' || \
		{ echo "npm has no Node 26 for this machine: install Node 26 or later, then try again" >&2; exit 1; }
	@touch $@

.PHONY: format
format: $(installed) ## Format all files
	@$(with_tools) npm run -s format

.PHONY: generate
generate: $(installed) ## Write what is generated: the CRD and the reference pages
	@$(with_tools) npm run -s generate

.PHONY: build
build: $(installed) ## Compile src/ to dist/
	@$(with_tools) npm run -s build

.PHONY: release
release: $(installed) ## Build all that a release is made of into .cache/release; publishes nothing
	@$(with_tools) .ci/release

.PHONY: audit
audit: $(installed) ## Ask the registry for known faults of the dependencies that are shipped
	npm audit --omit=dev

.PHONY: clean
clean: ## Delete what was built, and the caches
	rm -rf dist coverage .cache

##@ Test
.PHONY: test
test: check ## Check everything, then run the unit and the integration tests; TEST_ARGS goes to vitest
	@$(with_tools) npm test -s -- $(TEST_ARGS)

.PHONY: test-unit
test-unit: $(installed) ## Run the unit tests: pure parts, seconds
	@$(with_tools) vitest run --project unit

.PHONY: test-integration
test-integration: $(installed) ## Run the integration tests: real processes and sockets
	@$(with_tools) vitest run --project integration

.PHONY: test-apps
test-apps: $(installed) ## Run real applications behind it: Express, and Tomcat if it is installed
	@$(with_tools) vitest run --project apps

.PHONY: test-cluster
test-cluster: $(installed) ## Run the tests on a real API server, which is built the first time; TEST_ARGS goes to vitest
	@$(with_tools) test/cluster/inside vitest run --project cluster $(TEST_ARGS)

.PHONY: test-cluster-scale
test-cluster-scale: $(installed) ## Measure the product in a large cluster; minutes. SCALE_ARGS goes to the program
	@$(with_tools) test/cluster/inside node test/cluster/scale.ts $(SCALE_ARGS)

.PHONY: check
check: check-format check-types check-lint check-unused check-generated ## Check format, types, lint, unused code, generated files

.PHONY: check-format check-types check-lint check-unused check-generated
check-format check-types check-lint check-unused check-generated: $(installed)
	@$(with_tools) npm run -s $(subst check-,check:,$@)

.PHONY: fuzz
fuzz: $(installed) ## Compare our HTTP parser with Node's on mutated messages; FUZZ_ARGS goes to the program
	@$(with_tools) npm run -s fuzz -- $(FUZZ_ARGS)

.PHONY: bench
bench: $(installed) ## Measure beside other proxies, with medians of several runs; BENCH_ARGS goes to the program
	@$(with_tools) npm run -s bench -- $(BENCH_ARGS)

.PHONY: bench-quick
bench-quick: $(installed) ## The same, short, with generous bounds
	@$(with_tools) npm run -s bench:quick -- $(BENCH_ARGS)

.PHONY: soak
soak: $(installed) ## Ten minutes of load with churn; memory must stay flat
	@$(with_tools) npm run -s soak -- $(SOAK_ARGS)

.PHONY: slow-clients
slow-clients: $(installed) ## Thousands of slow clients beside normal traffic, which must hardly notice; SLOW_ARGS goes to the program
	@$(with_tools) npm run -s slow-clients -- $(SLOW_ARGS)

.PHONY: ci
ci: ## What CI runs: installs servers to compare with where it may, then every suite
	@.ci/run
