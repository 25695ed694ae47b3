# SPDX-License-Identifier: Apache-2.0
# One Makefile, not recursive.  `make help` says what there is.
# Sources are found by folder: a new file needs no line here.

VERSION   := $(shell sed -n 's/^\#define PR_VERSION *"\(.*\)"/\1/p' include/portreeve/version.h)
PREFIX    ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR   ?= $(PREFIX)/lib/systemd/system
DESTDIR   ?=
CC        ?= gcc
SAN       ?=
V         ?= 0

# asan and tsan builds live beside the plain one
B := build$(if $(SAN),-$(SAN))

WARN := -Wall -Wextra -Wpedantic -Wno-gnu-statement-expression -Wshadow \
	-Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-align \
	-Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough \
	-Wnull-dereference -Wconversion -Wno-sign-conversion
ifeq ($(shell $(CC) --version | grep -c clang),0)
WARN += -Wno-pedantic -Wlogical-op -Wduplicated-cond -Wtrampolines
else
# gnu17 is what we write: ranges, long strings and all
WARN += -Wno-gnu-designator -Wno-overlength-strings -Wno-pedantic
# clang up to 15 wants to be told twice
CLANG_HARD := $(shell echo | $(CC) -ftrivial-auto-var-init=zero -x c -c -o /dev/null - 2>/dev/null || \
	echo -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang)
endif
HARD := -fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-fPIE -ftrivial-auto-var-init=zero $(CLANG_HARD)
OPT  := -O2 -D_FORTIFY_SOURCE=3
LDHARD := -pie -Wl,-z,relro,-z,now,-z,noexecstack
ifeq ($(SAN),asan)
OPT  := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDHARD := -pie -fsanitize=address,undefined
endif
ifeq ($(SAN),tsan)
OPT  := -O1 -fsanitize=thread
LDHARD := -pie -fsanitize=thread
endif
ifeq ($(SAN),cov)
OPT  := -O0 --coverage
LDHARD := -pie --coverage
endif
WERROR ?= -Werror
CPPFLAGS += -D_GNU_SOURCE -Iinclude -Ipolicy/api
CFLAGS   ?= -g
override CFLAGS += -std=gnu17 $(OPT) $(HARD) $(WARN) $(WERROR) -pthread -MMD -MP
override LDFLAGS += $(LDHARD) -pthread
LIBS := -lyaml -lldap -llber -lsqlite3 -ljansson -lcrypto -lseccomp

Q := $(if $(filter 0,$(V)),@,)
say = @printf '  %-6s %s\n' '$(1)' '$(2)'

LIB_SRC    := $(wildcard policy/*/*.c)
CLI_SRC    := $(filter policy/cli/%,$(LIB_SRC))
LIB_SRC    := $(filter-out policy/cli/%,$(LIB_SRC))
CERT_SRC   := $(wildcard certs/*.c)
PLUGIN_SRC := $(wildcard plugin/*.c)
PROXY_SRC  := $(wildcard proxy/*.c)
UNIT_SRC   := $(filter-out test/unit/unit.c,$(wildcard test/unit/*.c))
FUZZ_SRC   := $(wildcard test/fuzz/fuzz_*.c)
TOOL_SRC   := $(wildcard test/tools/*.c)
BENCH_SRC  := $(wildcard test/bench/*.c)
obj = $(patsubst %.c,$(B)/%.o,$(1))

LIB   := $(B)/libportreeve.a
BINS  := $(if $(CLI_SRC),$(B)/portreeve) $(if $(PLUGIN_SRC),$(B)/portreeve-plugin) \
	$(if $(PROXY_SRC),$(B)/portreeve-proxy)
UNITS := $(patsubst test/unit/%.c,$(B)/unit/%,$(UNIT_SRC))
FUZZERS := $(patsubst test/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRC))
TOOLS := $(patsubst test/tools/%.c,$(B)/tools/%,$(TOOL_SRC))
BENCHES := $(patsubst test/bench/%.c,$(B)/bench/%,$(BENCH_SRC)) \
	$(B)/bench/unconfined.so

# Manual pages and completions, from the tables of the programs.
SHARE := $(B)/share/.made

.PHONY: all
all: $(BINS) $(SHARE)

$(B)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(LIB): $(call obj,$(LIB_SRC))
	$(call say,AR,$@)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(B)/portreeve: $(call obj,$(CLI_SRC) $(CERT_SRC)) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/portreeve-plugin: $(call obj,$(PLUGIN_SRC)) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lmicrohttpd

$(B)/describe: $(B)/packaging/describe.o $(LIB) \
		$(call obj,$(filter-out policy/cli/main.c,$(CLI_SRC)) $(CERT_SRC))
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LIBS)
$(B)/packaging/describe.o: CPPFLAGS += -Ipolicy/cli
$(SHARE): $(B)/describe $(wildcard packaging/man/*)
	$(call say,MAN,$(@D))
	@rm -rf $(@D)
	$(Q)$(B)/describe $(@D) packaging/man
	@touch $@

$(B)/portreeve-proxy: $(call obj,$(PROXY_SRC)) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lssl $(LIBS)

# A unit test that needs a folder beside the library names it here.
$(B)/unit/test_certs: $(call obj,$(CERT_SRC))
$(B)/unit/test_identity: $(call obj,$(CERT_SRC))
$(B)/unit/%: $(B)/test/unit/%.o $(B)/test/unit/unit.o $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LIBS) -lcheck -lsubunit -lm -lrt

$(B)/tools/%: $(B)/test/tools/%.o $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LIBS)

$(B)/bench/%: $(B)/test/bench/%.o $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) -lssl $(LIBS) -lmicrohttpd -lm

$(B)/bench/%.so: test/bench/preload/%.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -Wall -shared -fPIC -o $@ $<

# The fuzz targets with a main() that replays a corpus (make check), and with
# libFuzzer (make fuzz).
$(B)/fuzz/%: $(B)/test/fuzz/%.o $(B)/test/fuzz/replay.o $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LIBS)

.PHONY: tools benches units fuzzers
tools: $(TOOLS)
benches: $(BENCHES)
units: $(UNITS)
fuzzers: $(FUZZERS)

# The command's own parts, tested without its main().
$(B)/unit/test_cli $(B)/unit/test_cli_policy $(B)/unit/test_signature: \
	$(call obj,$(filter-out policy/cli/main.c,$(CLI_SRC)) $(CERT_SRC))
$(B)/test/unit/test_cli.o $(B)/test/unit/test_cli_policy.o $(B)/test/unit/test_signature.o: \
	CPPFLAGS += -Ipolicy/cli

# Tests of different kinds share headers by their path below test/.
$(B)/test/%.o: CPPFLAGS += -Itest

# The judge's own parts: what it keeps between two stages, its table of flags.
$(B)/test/unit/test_pending.o $(B)/test/unit/test_command.o \
$(B)/test/unit/test_break_glass.o $(B)/test/unit/test_teams.o \
$(B)/test/unit/test_response.o $(B)/test/unit/test_usage.o \
$(B)/test/unit/test_runs.o $(B)/test/tools/decide.o: \
	CPPFLAGS += -Ipolicy/judge

# Clocks that a test moves.
$(B)/unit/test_usage: LDFLAGS += -Wl,--wrap=pr_clock_now
$(B)/unit/test_runs: LDFLAGS += -Wl,--wrap=pr_clock_monotonic,--wrap=pr_clock_wall

# The plugin's parts, tested without its main().
$(B)/unit/test_call: $(B)/plugin/call.o
$(B)/test/unit/test_call.o: CPPFLAGS += -Iplugin
$(B)/fuzz/fuzz_call: $(B)/plugin/call.o
$(B)/test/fuzz/fuzz_call.o: CPPFLAGS += -Iplugin
build-fuzz/fuzz_call: build-fuzz/o/plugin/call.o
build-fuzz/o/test/fuzz/fuzz_call.o: CPPFLAGS += -Iplugin
FLIGHT_OBJ := flight flight_pool flight_work call memory
$(B)/unit/test_flight: $(FLIGHT_OBJ:%=$(B)/plugin/%.o)
$(B)/test/unit/test_flight.o: CPPFLAGS += -Iplugin

# The proxy's parts, tested without its main().
$(B)/unit/test_http $(B)/fuzz/fuzz_http: $(B)/proxy/http.o
$(B)/unit/test_proxy: $(B)/proxy/subjects.o
$(B)/test/unit/test_http.o $(B)/test/unit/test_proxy.o \
$(B)/test/fuzz/fuzz_http.o: CPPFLAGS += -Iproxy
build-fuzz/fuzz_http: build-fuzz/o/proxy/http.o
build-fuzz/o/test/fuzz/fuzz_http.o: CPPFLAGS += -Iproxy

# Tests, checks, installation.  A line `## target: text` feeds `make help`.
FUZZ_SECONDS ?= 60
J ?= 2
MAKEQ := $(MAKE) --no-print-directory

C_FILES  = $(shell git ls-files '*.c' '*.h' 2>/dev/null)
PY_FILES = $(shell git ls-files '*.py' test/run 2>/dev/null)
SH_FILES = $(shell git ls-files '*.sh' .ci/run test/campaign 2>/dev/null) \
	$(wildcard packaging/completions/*.bash)

.PHONY: help test check lint asan tsan check-layers check-headers docs install
.PHONY: run bench campaign fuzz coverage clean deps
## all: the programs (the default)
help:
	@sed -n 's/^## \([^:]*\): /  \1\t/p' Makefile | expand -t 18

## deps: install what is missing (Debian), said before it is done
deps:
	@test/deps.sh build run test lint

## run: a private dockerd with the plugin, scenes, then yours to try (ONCE=1 ends; DOOR=proxy)
run:
	@test/deps.sh build run
	@$(MAKEQ) -j$(J) all
	@ONCE='$(ONCE)' DIRECTORY='$(DIRECTORY)' PORTREEVE_BUILD='$(B)' \
		test/scenes/$(if $(filter proxy,$(DOOR)),proxy,run).py

## test: everything: units, corpora, golden, catalogue, real dockerd and slapd, attacks
test:
	@test/deps.sh build run test
	@$(MAKEQ) -j$(J) all units fuzzers tools benches
	@test/run --build $(B)

## test-engines: the attack corpus and clients on newer engines (docs/engines.md)
.PHONY: test-engines
test-engines:
	@test/deps.sh build run test
	@$(MAKEQ) -j$(J) all
	@test/run --build $(B) engines

## check: the fast part of test
check:
	@$(MAKEQ) -j$(J) all units fuzzers tools
	@test/run --build $(B) --fast

## check-layers: who may include what
check-layers:
	@test/static/layers.py

## docs: write the pages that the program prints itself
docs: $(B)/portreeve
	@test/static/keys.py --write

## check-headers: each contract compiles alone and is documented
check-headers:
	@test/static/headers.py

## asan: the suite under AddressSanitizer and UBSan (ONLY="unit fuzz" for a part)
asan:
	@$(MAKEQ) SAN=asan -j$(J) all units fuzzers tools
	@test/run --build build-asan --scale 5 $(ONLY)

## tsan: the suite under ThreadSanitizer (ONLY="unit fuzz" for a part)
tsan:
	@$(MAKEQ) SAN=tsan -j$(J) all units fuzzers tools
	@test/run --build build-tsan --scale 10 $(ONLY)

## lint: clang-format, cppcheck, shellcheck, python (make lint-tidy: clang-tidy, minutes)
.PHONY: lint-format lint-tidy lint-cppcheck lint-shell lint-python
lint:
	@set -e; for part in format shell python cppcheck; do \
		start=$$(date +%s); \
		$(MAKEQ) lint-$$part; \
		echo "lint-$$part: clean ($$(($$(date +%s) - start)) s)"; \
	done
lint-format:
	@clang-format --dry-run -Werror $(C_FILES)
lint-shell:
	@shellcheck $(SH_FILES)
lint-python:
	@python3 -c 'import sys; [compile(open(f).read(), f, "exec") \
		for f in sys.argv[1:]]' $(PY_FILES)
lint-cppcheck:
	@cppcheck -q -j$(J) --std=c11 --enable=warning,performance,portability \
		--inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem \
		--suppress=normalCheckLevelMaxBranches --suppress=unmatchedSuppression \
		--suppress=varFuncNullUB \
		-D_GNU_SOURCE -Iinclude -Ipolicy/api include policy certs plugin proxy
lint-tidy:
	@J=$(J) test/tidy.sh build/tidy \
		$(filter-out test/%,$(filter %.c,$(C_FILES))) -- $(CPPFLAGS) \
		-Ipolicy/cli -std=gnu17

## install: programs, man pages, profiles, completions (DESTDIR= PREFIX=)
install: all
	@set -e; d='$(DESTDIR)$(PREFIX)'; \
	install -d "$$d/bin" "$$d/sbin" "$$d/share/portreeve/policy"; \
	for f in $(wildcard $(B)/portreeve); do install -m755 $$f "$$d/bin"; done; \
	for f in $(filter-out $(B)/portreeve,$(BINS)); do \
		install -m755 $$f "$$d/sbin"; done; \
	install -d "$$d/share/portreeve/policy/profiles"; \
	for f in $(wildcard packaging/policy/*.* packaging/policy/profiles/*); do \
		install -m644 $$f "$$d/share/portreeve/$${f#packaging/}"; done; \
	for s in 1 5 8; do install -d "$$d/share/man/man$$s"; \
		install -m644 $(B)/share/man$$s/* "$$d/share/man/man$$s"; done; \
	install -D -m644 $(B)/share/bash/portreeve \
		"$$d/share/bash-completion/completions/portreeve"; \
	install -D -m644 $(B)/share/zsh/_portreeve \
		"$$d/share/zsh/vendor-completions/_portreeve"; \
	install -D -m644 packaging/grafana/portreeve.json \
		"$$d/share/portreeve/grafana/portreeve.json"; \
	install -D -m644 packaging/prometheus/portreeve.rules.yml \
		"$$d/share/portreeve/prometheus/portreeve.rules.yml"; \
	[ -z "$(UNITDIR)" ] || for f in packaging/systemd/*.s*; do \
		install -D -m644 "$$f" \
		"$(DESTDIR)$(UNITDIR)/$$(basename "$$f")"; done
	$(call say,INST,$(DESTDIR)$(PREFIX))

## restarts: 200 restarts and 1,000 reloads of the plugin beneath a real dockerd under load
.PHONY: restarts
restarts:
	@test/deps.sh build run test
	@$(MAKEQ) -j$(J) all
	@RESTARTS=200 PORTREEVE_BUILD='$(B)' test/integration/restart_dockerd.py

## deb: the Debian package, in build/deb (DEB_BUILD_OPTIONS=nocheck without its tests)
DEB := $(B)/deb
.PHONY: deb deb-check
deb:
	@test/deps.sh build package
	@rm -rf $(DEB) && mkdir -p $(DEB)/portreeve
	@git ls-files -z --cached --others --exclude-standard | \
		xargs -0 cp --parents -t $(DEB)/portreeve
	@packaging/debian/build $(DEB)/portreeve
	@ls -l $(DEB)/*.deb

## deb-check: built twice and compared, lintian, installed and purged in a root of its own
deb-check:
	@test/deps.sh build package test
	@test/package/check.py $(ARGS)

## deb-boot: the package of `make deb` under a systemd and a dockerd of its own
.PHONY: deb-boot
deb-boot:
	@test/deps.sh build package boot
	@test/package/booted.py $(ARGS)

## bench: ratios beside a constant answer, in one run (ARGS=--write: docs/PERFORMANCE.md)
bench:
	@test/deps.sh build run bench
	@$(MAKEQ) -j$(J) all benches
	@test/bench/run.py $(ARGS)

## campaign: the differential tests on new seeds for CAMPAIGN_MINUTES (10)
campaign:
	@test/deps.sh build run test
	@$(MAKEQ) -j$(J) all units tools
	@PORTREEVE_BUILD='$(B)' test/campaign

## fuzz: each target under libFuzzer for FUZZ_SECONDS (60)
FUZZ_B := build-fuzz
FUZZ_CFLAGS := -g -O1 -std=gnu17 -pthread -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined -w
fuzz:
	@test/deps.sh build lint
	@$(MAKEQ) -j$(J) fuzz-build
	@set -e; for f in $(FUZZ_SRC:test/fuzz/%.c=%); do \
		name=$${f#fuzz_}; corpus=$(FUZZ_B)/corpus/$$name; \
		mkdir -p $$corpus test/fuzz/corpus/$$name; \
		dict=; [ ! -e test/fuzz/$$f.dict ] || dict=-dict=test/fuzz/$$f.dict; \
		echo "  FUZZ   $$name for $(FUZZ_SECONDS) s"; \
		$(FUZZ_B)/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
			-rss_limit_mb=2048 -print_final_stats=1 $$dict \
			-artifact_prefix=$(FUZZ_B)/ $$corpus test/fuzz/corpus/$$name \
			>$(FUZZ_B)/$$f.log 2>&1 || { tail -n 40 $(FUZZ_B)/$$f.log; exit 1; }; \
		grep -E 'Done|number_of_executed' $(FUZZ_B)/$$f.log; \
	done
.PHONY: fuzz-build
fuzz-build: $(FUZZ_SRC:test/fuzz/%.c=$(FUZZ_B)/%)
$(FUZZ_B)/o/%.o: %.c
	@mkdir -p $(@D)
	$(Q)clang $(CPPFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP \
		-c -o $@ $<
$(FUZZ_B)/fuzz_%: $(FUZZ_B)/o/test/fuzz/fuzz_%.o \
		$(LIB_SRC:%.c=$(FUZZ_B)/o/%.o)
	$(call say,LD,$@)
	$(Q)clang $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

## coverage: lines and branches that the fast tests run (needs gcovr)
coverage:
	@$(MAKEQ) SAN=cov -j$(J) all units fuzzers tools
	@test/run --build build-cov --fast
	@gcovr -r . --object-directory build-cov -f policy -f plugin -f proxy -f certs \
		--exclude-throw-branches -s | tail -n 40

## clean: the build folders
clean:
	@rm -rf build build-asan build-tsan build-cov build-fuzz

-include $(shell find $(B) -path $(B)/deb -prune -o -name '*.d' -type f -print 2>/dev/null)
