# SPDX-License-Identifier: MIT
# The targets that show, test and measure. tests/run says what a test is.

SUB := $(MAKE) --no-print-directory -s -j$(shell nproc 2>/dev/null || echo 2)

deps:
	@tests/env/deps.sh build

demo: deps
	@$(SUB) all
	@$(B)/hashroom rehearse --speed $(or $(SPEED),30)

check:
	@tests/env/deps.sh check
	@$(SUB) SAN=1 DEVELOPER=1 all tests
	@tests/run $(or $(T),all)

check-unit: deps
	@$(SUB) SAN=1 DEVELOPER=1 all tests
	@tests/run $(or $(T),unit)

# the pure layer of encryption beside bare libolm
$(B)/bench/megolm: $(B)/tests/bench/megolm.o $(FAKE) $(patsubst %.c,$(B)/%.o,$(call sources,matrix))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_matrix) $(LIBS) -lcmocka

bench:
	@tests/env/deps.sh check
	@$(SUB) all $(B)/bench/megolm
	@$(B)/bench/megolm
	@$${HASHROOM_ENV:-build/env}/venv/bin/python tests/bench/bench.py $(ARGS)
	@$(if $(BESIDE),$${HASHROOM_ENV:-build/env}/venv/bin/python tests/bench/beside.py $(ARGS) $(BESIDE))
	@HASHROOM_BUILD=$(B) $${HASHROOM_ENV:-build/env}/venv/bin/python -m pytest -q -p no:cacheprovider tests/e2e/test_e2ee_large.py

soak:
	@tests/env/deps.sh check
	@$(SUB) SAN=1 DEVELOPER=1 all
	@$${HASHROOM_ENV:-build/env}/venv/bin/python tests/soak.py --hours $(or $(HOURS),1) $(ARGS)

.PHONY: deps demo check check-unit bench soak
