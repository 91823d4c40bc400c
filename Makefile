# SPDX-License-Identifier: Apache-2.0
# All commands for developers. 'make' without a target lists them.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build demo test check lint site share proof hunt bench weigh native image format clean packages programs tailscale kernel

# Finds JDK 25, whatever version 'java' is. Every command that needs it begins with this.
jdk := JAVA_HOME=$$(scripts/find-jdk) && export JAVA_HOME
maven := $(jdk) && ./mvnw --batch-mode --no-transfer-progress
lab := $(jdk) && src/test/lab/bin/java --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
	-cp "target/test-classes:target/classes:$$(cat target/test-class-path)"

# The program of an image.
program := $(if $(GRAALVM_HOME),target/culvert-app/culvert-runner,target/built)

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

build: target/built ## build the program for the JVM; ./culvert runs it

demo: packages programs $(filter tailscale,$(MESH)) target/built ## show on this machine, in a minute, that it works and does not leak
	@$(lab) io.culvert.lab.Demo

test: packages programs kernel target/built ## run all tests and print the totals
	@scripts/test

check: lint ## check the format, run the linters and the fast tests
	@$(maven) test

lint: ## run the linters of scripts and workflows, and check licence headers
	@scripts/lint

# SHAPES sets the number of plans.
proof: ## prove for all packets that what may leave is what the settings promise
	@$(maven) test -Dtest='ProofTest,PacketPathTest,MutationTest' -Dculvert.proof.shapes=$(or $(SHAPES),200)
	@$(maven) surefire:test@lab -Dtest=MutantLeakTest -Dculvert.proof.shapes=$(or $(SHAPES),200)

# ROUNDS, LOAD, LEVELS, TESTS and SEED: see scripts/hunt.
hunt: packages programs tailscale kernel target/built ## search for unstable tests: repeat the levels with namespaces and containers under load
	@scripts/image java full && scripts/image java minimal && scripts/image java none && scripts/python-programs && scripts/go-programs checks lint && scripts/hunt

bench: packages programs tailscale target/built ## compare the performance with other programs; updates the figures in README.md and docs
	@$(lab) -Dupdate=true io.culvert.lab.Bench

weigh: packages programs target/built ## measure size, start time and memory of the images; updates docs/figures.md
	@$(lab) -Dfigures=docs/figures.md io.culvert.lab.ImageBench

native: target/culvert-app/culvert-runner ## build the native program; ./culvert runs it

# TAILSCALE=minimal omits what an exit node does not need, TAILSCALE=none all of it; IMAGE sets another name.
image: packages $(program) ## build the container image localhost/culvert; native if GRAALVM_HOME is set
	@$(jdk) && scripts/image $(if $(GRAALVM_HOME),native,java) $(or $(TAILSCALE),full) $(IMAGE)

site: ## build the documentation site in target/site
	@scripts/site

share: ## write man pages and shell completion to target/share
	@$(maven) --quiet process-test-classes
	@rm -rf target/share
	@$(jdk) && "$$JAVA_HOME/bin/java" -cp "target/test-classes:target/classes:$$(cat target/test-class-path)" \
	  io.culvert.cli.ShareFiles target/share "$$(git -c safe.directory="$$PWD" log -1 --format=%cs 2> /dev/null || date -u +%F)"
	@echo "target/share has $$(ls target/share/man/man1 | wc -l) man pages, and the completion for bash and zsh"

format: ## format the sources
	@$(maven) spotless:apply

clean: ## remove build output
	rm -rf target

packages:
	@scripts/packages

programs: packages
	@scripts/go-programs wireguard

# Tailscale for the exit node, and Headscale for the lab. The first build takes minutes, so only targets that need them depend on
# it. If they or the kernel are not available, the tests that need them report it.
tailscale: packages
	@scripts/go-programs tailscale headscale || true

kernel: packages
	@scripts/kernel-lab --prepare || true

sources := pom.xml $(shell find src -type f ! -name '* *')

target/culvert-app/culvert-runner: $(sources)
	@if ! "$${GRAALVM_HOME:-}/bin/native-image" --version > /dev/null 2>&1; then \
	  echo "GRAALVM_HOME must name a GraalVM or Mandrel for JDK 25, with native-image." >&2; exit 1; fi
	@$(maven) package -DskipTests -Dnative
	@touch $@

target/built: $(sources)
	@$(maven) package -DskipTests
	@$(jdk) && scripts/aot-cache
	@touch $@
