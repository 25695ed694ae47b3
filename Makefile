# SPDX-License-Identifier: Apache-2.0
# One Makefile, not recursive.  `make help` says what there is.
# Sources are found by folder: a new file needs no line here.

VERSION   := $(shell sed -n 's/^\#define PR_VERSION *"\(.*\)"/\1/p' include/portreeve/version.h)
PREFIX    ?= /usr/local
SYSCONFDIR ?= /etc
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
LIBS := -lyaml -lldap -llber -lsqlite3 -ljansson -lcrypto

Q := $(if $(filter 0,$(V)),@,)
say = @printf '  %-6s %s\n' '$(1)' '$(2)'

LIB_SRC    := $(wildcard policy/*/*.c)
CLI_SRC    := $(filter policy/cli/%,$(LIB_SRC))
LIB_SRC    := $(filter-out policy/cli/%,$(LIB_SRC))
CERT_SRC   := $(wildcard certs/*.c)
PLUGIN_SRC := $(wildcard plugin/*.c)
UNIT_SRC   := $(filter-out test/unit/unit.c,$(wildcard test/unit/*.c))
FUZZ_SRC   := $(wildcard test/fuzz/fuzz_*.c)
TOOL_SRC   := $(wildcard test/tools/*.c)
BENCH_SRC  := $(wildcard test/bench/*.c)
obj = $(patsubst %.c,$(B)/%.o,$(1))

LIB   := $(B)/libportreeve.a
BINS  := $(if $(CLI_SRC),$(B)/portreeve) $(if $(PLUGIN_SRC),$(B)/portreeve-plugin)
UNITS := $(patsubst test/unit/%.c,$(B)/unit/%,$(UNIT_SRC))
FUZZERS := $(patsubst test/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRC))
TOOLS := $(patsubst test/tools/%.c,$(B)/tools/%,$(TOOL_SRC))
BENCHES := $(patsubst test/bench/%.c,$(B)/bench/%,$(BENCH_SRC))

.PHONY: all
all: $(BINS)

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
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LIBS) -lmicrohttpd -lm

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

-include mk/*.mk
-include $(shell find $(B) -name '*.d' 2>/dev/null)
