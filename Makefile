# cdc-tools: `make` builds, `make demo` shows it at work, `make check` tests it.
#
# Nothing is recursive. BUILD is where everything goes; CC, CFLAGS, CPPFLAGS, LDFLAGS, PREFIX and
# DESTDIR are the user's. `make`, `make lib` and `make install` never touch the system;
# `make demo` and `make check` first install missing Debian packages (tests/setup.sh says which).

VERSION := 0.1.0
SOVERSION := 0

BUILD ?= build
PREFIX ?= /usr/local
bindir ?= $(PREFIX)/bin
libdir ?= $(PREFIX)/lib
includedir ?= $(PREFIX)/include
datadir ?= $(PREFIX)/share
mandir ?= $(datadir)/man
INSTALL ?= install
OBJCOPY ?= objcopy
PKG_CONFIG ?= pkg-config
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2);)

LAYERS ?= base io record source parquet delta table
PROGRAMS := cdc-decode cdc-dedup cdc-merge cdc-compact cdc-snapshot

PACKAGES := avro-c libzstd snappy zlib liblz4 libbrotlidec libbrotlienc libxxhash libarchive
# Taken where it is there; WITHOUT="rdkafka" builds as if it were not.
OPTIONAL := rdkafka libcurl
WITHOUT ?=
FOUND := $(foreach p,$(filter-out $(WITHOUT),$(OPTIONAL)),$(shell $(PKG_CONFIG) --exists $(p) && echo $(p)))
PACKAGES += $(FOUND)

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wcast-qual -Wwrite-strings -Wundef \
	-Wnull-dereference -Wswitch-enum
WERROR ?=
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
SANITIZE ?=
ALL_CPPFLAGS = -Ilib -I. -D_GNU_SOURCE -DCDC_VERSION='"$(VERSION)"' $(PKG_CFLAGS) \
	$(if $(filter rdkafka,$(FOUND)),-DCDC_WITH_RDKAFKA) \
	$(if $(filter libcurl,$(FOUND)),-DCDC_WITH_CURL) $(CPPFLAGS)
ALL_CFLAGS = -std=c17 -fPIC -fvisibility=hidden -ffile-prefix-map=$(CURDIR)=. $(WARN) $(WERROR) \
	$(HARDEN) $(CFLAGS) $(SANITIZE)
ALL_LDFLAGS = -Wl,--as-needed -Wl,-z,relro,-z,now $(LDFLAGS) $(SANITIZE)

PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS = $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null) -lroaring -lm

LIB_SRC := $(sort $(foreach l,$(LAYERS),$(wildcard lib/$(l)/*.c lib/$(l)/*/*.c))) $(if $(filter table,$(LAYERS)),$(wildcard lib/cdc.c))
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
# What lib/cdc.h needs, and with it what is installed as the library.
PUBLIC_OBJ := $(filter-out $(BUILD)/lib/source/% $(BUILD)/lib/table/archive/% $(BUILD)/lib/table/scan/parquet_rows%,$(LIB_OBJ))
PUBLIC_PACKAGES := $(filter-out avro-c libxxhash libarchive $(OPTIONAL),$(PACKAGES))
CMD_COMMON := $(filter-out $(PROGRAMS:%=cmd/%.c),$(wildcard cmd/*.c))
CMD_OBJ := $(CMD_COMMON:%.c=$(BUILD)/%.o)
UNIT_SRC := $(foreach l,$(LAYERS),$(wildcard tests/unit/$(l)/test_*.c))
UNIT_BIN := $(UNIT_SRC:%.c=$(BUILD)/%)

.PHONY: all lib unit setup demo demo-run check check-run corpus stress bench lint lint-run interop fuzz fuzz-build completions install uninstall clean
.SECONDARY:

all: $(PROGRAMS:%=$(BUILD)/%) $(BUILD)/libcdc.so

lib: $(BUILD)/public/libcdc.a $(BUILD)/libcdc.so

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libcdc.a: $(LIB_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcsD $@ $^

$(BUILD)/libcdc.so: $(PUBLIC_OBJ) lib/cdc.map
	$(call say,LD,$@)$(CC) -shared $(ALL_LDFLAGS) -Wl,-soname,libcdc.so.$(SOVERSION) \
		-Wl,--version-script=lib/cdc.map -o $@ $(PUBLIC_OBJ) $(PKG_LIBS)

# The archive that is installed is one object whose only global names are those of lib/cdc.h.
$(BUILD)/public/libcdc.a: $(PUBLIC_OBJ)
	@mkdir -p $(@D)
	$(call say,AR,$@)$(CC) -r -nostdlib -o $(@D)/cdc.o $^ && \
		$(OBJCOPY) --localize-hidden $(@D)/cdc.o && rm -f $@ && $(AR) rcsD $@ $(@D)/cdc.o

# What the programs share; each takes what it uses.
$(BUILD)/cmd/shared.a: $(CMD_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcsD $@ $^

$(BUILD)/cdc-%: $(BUILD)/cmd/cdc-%.o $(BUILD)/cmd/shared.a $(BUILD)/libcdc.a
	$(call say,LD,$@)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

LIBRARIES = $(foreach p,$(PACKAGES),$(p) $(shell $(PKG_CONFIG) --modversion $(p) 2>/dev/null),) CRoaring
$(BUILD)/cmd/common.o: ALL_CPPFLAGS += -DCDC_LIBRARIES='"$(strip $(LIBRARIES))"'

# --- tests ------------------------------------------------------------------

$(BUILD)/tests/%: tests/%.c $(BUILD)/libcdc.a
	@mkdir -p $(@D)
	$(call say,TEST,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -Wno-missing-prototypes -Wno-switch-enum -MMD -MP -MF $@.d \
		$(ALL_LDFLAGS) -o $@ $< $(BUILD)/libcdc.a $(PKG_LIBS) $(TEST_LIBS)

unit: $(UNIT_BIN)
	$(Q)for t in $(UNIT_BIN); do echo "# $$t"; $$t || exit 1; done

# Every test program speaks TAP; tests/run.sh counts the points.
PROP_BIN := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/property/*.c))
FAULT_BIN := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fault/*.c))
TOOL_BIN := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/dts/*.c tests/bench/*.c) \
	$(if $(filter rdkafka,$(FOUND)),$(wildcard tests/kafka/*.c)))
BATS := $(wildcard tests/bats/*.bats)
CORPUS_SH := $(wildcard tests/corpus/*.sh) tests/corpus/cdc.py
FAULT_SH := $(wildcard tests/fault/*.sh) tests/fault/stress.py
RUN = BUILD=$(BUILD) $(if $(SANITIZE),SANITIZED=1) CMOCKA_MESSAGE_OUTPUT=TAP tests/run.sh $(if $(TALLY),-t $(TALLY))

$(BUILD)/tests/property/%: TEST_LIBS = -ljansson -lsqlite3
$(BUILD)/tests/unit/%: TEST_LIBS = -lcmocka -ljansson
$(BUILD)/tests/bench/%: TEST_LIBS = -ljansson

setup:
	$(Q)tests/setup.sh check

# Set-up first, then a second make that sees what was installed.
check:
	$(Q)tests/setup.sh check
	$(Q)$(MAKE) --no-print-directory check-run

check-run: all $(UNIT_BIN) $(PROP_BIN) $(FAULT_BIN) $(TOOL_BIN)
	$(Q)$(RUN) $(foreach t,$(UNIT_BIN),$(t:$(BUILD)/tests/%=%)=$(t)) \
		$(foreach t,$(PROP_BIN) $(FAULT_BIN),$(t:$(BUILD)/tests/%=%)=$(t)) \
		$(foreach t,$(BATS),$(t:tests/%=%)='BUILD=$(BUILD) bats --tap $(t)') \
		$(foreach t,$(CORPUS_SH) $(FAULT_SH),$(t:tests/%=%)='BUILD=$(BUILD) $(t)')

# What other programs wrote, where it is present: a line a case, and totals.
corpus: $(BUILD)/cdc-snapshot
	$(Q)BUILD=$(BUILD) CORPUS_TAP= tests/corpus/corpus.sh

lint:
	$(Q)tests/setup.sh check
	$(Q)$(MAKE) --no-print-directory lint-run

lint-run: all
	$(Q)$(RUN) $(foreach t,$(wildcard tests/lint/*.sh),$(t:tests/%=%)='BUILD=$(BUILD) $(t)')

# Two at a time, since a Spark keeps one core busy.
interop:
	$(Q)tests/setup.sh interop
	$(Q)$(MAKE) --no-print-directory all $(TOOL_BIN)
	$(Q)$(RUN) interop-features='BUILD=$(BUILD) tests/interop/run.sh --part features --part rust' \
		interop-newer='BUILD=$(BUILD) tests/interop/run.sh --newer' \
		interop-kafka='BUILD=$(BUILD) bats --tap tests/interop/kafka.bats' \
		interop-debezium='BUILD=$(BUILD) bats --tap tests/interop/debezium.bats' \
		interop-mysql='BUILD=$(BUILD) bats --tap tests/interop/mysql.bats' \
		interop-canal='BUILD=$(BUILD) bats --tap tests/interop/canal.bats' \
		interop-maxwell='BUILD=$(BUILD) bats --tap tests/interop/maxwell.bats' & other=$$!; \
	$(RUN) interop='BUILD=$(BUILD) tests/interop/run.sh --part ours --part foreign --part matrix'; \
	rc=$$?; wait $$other && exit $$rc

# Programs that share a table, for SECONDS; the same goes on for some seconds in `make check`.
SECONDS ?= 60

stress:
	$(Q)tests/setup.sh check
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(BUILD) tests/fault/stress.py $(SECONDS)

# Prints tables; BENCH is for bench_scan.py (-r ROWS -n ROUNDS -f FILE -c COLUMN).
bench:
	$(Q)tests/setup.sh bench
	$(Q)$(MAKE) --no-print-directory all $(filter $(BUILD)/tests/bench/% $(BUILD)/tests/dts/%,$(TOOL_BIN))
	$(Q)BUILD=$(BUILD) tests/bench/run.sh $(BENCH)

# FUZZ: targets (all by default); FUZZ_SECONDS: time for each. Findings stay in $(BUILD)/fuzz.
FUZZ ?= $(notdir $(basename $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang

fuzz:
	$(Q)tests/setup.sh check
	$(Q)$(MAKE) --no-print-directory fuzz-build BUILD=$(BUILD)/fuzz CC='$(FUZZ_CC)' HARDEN= CFLAGS='-O1 -g' \
		SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined'
	$(Q)$(RUN) $(foreach t,$(FUZZ),fuzz/$(t)='BUILD=$(BUILD) tests/fuzz/run.sh $(t) $(FUZZ_SECONDS)')

fuzz-build: $(FUZZ:%=$(BUILD)/%)

$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(BUILD)/libcdc.a
	$(call say,FUZZ,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP -MF $@.d \
		-fsanitize=fuzzer $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libcdc.a $(PKG_LIBS) -ljansson

demo:
	$(Q)tests/setup.sh build
	$(Q)$(MAKE) --no-print-directory demo-run

demo-run: all $(BUILD)/tests/dts/make_dump
	$(Q)tests/demo.sh $(BUILD)

# --- what is installed ------------------------------------------------------

MAN := $(wildcard man/*.[157])
SHELLS := bash zsh fish

completions: $(PROGRAMS:%=$(BUILD)/%)
	$(Q)for p in $(PROGRAMS); do completions/make.sh $(BUILD)/$$p $(BUILD)/completions || exit 1; done

install: all lib completions
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(libdir)/pkgconfig $(DESTDIR)$(includedir) \
		$(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man5 $(DESTDIR)$(mandir)/man7 \
		$(DESTDIR)$(datadir)/bash-completion/completions \
		$(DESTDIR)$(datadir)/zsh/site-functions $(DESTDIR)$(datadir)/fish/vendor_completions.d
	$(INSTALL) -m 755 $(PROGRAMS:%=$(BUILD)/%) $(DESTDIR)$(bindir)
	$(INSTALL) -m 644 $(BUILD)/public/libcdc.a $(DESTDIR)$(libdir)
	$(INSTALL) -m 755 $(BUILD)/libcdc.so $(DESTDIR)$(libdir)/libcdc.so.$(VERSION)
	ln -sf libcdc.so.$(VERSION) $(DESTDIR)$(libdir)/libcdc.so.$(SOVERSION)
	ln -sf libcdc.so.$(SOVERSION) $(DESTDIR)$(libdir)/libcdc.so
	$(INSTALL) -m 644 lib/cdc.h $(DESTDIR)$(includedir)
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(libdir:$(PREFIX)/%=$${prefix}/%)|' \
		-e 's|@INCLUDEDIR@|$(includedir:$(PREFIX)/%=$${prefix}/%)|' \
		-e 's|@VERSION@|$(VERSION)|; s|@REQUIRES@|$(PUBLIC_PACKAGES)|' lib/cdc.pc.in \
		>$(DESTDIR)$(libdir)/pkgconfig/cdc.pc
	for m in $(MAN); do \
		$(INSTALL) -m 644 $$m $(DESTDIR)$(mandir)/man$${m##*.}/ || exit 1; done
	for p in $(PROGRAMS); do \
		$(INSTALL) -m 644 $(BUILD)/completions/bash/$$p $(DESTDIR)$(datadir)/bash-completion/completions/ && \
		$(INSTALL) -m 644 $(BUILD)/completions/zsh/_$$p $(DESTDIR)$(datadir)/zsh/site-functions/ && \
		$(INSTALL) -m 644 $(BUILD)/completions/fish/$$p.fish $(DESTDIR)$(datadir)/fish/vendor_completions.d/ || exit 1; done

uninstall:
	for p in $(PROGRAMS); do rm -f $(DESTDIR)$(bindir)/$$p \
		$(DESTDIR)$(datadir)/bash-completion/completions/$$p \
		$(DESTDIR)$(datadir)/zsh/site-functions/_$$p \
		$(DESTDIR)$(datadir)/fish/vendor_completions.d/$$p.fish; done
	for m in $(notdir $(MAN)); do rm -f $(DESTDIR)$(mandir)/man$${m##*.}/$$m; done
	rm -f $(DESTDIR)$(libdir)/libcdc.a $(DESTDIR)$(libdir)/libcdc.so* \
		$(DESTDIR)$(libdir)/pkgconfig/cdc.pc $(DESTDIR)$(includedir)/cdc.h

clean:
	rm -rf $(BUILD)

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(PROGRAMS:%=$(BUILD)/cmd/%.d)
-include $(addsuffix .d,$(UNIT_BIN) $(PROP_BIN) $(FAULT_BIN) $(TOOL_BIN))
