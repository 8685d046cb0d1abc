# SPDX-License-Identifier: MIT
# Fuzz targets: tests/fuzz/fuzz_X.c with a corpus in tests/data/fuzz/fuzz_X/ or tests/fuzz/corpus/X/.
# X that begins with a plugin's name (fuzz_irc_line.c) is linked with that plugin and the fake host,
# else with the host and what its tests share.
#
#   make fuzz-check              every corpus once, with sanitizers and without a fuzzer
#   make fuzz MINUTES=10 JOBS=1  clang's fuzzer, each target so long, one after the other; a line for each at the end
#   make fuzz F=X SECONDS=60     one alone; what it finds new stays in build/fuzz/found/X

FUZZ     := $(patsubst tests/fuzz/fuzz_%.c,%,$(filter-out tests/fuzz/fuzz_main.c,$(wildcard tests/fuzz/fuzz_*.c)))
corpus    = $(wildcard tests/data/fuzz/$(1) tests/data/fuzz/fuzz_$(1) tests/fuzz/corpus/$(1))
fuzz_of   = $(filter $(firstword $(subst _, ,$(1))),$(PLUGINS))
fuzz_with = $(if $(call fuzz_of,$(1)),$(FAKE) $(patsubst %.c,$(B)/%.o,$(call sources,$(call fuzz_of,$(1)))),$(B)/libunit.a $(B)/libbot.a)
fuzz_libs = $(if $(call fuzz_of,$(1)),$(LIBS_$(call fuzz_of,$(1)))) $(LIBS) -lcmocka

define fuzz
$(B)/fuzz/$(1): $(B)/tests/fuzz/fuzz_$(1).o $(if $(LIBFUZZER),,$(B)/tests/fuzz/fuzz_main.o) $(call fuzz_with,$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) $(if $(LIBFUZZER),-fsanitize=fuzzer) -o $$@ $$^ $(call fuzz_libs,$(1))
fuzz-run-$(1): $(B)/fuzz/$(1)
	@timeout 300 $$< $(call corpus,$(1))
.PHONY: fuzz-run-$(1)
endef
$(foreach f,$(FUZZ),$(eval $(call fuzz,$(f))))

ifdef SAN
fuzz-check: $(FUZZ:%=fuzz-run-%)
else
fuzz-check:
	@$(MAKE) --no-print-directory SAN=1 fuzz-check
endif

FUZZER := CC=clang SAN=1 B=build/fuzz LIBFUZZER=1 OPT='-O1 -fsanitize=address,undefined,fuzzer-no-link'

ifdef F
fuzz:
	@mkdir -p build/fuzz/found/$(F)
	@$(MAKE) --no-print-directory $(FUZZER) build/fuzz/fuzz/$(F)
	build/fuzz/fuzz/$(F) -max_total_time=$(or $(SECONDS),60) -artifact_prefix=build/fuzz/ build/fuzz/found/$(F) \
	    $(call corpus,$(F))
else ifdef MINUTES
fuzz:
	@$(MAKE) --no-print-directory -s $(FUZZER) $(FUZZ:%=build/fuzz/fuzz/%)
	@tests/fuzz/all.py --minutes $(MINUTES) --jobs $(or $(JOBS),1) $(FUZZ)
else
fuzz:
	@echo "make fuzz MINUTES=10, or make fuzz F=NAME, where NAME is one of: $(FUZZ)"
endif
.PHONY: fuzz fuzz-check
