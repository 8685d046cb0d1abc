# SPDX-License-Identifier: MIT
# Builds the host, every folder under plugins/ as a plugin, every test; no list to edit.
#
#   make            the program and its plugins, in build/
#   make demo       a whole chat in this terminal        make check       all tests
#   make check-unit tests that need no network           make check T=outbox  one by name
#   make bench      measures, beside the figures to beat make install     PREFIX, DESTDIR
#   make soak       a long run, faults included: HOURS=1
#   SAN=1           with address and undefined-behaviour sanitizers, in build/san

PREFIX  ?= /usr/local
B       ?= build$(if $(SAN),/san)
CC      ?= cc
VERSION := 0.1.0

PKGS    := libuv libcurl jansson sqlite3 openssl libconfuse libutf8proc libmicrohttpd
SYSTEMD := $(shell pkg-config --exists libsystemd 2>/dev/null && echo yes)
ifeq ($(SYSTEMD),yes)
PKGS    += libsystemd
endif
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-overlength-strings $(if $(DEVELOPER),-Werror)
HARDEN  := -fstack-protector-strong -fstack-clash-protection -fno-strict-overflow $(if $(SAN),,-D_FORTIFY_SOURCE=2)
OPT     ?= $(if $(SAN),-O1 -fno-omit-frame-pointer -fsanitize=address$(,)undefined -fno-sanitize-recover=undefined,-O2)
,       := ,
CPPFLAGS += -D_GNU_SOURCE -DHASHROOM_VERSION='"$(VERSION)"' -DHASHROOM_LIBDIR='"$(PREFIX)/lib/hashroom"' \
            -DHASHROOM_DATADIR='"$(PREFIX)/share/hashroom"' -Iinclude -include bot/banned.h $(if $(SYSTEMD),-DHAVE_SYSTEMD)
CFLAGS  += -std=c17 -g -fPIC $(OPT) $(WARN) $(HARDEN) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDFLAGS += $(if $(SAN),-fsanitize=address$(,)undefined) -Wl,-z,relro,-z,now,-z,noexecstack
LIBS    := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -ldl -lpthread -lm

BOT     := $(wildcard bot/*.c)
# a plugin's sources: its folder and those one below
sources  = $(wildcard plugins/$(1)/*.c plugins/$(1)/*/*.c)
PLUGINS := $(notdir $(patsubst %/,%,$(wildcard plugins/*/)))
UNIT    := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*_test.c))
PTEST   := $(patsubst tests/plugin/%.c,%,$(wildcard tests/plugin/*_test.c))

all: $(B)/hashroom $(PLUGINS:%=$(B)/plugins/%.so)

-include $(wildcard plugins/*/libs.mk)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(CFLAGS_$(word 2,$(subst /, ,$<))) $(if $(filter plugins/%,$<),,-Ibot) -MMD -MP -c -o $@ $<

$(B)/libbot.a: $(patsubst %.c,$(B)/%.o,$(filter-out bot/main.c,$(BOT)))
	@rm -f $@
	ar rcs $@ $^

$(B)/hashroom: $(B)/bot/main.o $(B)/libbot.a
	$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $^ $(LIBS)

define plugin
$(B)/plugins/$(1).so: $(patsubst %.c,$(B)/%.o,$(call sources,$(1)))
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(if $(SAN),,-Wl$(,)-z$(,)defs) -fvisibility=hidden -shared -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach p,$(PLUGINS),$(eval $(call plugin,$(p))))

# ---- tests -------------------------------------------------------------------

# what unit tests share (the whole host with a fake network); linked only where used
$(B)/libunit.a: $(patsubst %.c,$(B)/%.o,$(filter-out %_test.c,$(wildcard tests/unit/*.c)))
	@rm -f $@
	ar rcs $@ $^

$(B)/unit/%_test: $(B)/tests/unit/%_test.o $(B)/libunit.a $(B)/libbot.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

# tests/plugin/NAME_test.c or NAME_what_test.c: the plugin's own objects against the fake host
FAKE := $(patsubst %.c,$(B)/%.o,$(wildcard tests/plugin/fake_*.c))
define ptest
$(B)/plugin/$(1): $(B)/tests/plugin/$(1).o $(FAKE) $(patsubst %.c,$(B)/%.o,$(call sources,$(firstword $(subst _, ,$(1)))))
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $$@ $$^ $$(LIBS_$(firstword $(subst _, ,$(1)))) $(LIBS) -lcmocka
endef
$(foreach t,$(PTEST),$(eval $(call ptest,$(t))))

tests: $(UNIT:%=$(B)/unit/%) $(PTEST:%=$(B)/plugin/%)

include tests/tests.mk
include config/install.mk
include tests/fuzz/fuzz.mk

DEPS := $(shell find $(B) -name '*.d' 2>/dev/null)
-include $(DEPS)

clean:
	rm -rf build
.PHONY: all tests clean
.SECONDARY:
