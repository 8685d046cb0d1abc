#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The long run: five bots under sanitizers for HOURS, side by side on real servers.

  make soak HOURS=1          (0.17 is ten minutes; everything gets smaller with it)

count     10,000 posts and 10,000 lines of people an hour, 1,000 kills, every fault: lost, repeated, reordered
steady    posts and lines all the time, every fault, no kill: memory, open files, database, from a sample each 10 s
sealed    500 kills and 5,000 messages an hour in an encrypted room: no index twice, nothing unreadable or repeated
pressure  60 posts, 6 lines, 2 commands a minute on a default homeserver, which stands still for 5 minutes once

Prints a table, and ends with 1 if a promise was broken. What the bots said is kept in build/soak if so.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
for name in ("env", "sim", "e2e"):
    sys.path.insert(0, str(HERE / name))
# Freed memory must come back at once, or its quarantine (256 MB as delivered) looks like growth.
os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=0:exitcode=99:quarantine_size_mb=2:"
                                      "thread_local_quarantine_size_kb=64:malloc_context_size=8")

import accounting  # noqa: E402
import pressure  # noqa: E402
from e2ee_clients import JsPeers  # noqa: E402
from e2ee_kill import KilledChat  # noqa: E402
from ergo import Ergo  # noqa: E402
from harness import ROOT  # noqa: E402
from ngircd import Ngircd  # noqa: E402
from synapse import Synapse  # noqa: E402
from talk import Talk, counts, numbers, print_counts  # noqa: E402

MB = 1 << 20
GROWTH_BYTES, GROWTH_FILES = 3 * MB, 4  # of medians: second quarter after the warm-up against the last
SAMPLE_S = 10


class Samples:
    """What one process and its database hold, every ten seconds."""

    FIELDS = ("seconds", "anonymous", "files", "pages", "free", "rows", "wal")

    def __init__(self, bot, file):
        self.bot, self.file, self.all = bot, file, []
        self._begin = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def take(self):
        pid = self.bot.process.pid
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        with self.bot.database() as db:
            one = lambda sql: db.execute(sql).fetchone()[0]  # noqa: E731
            rows = sum(one(f"SELECT count(*) FROM {t}") for t in ("message", "delivery", "part", "revision"))
            pages, free = one("PRAGMA page_count"), one("PRAGMA freelist_count")
        wal = self.bot.state / "hashroom.db-wal"
        return (time.monotonic() - self._begin, int(re.search(r"RssAnon:\s+(\d+)", status)[1]) * 1024,
                len(os.listdir(f"/proc/{pid}/fd")), pages, free, rows, wal.stat().st_size if wal.exists() else 0)

    def _run(self):
        while not self._stop.wait(SAMPLE_S):
            try:
                self.all.append(self.take())
            except (OSError, TypeError, AttributeError):
                continue
            with open(self.file, "a") as out:
                out.write(" ".join(f"{v:.0f}" for v in self.all[-1]) + "\n")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def quarter(self, number, field):
        """Median of a quarter (0 to 3) of what came after the warm-up, a fifth of the run."""
        warm = self.all[len(self.all) // 5:]
        size = max(1, len(warm) // 4)
        return statistics.median(s[self.FIELDS.index(field)] for s in warm[number * size:(number + 1) * size])


def run_count(folder, servers, hours):
    w = accounting.make_world(folder, *servers, "soakc", speed=min(1.0, 7.5 / hours), length="8h")
    try:
        accounting.start(w)
        lines = int(10_000 * hours)
        most = {"post": lines, "irc": lines // 3, "plain": lines // 3, "matrix": lines // 3}
        pauses = {kind: (0.2 * 3600 * hours / n, 1.8 * 3600 * hours / n) for kind, n in most.items()}
        _, result = accounting.run(w, 1, int(1000 * hours), most, pauses, (0.5, 3))
        print(f"\ncount: {result.kills} kills, {result.starts} starts, faults {result.faults}")
        print_counts(result.lines)
        print(f"  outcomes: {result.outcomes}; sent again on ngIRCd: {result.again}; "
              f"lines there that did not count: {result.not_counted}", flush=True)
        result.check()
        w.bot.assert_accounted()
    finally:
        w.bot.kill9()
        w.close()


def run_steady(folder, servers, hours):
    w = accounting.make_world(folder, *servers, "soaks", speed=min(1.0, 7.5 / hours), length="8h")
    try:
        accounting.start(w)
        pauses = {"post": (0.5, 1.5), "irc": (2, 6), "plain": (2, 6), "matrix": (2, 6)}
        with Samples(w.bot, folder / "samples") as samples:
            with Talk(w, 2, pauses) as talk, accounting.Mischief(w, 2, (3, 9)) as mischief:
                time.sleep(3600 * hours)
            accounting.wait_logged(w, talk, 300)
            w.bot.wait_settled(300)
        report_steady(w, talk, mischief, samples)
    finally:
        w.bot.kill9()
        w.close()


def report_steady(w, talk, mischief, samples):
    said = dict(talk.said)
    heard = set(numbers([r["text"] for r in w.bot.rows("SELECT text FROM message WHERE flags & 1 = 0")], "plain"))
    said["plain"] = [n for n in said["plain"] if n in heard]  # what was said while the line was cut never came
    lines = counts(w, said)
    print(f"\nsteady: {w.bot.starts} start, faults {dict(mischief.done)}")
    print_counts(lines)
    print("  median of           1st quarter   2nd   3rd   4th (after the warm-up)")
    for field, unit in (("anonymous", MB), ("files", 1), ("pages", 1), ("free", 1), ("rows", 1), ("wal", MB)):
        print(f"  {field:18}" + "".join(f"{samples.quarter(q, field) / unit:12.1f}" for q in range(4)))
    a, b = (samples.quarter(q, "pages") / samples.quarter(q, "rows") * 4096 for q in (1, 3))
    print(f"  database bytes a row: {a:.0f}, then {b:.0f}", flush=True)
    again = [line for line in lines if line[1] != "ngIRCd"]
    assert w.bot.starts == 1 and w.bot.alive, "the bot did not live through it"
    assert not any(line[3] or line[5] for line in lines) and not any(line[4] for line in again), lines
    assert samples.quarter(3, "anonymous") - samples.quarter(1, "anonymous") < GROWTH_BYTES, "memory grows"
    assert samples.quarter(3, "files") - samples.quarter(1, "files") <= GROWTH_FILES, "open files grow"
    assert b < a * 1.1, "the database grows faster than its rows"
    assert samples.quarter(3, "wal") < 20 * MB, "the write-ahead log grows"
    w.bot.assert_accounted()
    w.bot.stop()


def run_pressure(folder, servers, hours, pace):
    ergo, ngircd, _ = servers
    stall_s = 0 if pace == "calm" else min(300, 900 * hours)
    with Synapse(limits=True) as default:
        w = pressure.make_world(folder, ergo, ngircd, default, "soakp" + pace, pace, hours * 60)
        try:
            w.bot.start()
            run = pressure.Pressure(w, hours * 60, stall_s).run()
            run.leave_out()
            print()
            run.table()
            rooms = ("Matrix", "Ergo", "ngIRCd") if not stall_s else ("Ergo", "ngIRCd")
            if stall_s:
                people, posts = run.catch_up()
                print(f"  stalled for {stall_s:.0f} s; caught up after: people {people:.1f} s, posts {posts:.1f} s",
                      flush=True)
                assert max(people, posts) < pressure.CATCH_UP_S, "the room did not catch up after the stall in time"
            run.check_times(rooms)
            run.check_posts()
            run.check_missed()
            w.bot.wait_settled(120)
            w.bot.assert_accounted()
            w.bot.stop()
        finally:
            w.bot.kill9()
            w.close()


def run_sealed(folder, servers, hours):
    ergo, _, synapse = servers
    kills, messages, seconds = int(500 * hours), int(5000 * hours), 3600 * hours
    with JsPeers(folder) as peers:
        c = KilledChat(folder, synapse, ergo, peers, "sealed")
        begin, due = time.monotonic(), iter(range(kills))

        def moment(chance):
            """Somewhere in this kill's share of the time; at once where starting took longer."""
            at = begin + (next(due) + chance.random()) * seconds / kills
            return max(chance.uniform(0.05, 1.9), at - time.monotonic())
        try:
            pause = seconds / (messages / 3)
            c.run(kills, messages, (0.2 * pause, 1.8 * pause), moment)
            print(f"\nsealed: {c.report()}", flush=True)
            c.check_arrived()
            c.check_indexes()
            c.check_readable()
            c.check_accounting()
        finally:
            c.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--only", help="count, steady, sealed, full or calm")
    args = parser.parse_args()
    runs = {"count": run_count, "steady": run_steady, "sealed": run_sealed, "full": lambda *a: run_pressure(*a, "full"),
            "calm": lambda *a: run_pressure(*a, "calm")}
    runs = {name: run for name, run in runs.items() if args.only in (None, name)}
    base = pathlib.Path(tempfile.mkdtemp(prefix="soak-", dir=(ROOT / "build")))
    print(f"{', '.join(runs)}: {args.hours:g} hours, in {base}", flush=True)
    failed = []
    with Ergo() as ergo, Ngircd() as ngircd, Synapse() as synapse, \
            concurrent.futures.ThreadPoolExecutor(len(runs)) as pool:
        started = {}
        for name, run in runs.items():
            (base / name).mkdir()
            started[pool.submit(run, base / name, (ergo, ngircd, synapse), args.hours)] = name
        for future in concurrent.futures.as_completed(started):
            try:
                future.result()
                print(f"ok      {started[future]}", flush=True)
            except Exception:  # pylint: disable=broad-except
                failed.append(started[future])
                print(f"FAILED  {started[future]}\n{traceback.format_exc()}", flush=True)
    if not failed:
        shutil.rmtree(base)
    print(f"\n{len(runs) - len(failed)} of {len(runs)} runs kept all promises" + (f"; see {base}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
