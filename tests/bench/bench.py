#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures a running bot between real servers and prints its figures beside those of another bridge.

`make bench` (ARGS="--quick" for a tenth of the messages). Nothing here passes or fails by the clock.
The figures beside ours: matterbridge, all its delays at the minimum, two Ergo servers and a Synapse without limits,
2 cores of another day; the ratio says how many times less (CPU, memory) or faster we are. With a matterbridge at hand
both are measured in one run: `make bench BESIDE=PROGRAM` (beside.py).
"""
import argparse
import os
import pathlib
import re
import statistics
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
for folder in ("env", "e2e"):
    sys.path.insert(0, str(HERE.parent / folder))
os.environ.setdefault("HASHROOM_BUILD", str(HERE.parents[1] / "build"))

from clients import Irc, Matrix, wait_for  # noqa: E402
from ergo import Ergo  # noqa: E402
from harness import Bot  # noqa: E402
from peer import Missing  # noqa: E402
from synapse import Synapse  # noqa: E402

CPUCLOCK_SCHED = 2  # of the kernel's clock ids: as the scheduler counts, not in ticks
WORDS = ("an answer of ordinary length, about what someone types in a weekly chat, with an accent é and a link "
         "https://example.org/")
# what the other bridge needed: CPU microseconds a message, p50 and p99 in ms, resident kB after
OTHER = {"IRC to IRC, 100 a second": (1655, 1.5, 2.8, 84_000), "IRC to IRC, one burst": (755, 1300, 2300, 98_000),
         "IRC to Matrix, 10 a second": (5900, 53, 69, 81_000), "Matrix to IRC, 10 a second": (6200, 60, 81, 86_000)}


def cpu_seconds(pid):
    """To the nanosecond, with what threads that have ended used: clock_getcpuclockid(3)."""
    return time.clock_gettime_ns(~pid << 3 | CPUCLOCK_SCHED) / 1e9


def memory(pid):
    """(resident, anonymous) in kB."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return tuple(int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) for name in ("VmRSS", "RssAnon"))


def idle(pid, seconds):
    """CPU milliseconds and context switches a second of a bot to whom nobody speaks."""
    def switches():
        return sum(int(n) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                   for n in re.findall(r"_switches:\s+(\d+)", (task / "status").read_text()))
    start, used, turns = time.time(), cpu_seconds(pid), switches()
    time.sleep(seconds)
    took = time.time() - start
    return (cpu_seconds(pid) - used) / took * 1000, (switches() - turns) / took


class Ear:
    """Notes when each numbered message arrives."""

    def __init__(self):
        self.times, self.order = {}, []
        self._lock = threading.Lock()

    def hear(self, text, now):
        found = re.search(r"bench-(\w+)-(\d+)", text)
        if found:
            with self._lock:
                self.order.append((found[1], int(found[2])))
                self.times.setdefault((found[1], int(found[2])), now)


def irc_ear(person, ear):
    """Reads the lines of an IRC client as they come."""
    def loop():
        at = 0
        while not person.closed:
            with person._lock:
                while at >= len(person.lines) and not person.closed:
                    person._lock.wait(1)
                fresh = person.lines[at:]
            at += len(fresh)
            for line in fresh:
                if line.command == "PRIVMSG":
                    ear.hear(line.text, line.at)
    threading.Thread(target=loop, daemon=True).start()


def matrix_ear(person, ear):
    def loop():
        at = 0
        while not person._stop:
            with person._lock:
                while at >= len(person.events) and not person._stop:
                    person._lock.wait(1)
                fresh = person.events[at:]
            at += len(fresh)
            for event in fresh:
                ear.hear(event.get("content", {}).get("body") or "", event["at"])
    threading.Thread(target=loop, daemon=True).start()


def drive(say, ear, pid, count, rate, timeout=180):
    """Sends `count` messages, `rate` a second (0: at once); what it cost and how long each took."""
    run = format(time.time_ns() & 0xffffff, "x")
    for n in range(20):
        say(f"bench-w{run}-{n} warm")
        time.sleep(0.02)
    wait_for(lambda: sum(k[0] == "w" + run for k in ear.times) >= 20, 60)
    sent, before, start = {}, cpu_seconds(pid), time.time()
    for n in range(count):
        while rate and time.time() < start + n / rate:
            time.sleep(0.0005)
        sent[n] = time.time()
        say(f"bench-{run}-{n} {WORDS}{n}")
    end = time.time() + timeout
    while time.time() < end and sum((run, n) in ear.times for n in sent) < count:
        time.sleep(0.05)
    arrived = {n: ear.times[(run, n)] for n in sent if (run, n) in ear.times}
    last = max(arrived.values(), default=start)
    time.sleep(0.5)
    used = cpu_seconds(pid) - before
    waits = sorted((arrived[n] - sent[n]) * 1000 for n in arrived)
    order = [n for who, n in ear.order if who == run]
    return {"sent": count, "delivered": len(arrived), "us": used / max(1, len(arrived)) * 1e6,
            "per_s": len(arrived) / max(1e-9, last - start), "p50": waits[len(waits) // 2],
            "p99": waits[int(len(waits) * 0.99) - 1], "max": waits[-1],
            "disorder": sum(a > b for a, b in zip(order, order[1:])), "rss": memory(pid)[0], "anon": memory(pid)[1]}


def disk_sync(folder):
    """One fdatasync of a page on the disk of the database, in ms: (p50, p99)."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as f:
        for _ in range(200):
            f.seek(0)
            f.write(os.urandom(4096))
            f.flush()
            start = time.perf_counter()
            os.fdatasync(f.fileno())
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times), sorted(times)[int(len(times) * 0.99) - 1]


def sync_cpu(folder, count=500, size=40960, rate=100):
    """CPU of nothing but one write and fdatasync `rate` times a second, in us: what every message on disk first costs."""
    with tempfile.NamedTemporaryFile(dir=folder) as f:
        data = os.urandom(size)
        os.pwrite(f.fileno(), data * 32, 0)
        os.fsync(f.fileno())
        used, start = 0.0, time.time()
        for n in range(count):
            while time.time() < start + n / rate:
                time.sleep(0.0005)
            before = time.thread_time()
            os.pwrite(f.fileno(), data, n % 32 * size)
            os.fdatasync(f.fileno())
            used += time.thread_time() - before
    return used / count * 1e6


def configure(bot, one, two, synapse, token, user, rooms):
    """rooms: chat -> list of "network/address"."""
    text = ""
    for chat, addresses in rooms.items():
        text += f'chat "{chat}" {{\n    tag = "#{chat}"\n    irc_to_irc = yes\n'
        text += "".join(f'    room "{a}" {{ pace = full }}\n' for a in addresses) + "}\n"
    bot.host_file(text)
    fast = {"tls": False, "server": "127.0.0.1", "nick": "bench", "rate_ms": 0, "burst": 1000}
    bot.plugin("irc", {"one": {"port": one.port, **fast}, "two": {"port": two.port, **fast}})
    bot.plugin("matrix", {"home": {"homeserver": synapse.url, "user": user, "rate_ms": 0, "burst": 0,
                                   "token_file": bot.secret("token", token), "invite_from": ["@owner:hs.test"]}})
    bot.plugin("relay")


def show(name, r):
    cpu, p50, p99, rss = OTHER[name]
    print(f"{name}: {r['delivered']} of {r['sent']} delivered, {r['per_s']:.0f} a second, {r['disorder']} out of order")
    print(f"    CPU a message {r['us']:8.0f} us   beside {cpu:6} us   {cpu / max(r['us'], 1):5.1f} times less")
    print(f"    latency p50   {r['p50']:8.2f} ms   beside {p50:6} ms   p99 {r['p99']:.2f} beside {p99} ms, max {r['max']:.1f}")
    print(f"    resident      {r['rss']:8} kB   beside {rss:6} kB   anonymous {r['anon']} kB", flush=True)


def measure(scale, folder):
    with Ergo(network="one") as one, Ergo(network="two") as two, Synapse() as synapse:
        owner = Matrix.register(synapse, "owner").start()
        account = synapse.register("bench")
        matrix_rooms = [owner.create_room(f"room {n}", invite=[account["user_id"]]) for n in range(7)]
        rooms = {"a": ["one/#a", "two/#a"], "m": ["one/#m", f"home/{matrix_rooms[0]}"], "log": ["one/#log"]}
        for n in range(1, 6):  # 20 rooms in all: 2 + 2 + 1 + 5 * 3
            rooms[f"more{n}"] = [f"one/#more{n}", f"two/#more{n}", f"home/{matrix_rooms[n]}"]
        bot = Bot(folder)
        configure(bot, one, two, synapse, account["access_token"], account["user_id"], rooms)
        ann, ben, amy = Irc(one.port, "ann").join("#a"), Irc(two.port, "ben").join("#a"), Irc(one.port, "amy").join("#m")
        cat = Irc(one.port, "cat").join("#log")
        started = time.time()
        with bot:
            pid = bot.process.pid
            joined = ann.wait(lambda l: l.command == "JOIN" and l.nick == "bench", 30).at
            wait_for(lambda: all(account["user_id"] in owner.members(r) for r in matrix_rooms[:6]), 60)
            cat.wait(lambda l: l.command == "JOIN" and l.nick == "bench", 30)
            ben.wait(lambda l: l.command == "JOIN" and l.nick == "bench", 30)
            print(f"start to the first channel: {(joined - started) * 1000:.0f} ms; to 20 rooms on 3 networks: "
                  f"{(time.time() - started) * 1000:.0f} ms")
            time.sleep(3)
            resident, anonymous = memory(pid)
            print(f"memory idle, 3 networks and 20 rooms: resident {resident} kB, anonymous {anonymous} kB "
                  "(beside 38000 kB resident with 3 networks and 2 rooms)")
            print("CPU idle: {:.2f} ms a second, {:.1f} context switches a second".format(*idle(pid, 5)))
            sync50, sync99 = disk_sync(folder)
            print(f"one fdatasync on this disk: p50 {sync50:.2f} ms, p99 {sync99:.2f} ms")
            at_ben, at_owner, at_amy = Ear(), Ear(), Ear()
            irc_ear(ben, at_ben), matrix_ear(owner, at_owner), irc_ear(amy, at_amy)
            steady = drive(lambda t: ann.say("#a", t), at_ben, pid, int(2000 * scale), 100)
            show("IRC to IRC, 100 a second", steady)
            print(f"    that is {steady['p50'] / sync50:.1f} fdatasync at p50 and {steady['p99'] / sync99:.1f} at p99; "
                  f"40 kB written and synced alone cost {sync_cpu(folder):.0f} us of CPU")
            show("IRC to IRC, one burst", drive(lambda t: ann.say("#a", t), at_ben, pid, int(2000 * scale), 0))
            show("IRC to Matrix, 10 a second", drive(lambda t: amy.say("#m", t), at_owner, pid, int(400 * scale), 10))
            show("Matrix to IRC, 10 a second", drive(lambda t: owner.say(matrix_rooms[0], t), at_amy, pid,
                                                     int(400 * scale), 10))
            ingest(bot, cat, int(10000 * scale))
            resident, anonymous = memory(pid)
            print(f"memory at the end: resident {resident} kB, anonymous {anonymous} kB")
        for person in (ann, ben, amy, cat):
            person.close()
        owner.stop()


def ingest(bot, person, count):
    """Lines into a room that has no other room: only the log writes."""
    before, used = bot.value("SELECT count(*) FROM message"), cpu_seconds(bot.process.pid)
    start = time.time()
    for n in range(count):
        person.say("#log", f"line {n} {WORDS}{n}")
    wait_for(lambda: bot.value("SELECT count(*) FROM message") >= before + count, 120)
    took = time.time() - start
    used = cpu_seconds(bot.process.pid) - used
    print(f"log ingest from IRC: {count / took:.0f} lines a second, {used / count * 1e6:.0f} us of CPU a line "
          f"({count / max(used, 0.01):.0f} a second of one core)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages")
    args = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="hashroom-bench-") as folder:
            measure(0.1 if args.quick else 1, pathlib.Path(folder))
    except Missing as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
