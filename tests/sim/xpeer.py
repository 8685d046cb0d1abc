# SPDX-License-Identifier: MIT
"""The X simulator as a process of its own, which can be killed, started again on the same port, and stopped."""
import json
import pathlib
import sys
import urllib.request

from peer import Peer, free_port, port_open


class XPeer(Peer):
    """For tests what XSim is, as far as they post and look. Launched again it has all that X keeps, until forget()."""

    name = "xsim"

    def __init__(self, clock_file, rule_delay_s=20.0, unlimited=False):
        super().__init__()
        self.port = free_port()
        self.url = f"http://{self.host}:{self.port}"
        self._given = ["--clock", clock_file, "--rule-delay", str(rule_delay_s)] + ["--unlimited"] * unlimited

    def command(self):
        program = pathlib.Path(__file__).with_name("xsim.py")
        return [sys.executable, str(program), "--port", str(self.port), "--keep", "kept", *self._given]

    def ready(self):
        return port_open(self.port)

    def facts(self):
        return {"host": self.host, "port": self.port}

    def forget(self):
        """The next process starts with nothing; for one that does not run."""
        (self.folder / "kept").unlink()

    def admin(self, what, timeout_s=30, **args):
        """A method of XSim, by HTTP."""
        request = urllib.request.Request(f"{self.url}/admin/{what}", json.dumps(args).encode())
        with urllib.request.urlopen(request, timeout=timeout_s) as reply:
            answer = json.load(reply)
        if "error" in answer:
            raise ValueError(f"{what}: {answer['error']}")
        return answer["result"]

    # -- as XSim
    def post(self, username, text, **more):
        return self.admin("post", username=username, text=text, **more)

    @property
    def own_posts(self):
        return self.admin("own_posts")

    @property
    def calls(self):
        return self.admin("calls")

    def script(self, *faults):
        self.admin("script", faults=faults)

    def faults(self):
        return self.admin("faults")

    def clear_faults(self):
        self.admin("clear_faults")

    def drop_stream(self, how="close"):
        return self.admin("drop_stream", how=how)

    def stream_open(self):
        return self.admin("stream_open")

    def client_restarted(self):
        self.admin("client_restarted")
