# SPDX-License-Identifier: MIT
"""One bot under test: its configuration, its clock, its life and death, and what its database says afterwards."""
import contextlib
import ctypes
import os
import pathlib
import signal
import sqlite3
import subprocess
import threading
import time

from clients import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HASHROOM_BUILD", ROOT / "build" / "san")).resolve()
PROGRAM = BUILD / "hashroom"
SETTLED = ("delivered", "named", "expired", "refused", "unknown")
CHAT_START_MS = 1790708400000  # Tuesday 29 September 2026, 8pm in London


class ChatClock:
    """The clock the bot and the X simulator follow: a file that survives both."""

    def __init__(self, path, chat_ms=CHAT_START_MS, speed=1.0):
        self.path = pathlib.Path(path)
        self.set(chat_ms, speed)

    def set(self, chat_ms, speed):
        self.wall0, self.chat0, self.speed = time.time_ns() // 1_000_000, int(chat_ms), speed
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{self.wall0} {self.chat0} {self.speed}\n")
        fresh.rename(self.path)

    def now_ms(self):
        return self.chat0 + (time.time_ns() // 1_000_000 - self.wall0) * self.speed

    def sleep_until(self, chat_ms):
        """Waits for an instant of the chat clock."""
        while self.now_ms() < chat_ms:
            time.sleep(min(0.2, max(0.0, (chat_ms - self.now_ms()) / self.speed / 1000)) + 0.001)


def quoted(value):
    """A value as it is written in a configuration file."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "{ " + ", ".join(quoted(v) for v in value) + " }"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def options(values, indent="    "):
    return "".join(f"{indent}{name} = {quoted(value)}\n" for name, value in values.items())


class Bot:
    """A hashroom process with a folder of its own."""

    def __init__(self, folder, clock=None, program=PROGRAM):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.clock, self.program = clock, program
        self.process = None
        self.starts = 0
        self.more_environment = {}
        (self.folder / "plugins").mkdir(parents=True, exist_ok=True)
        self.state.mkdir(exist_ok=True)
        self.log_path = self.folder / "log"
        self.log_path.touch()

    # -- configuration
    def secret(self, name, text):
        path = self.folder / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return str(path)

    def host_file(self, text, **values):
        values = {"name": "hashroom", "contact": "the tests", "state": str(self.state), **values}
        (self.folder / "hashroom.conf").write_text(options(values, "") + text)

    def plugin(self, name, instances=None, **values):
        """plugins/NAME.conf; instances: title -> options."""
        text = options(values, "")
        for title, own in (instances or {}).items():
            text += f"instance {quoted(title)} {{\n{options(own)}}}\n"
        (self.folder / "plugins" / f"{name}.conf").write_text(text)

    # -- life
    def environment(self):
        env = dict(os.environ)
        env.pop("JOURNAL_STREAM", None)
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=0:exitcode=99")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
        if self.clock:
            env["HASHROOM_CLOCK"] = str(self.clock.path)
        return {**env, **self.more_environment}

    def command(self, *args, timeout=60, stdin=subprocess.DEVNULL):
        """Runs another subcommand to its end; returns the completed process with text output."""
        return subprocess.run([str(self.program), *args], env=self.environment(), stdin=stdin, capture_output=True,
                              text=True, errors="replace", timeout=timeout, cwd=self.folder)

    def start(self):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [str(self.program), "run", "-c", str(self.folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=self.environment(), cwd=self.folder,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))  # never outlives the tests
        log.close()
        self.starts += 1
        return self

    def stop(self, timeout=30):
        """SIGTERM; the exit code. A report of a sanitizer is a failure."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the bot did not end within {timeout} s of SIGTERM:\n" + self.tail()) from None
        finally:
            self.process = None
        self.assert_clean()
        assert code == 0, f"the bot ended with {code}:\n{self.tail()}"
        return code

    def kill9(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill9()
            print("--- the bot's log ---\n" + self.tail(120))

    # -- what it said of itself
    def log(self):
        return self.log_path.read_text(errors="replace")

    def tail(self, lines=60):
        return "\n".join(self.log().splitlines()[-lines:])

    def wait_log(self, part, timeout=30, count=1):
        def seen():
            if not self.alive and self.process is not None:
                raise AssertionError(f"the bot ended with {self.process.returncode}:\n{self.tail()}")
            return self.log().count(part) >= count
        wait_for(seen, timeout, 0.05, lambda: f"the log does not say {part!r}:\n{self.tail()}")

    def assert_clean(self):
        text = self.log()
        for sign in ("AddressSanitizer", "runtime error:", "LeakSanitizer", "BUG"):
            assert sign not in text, f"{sign} in the log:\n" + text[max(0, text.find(sign) - 500):][:6000]

    # -- what its database says
    @contextlib.contextmanager
    def database(self):
        connection = sqlite3.connect(f"file:{self.state / 'hashroom.db'}?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()

    def rows(self, sql, *args):
        with self.database() as db:
            return [dict(row) for row in db.execute(sql, args)]

    def value(self, sql, *args):
        with self.database() as db:
            row = db.execute(sql, args).fetchone()
            return row[0] if row else None

    def wait_settled(self, timeout=60):
        """All deliveries have an outcome."""
        wait_for(lambda: self.value("SELECT count(*) FROM delivery WHERE state NOT IN (%s)" %
                                    ",".join(f"'{s}'" for s in SETTLED)) == 0,
                 timeout, 0.2, lambda: f"not settled: {self.accounting()}\n{self.tail()}")

    def accounting(self):
        """Deliveries by room and outcome."""
        out = {}
        for row in self.rows("SELECT r.network || '/' || r.address AS room, d.state, count(*) AS n FROM delivery d "
                             "JOIN room r ON r.id = d.room GROUP BY 1, 2"):
            out.setdefault(row["room"], {})[row["state"]] = row["n"]
        return out

    def assert_accounted(self, unknown=0):
        """Each delivery ended in exactly one outcome, with its reason where one is due (DESIGN 3.4)."""
        for row in self.rows("SELECT d.*, m.text FROM delivery d JOIN message m ON m.id = d.message"):
            assert row["state"] in SETTLED, row
            assert row["settled_ms"], row
            if row["state"] in ("expired", "refused", "named"):
                assert row["reason"], row
            parts = self.rows("SELECT p.state FROM part p JOIN delivery_part dp ON dp.part = p.id WHERE dp.delivery = ?",
                              row["id"])
            states = {p["state"] for p in parts}
            assert not states & {"ready", "claimed"}, (row, states)
            if row["state"] == "delivered":
                assert parts and states <= {"delivered", "removed"}, (row, states)
        assert sum(a.get("unknown", 0) for a in self.accounting().values()) <= unknown


class RestartLoop:
    """Keeps a bot running while somebody else kills it."""

    def __init__(self, bot, on_restart=None):
        self.bot, self.on_restart = bot, on_restart
        self._stop, self._done = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._stop.is_set():
            with self._lock:
                if not self.bot.alive and not self._stop.is_set():
                    if self.on_restart:
                        self.on_restart()
                    self.bot.start()
            time.sleep(0.05)
        self._done.set()
        threading.Event().wait()  # the bot would get its signal of a dead parent when this thread ends

    def kill(self):
        with self._lock:
            self.bot.kill9()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._done.wait()
