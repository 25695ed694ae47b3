# SPDX-License-Identifier: Apache-2.0
# Tests, checks, installation.  A line `## target: text` feeds `make help`.
FUZZ_SECONDS ?= 60
J ?= 2
MAKEQ := $(MAKE) --no-print-directory

C_FILES  = $(shell git ls-files '*.c' '*.h' 2>/dev/null)
PY_FILES = $(shell git ls-files '*.py' test/run 2>/dev/null)
SH_FILES = $(shell git ls-files '*.sh' .ci/run 2>/dev/null) \
	$(wildcard packaging/completions/*.bash)

.PHONY: help test check lint asan tsan check-layers check-headers install
.PHONY: run bench fuzz coverage clean deps
## all: the programs (the default)
help:
	@sed -n 's/^## \([^:]*\): /  \1\t/p' Makefile mk/*.mk | expand -t 18

## deps: install what is missing (Debian), said before it is done
deps:
	@test/deps.sh build run test lint

## run: a private dockerd with the plugin, scenes, then yours to try (ONCE=1 ends)
run:
	@test/deps.sh build run
	@$(MAKEQ) -j$(J) all
	@ONCE='$(ONCE)' DIRECTORY='$(DIRECTORY)' PORTREEVE_BUILD='$(B)' test/scenes/run.py

## test: everything: units, corpora, golden, catalogue, real dockerd and slapd, attacks
test:
	@test/deps.sh build run test
	@$(MAKEQ) -j$(J) all units fuzzers tools benches
	@test/run --build $(B)

## check: the fast part of test
check:
	@$(MAKEQ) -j$(J) all units fuzzers tools
	@test/run --build $(B) --fast

## check-layers: who may include what
check-layers:
	@test/static/layers.py

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

## lint: clang-format, clang-tidy, cppcheck, shellcheck, python
.PHONY: lint-format lint-tidy lint-cppcheck lint-shell lint-python
lint:
	@set -e; for part in format shell python cppcheck tidy; do \
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
		-D_GNU_SOURCE -Iinclude -Ipolicy/api include policy certs plugin
lint-tidy:
	@printf '%s\n' $(filter-out test/%,$(filter %.c,$(C_FILES))) | \
		xargs -P $(J) -n 4 sh -c 'clang-tidy --quiet "$$@" -- $(CPPFLAGS) \
		-std=gnu17 2>/dev/null' tidy

## install: programs, man pages, profiles, completions (DESTDIR= PREFIX=)
install: all
	@set -e; d='$(DESTDIR)$(PREFIX)'; \
	install -d "$$d/bin" "$$d/sbin" "$$d/share/portreeve/policy"; \
	for f in $(wildcard $(B)/portreeve); do install -m755 $$f "$$d/bin"; done; \
	for f in $(filter-out $(B)/portreeve,$(BINS)); do \
		install -m755 $$f "$$d/sbin"; done; \
	for f in $(wildcard packaging/policy/*); do \
		install -m644 $$f "$$d/share/portreeve/policy"; done; \
	for s in 1 5 7 8; do for f in packaging/man/*.$$s; do \
		[ -e "$$f" ] || continue; \
		install -d "$$d/share/man/man$$s"; \
		install -m644 "$$f" "$$d/share/man/man$$s"; done; done; \
	for f in packaging/completions/*.bash; do [ -e "$$f" ] || continue; \
		install -D -m644 "$$f" "$$d/share/bash-completion/completions/$$( \
		basename "$$f" .bash)"; done; \
	for f in packaging/completions/_*; do [ -e "$$f" ] || continue; \
		install -D -m644 "$$f" \
		"$$d/share/zsh/vendor-completions/$$(basename "$$f")"; done; \
	for f in packaging/systemd/*; do [ -e "$$f" ] || continue; \
		install -D -m644 "$$f" \
		"$(DESTDIR)$(PREFIX)/lib/systemd/system/$$(basename "$$f")"; done
	$(call say,INST,$(DESTDIR)$(PREFIX))

## bench: ratios beside a constant answer, in one run (ARGS=--write: docs/PERFORMANCE.md)
bench:
	@test/deps.sh build run
	@$(MAKEQ) -j$(J) all benches
	@test/bench/run.py $(ARGS)

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
	@gcovr -r . --object-directory build-cov -f policy -f plugin -f certs \
		--exclude-throw-branches -s | tail -n 40

## clean: the build folders
clean:
	@rm -rf build build-asan build-tsan build-cov build-fuzz
