# Everything a developer does here, by name. 'make' alone lists it.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build demo test check hunt bench weigh native image format clean packages programs tailscale kernel

# Finds JDK 25 by itself, whatever 'java' is. Every command that needs it begins with this.
jdk := JAVA_HOME=$$(scripts/find-jdk) && export JAVA_HOME
maven := $(jdk) && ./mvnw --batch-mode --no-transfer-progress
lab := $(jdk) && src/test/lab/bin/java --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
	-cp "target/test-classes:target/classes:$$(cat target/test-class-path)"

# What an image runs.
program := $(if $(GRAALVM_HOME),target/culvert-app/culvert-runner,target/built)

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

build: target/built ## build the program for the JVM; ./culvert runs it

demo: packages programs $(filter tailscale,$(MESH)) target/built ## show in a minute, on this machine's kernel, that it works and does not leak
	@$(lab) io.culvert.lab.Demo

test: packages programs kernel target/built ## run every test; the totals come last
	@scripts/test

check: ## run the fast tests only
	@$(maven) test

# ROUNDS, LOAD, LEVELS, TESTS, SEED: scripts/hunt.
hunt: packages programs tailscale kernel target/built ## run the levels with namespaces and containers again and again, on a busy machine
	@scripts/image java full && scripts/image java minimal && scripts/python-programs && scripts/go-programs checks && scripts/hunt

bench: packages programs $(filter tailscale,$(MESH)) target/built ## measure against what others do, in pairs; the README shows the figures
	@$(lab) -Dfigures=README.md io.culvert.lab.$(if $(filter tailscale,$(MESH)),Tailscale)Bench

weigh: packages programs target/built ## measure the images that were built: size, start, memory; the README shows the figures
	@$(lab) -Dfigures=README.md io.culvert.lab.ImageBench

native: target/culvert-app/culvert-runner ## build the native program; ./culvert runs it

# TAILSCALE=minimal leaves out what an exit does not need; IMAGE gives another name.
image: packages $(program) ## build the container image localhost/culvert; native where GRAALVM_HOME is set
	@$(jdk) && scripts/image $(if $(GRAALVM_HOME),native,java) $(or $(TAILSCALE),full) $(IMAGE)

format: ## format the sources
	@$(maven) spotless:apply

clean: ## remove what was built
	rm -rf target

packages:
	@scripts/packages

programs: packages
	@scripts/go-programs wireguard

# Tailscale for the exit node, and Headscale for the lab. This takes minutes the first time, so that only what needs them waits.
# Where they cannot be had, what needs them says so; and so it is with the kernel.
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
