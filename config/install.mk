# SPDX-License-Identifier: MIT
# make install: PREFIX is where it will live, DESTDIR where it is put for now. An installed tree may be moved:
# the program finds its plugins and data beside itself.

DEST   := $(DESTDIR)$(PREFIX)
UNITDIR ?= $(DEST)/lib/systemd/system

install: all
	install -D -m 755 $(B)/hashroom $(DEST)/bin/hashroom
	install -d $(DEST)/lib/hashroom $(DEST)/lib/pkgconfig $(DEST)/include/hashroom $(UNITDIR) \
		$(DEST)/share/hashroom/skeleton $(DEST)/share/doc/hashroom/examples/plugins $(DEST)/share/man/man1
	install -m 755 $(PLUGINS:%=$(B)/plugins/%.so) $(DEST)/lib/hashroom
	install -m 644 include/hashroom/*.h $(DEST)/include/hashroom
	sed 's|@VERSION@|$(VERSION)|' config/hashroom.pc.in > $(DEST)/lib/pkgconfig/hashroom.pc
	install -m 644 $(wildcard tests/data/sample-feed.jsonl) tests/plugin/fake_host.h tests/plugin/fake_inside.h \
		$(wildcard tests/plugin/fake_*.c) $(DEST)/share/hashroom
	install -m 644 config/skeleton/* $(DEST)/share/hashroom/skeleton
	install -m 644 config/hashroom.conf.example $(DEST)/share/doc/hashroom/examples/hashroom.conf
	for file in config/plugins/*.conf.example; do install -m 644 $$file \
		$(DEST)/share/doc/hashroom/examples/plugins/$$(basename $$file .example) || exit 1; done
	install -m 644 docs/hashroom.1 $(DEST)/share/man/man1
	sed 's|@BINDIR@|$(PREFIX)/bin|' config/hashroom.service.in > $(UNITDIR)/hashroom.service

.PHONY: install
