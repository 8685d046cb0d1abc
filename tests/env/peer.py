# SPDX-License-Identifier: MIT
"""What the real servers of the tests have in common: a folder, ports of its own, a process ended by its pid."""
import argparse
import ctypes
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENV = pathlib.Path(os.environ.get("HASHROOM_ENV", ROOT / "build" / "env"))


class Missing(Exception):
    """The server is not installed; the text says what to do."""


_given = set()


def free_port():
    """A port nobody listens on. Below those that the kernel hands to outgoing connections (from 32768 on): of such a
    one a client may have taken possession before the server that it is meant for has started."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Unfit(Missing):
    """It is installed, but the packages of this release of Debian do not work together: a skip, on CI too."""


class Peer:
    """One server. `with Ergo() as ergo:` starts and stops it; a folder given by the caller is kept."""

    name = "peer"
    host = "127.0.0.1"

    def __init__(self, folder=None):
        self._temporary = None
        if folder is None:
            base = ROOT / "build" / "run"
            base.mkdir(parents=True, exist_ok=True)
            self._temporary = tempfile.TemporaryDirectory(prefix=f"{self.name}-{os.getpid()}-", dir=base)
            folder = self._temporary.name
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = None
        self.pid = None

    # -- what each server says of itself
    def prepare(self):
        """Writes the configuration."""

    def command(self):
        raise NotImplementedError

    def ready(self):
        """True once it answers."""
        raise NotImplementedError

    def facts(self):
        """What a person needs to use it, for the script's output."""
        return {}

    # -- life
    def start(self, keep=False):
        """keep: outlives the process that starts it (used by the script)."""
        self.prepare()
        return self.launch(keep)

    def launch(self, keep=False):
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=keep, preexec_fn=None if keep else _die_with_parent)
        log.close()
        self.pid = self.process.pid
        end = time.monotonic() + 60
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"{self.name} did not start:\n" + self.log()[-2000:])
            time.sleep(0.05)
        return self

    def stop(self, sig=signal.SIGTERM):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        if self._temporary:
            self._temporary.cleanup()


def port_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.3).close()
        return True
    except OSError:
        return False


def make_authority(folder):
    """An own certificate authority: ca.pem, server.pem and server.key for localhost and 127.0.0.1."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", "/CN=test authority",
            "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650",
            "-extfile", "ext", "-out", "server.pem")
    return folder


def make_client_certificate(folder, name):
    """A self-signed client certificate for SASL EXTERNAL: NAME.pem and NAME.key."""
    folder = pathlib.Path(folder)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "3650", "-subj", f"/CN={name}"],
                   cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / f"{name}.pem", folder / f"{name}.key"


def main(make, doc, options=None):
    """The script: `start FOLDER` prints where it listens and leaves it running, `stop FOLDER` ends that process."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("what", choices=["start", "stop"])
    parser.add_argument("folder")
    for flag, text in (options or {}).items():
        parser.add_argument("--" + flag, action="store_true", help=text)
    args = parser.parse_args()
    state = pathlib.Path(args.folder) / "peer.json"
    if args.what == "start":
        try:
            peer = make(args).start(keep=True)
        except Missing as e:
            sys.exit(str(e))
        facts = {"pid": peer.pid, **peer.facts()}
        state.write_text(json.dumps(facts))
        print(json.dumps(facts, indent=2))
        return
    try:
        pid = json.loads(state.read_text())["pid"]
    except OSError:
        sys.exit(f"Nothing was started in {args.folder}.")
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    state.unlink()
