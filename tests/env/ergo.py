# SPDX-License-Identifier: MIT
"""Ergo: IRC with accounts, SASL PLAIN and EXTERNAL, all of IRCv3, a plain and a TLS listener (own authority)."""
import json
import pathlib
import subprocess

if __package__:
    from .peer import ENV, Missing, Peer, free_port, main, make_authority, make_client_certificate, port_open
else:
    from peer import ENV, Missing, Peer, free_port, main, make_authority, make_client_certificate, port_open


class Ergo(Peer):
    name = "ergo"

    def __init__(self, folder=None, fakelag=False, network="one"):
        super().__init__(folder)
        self.binary = ENV / "ergo" / "usr" / "bin" / "ergochat"
        self.fakelag = fakelag
        self.network = network
        self.port = free_port()
        self.tls_port = free_port()
        self.tls = self.folder / "tls"

    @property
    def ca_file(self):
        return self.tls / "ca.pem"

    def client_certificate(self, name):
        return make_client_certificate(self.tls, name)

    def config(self):
        off = {"enabled": False}
        return {
            "network": {"name": self.network},
            "server": {
                "name": f"{self.network}.test",
                "listeners": {
                    f"127.0.0.1:{self.port}": {},
                    f"127.0.0.1:{self.tls_port}": {
                        "tls": {"cert": str(self.tls / "server.pem"), "key": str(self.tls / "server.key")},
                        "min-tls-version": 1.2},
                },
                "casemapping": "ascii", "enforce-utf8": False, "lookup-hostnames": False, "check-ident": False,
                "motd": "", "max-sendq": "10M", "coerce-ident": "~u",
                "compatibility": {"force-trailing": True, "send-unprefixed-sasl": True, "allow-truncation": False},
                "ip-limits": {"count": False, "throttle": False},
                "ip-cloaking": off,
            },
            "accounts": {
                "authentication-enabled": True,
                "registration": {"enabled": True, "allow-before-connect": True, "bcrypt-cost": 4,
                                 "throttling": off, "email-verification": off, "verify-timeout": "1h"},
                "login-throttling": off,
                "skip-server-password": False, "login-via-pass-command": True, "advertise-scram": True,
                "require-sasl": off,
                "nick-reservation": {"enabled": True, "method": "strict", "additional-nick-limit": 2,
                                     "guest-nickname-format": "Guest-*", "force-nick-equals-account": False},
                "multiclient": {"enabled": True, "allowed-by-default": True, "always-on": "disabled"},
            },
            "channels": {"default-modes": "+n", "max-channels-per-client": 200,
                         "registration": {"enabled": True}},
            "oper-classes": {"all": {"title": "operator", "capabilities": [
                "kill", "ban", "nofakelag", "sajoin", "samode", "accreg", "chanreg", "rehash", "massmessage"]}},
            "logging": [{"method": "stderr", "type": "*", "level": "warn"}],
            "lock-file": str(self.folder / "ergo.lock"),
            "datastore": {"path": str(self.folder / "ircd.db"), "autoupgrade": True},
            "languages": off,
            "limits": {"nicklen": 32, "identlen": 20, "realnamelen": 150, "channellen": 64, "awaylen": 390,
                       "kicklen": 390, "topiclen": 390, "monitor-entries": 100, "whowas-entries": 100,
                       "chan-list-modes": 100, "registration-messages": 1024,
                       "multiline": {"max-bytes": 4096, "max-lines": 100}},
            "fakelag": {"enabled": self.fakelag, "window": "1s", "burst-limit": 5, "messages-per-window": 2,
                        "cooldown": "2s"},
            "history": {"enabled": True, "channel-length": 4096, "client-length": 256, "chathistory-maxmessages": 1000,
                        "autoreplay-on-join": 0, "restrictions": {"expire-time": "1w", "query-cutoff": "none"},
                        "retention": {"allow-individual-delete": True, "enable-account-indexing": False}},
        }

    def prepare(self):
        if not self.binary.exists():
            raise Missing("Ergo is not there: run tests/env/deps.sh check")
        if not self.ca_file.exists():
            make_authority(self.tls)
        conf = self.folder / "ircd.yaml"
        conf.write_text(json.dumps(self.config(), indent=1))  # JSON is YAML
        if not (self.folder / "ircd.db").exists():
            subprocess.run([self.binary, "initdb", "--conf", conf, "--quiet"], check=True, cwd=self.folder)

    def command(self):
        return [str(self.binary), "run", "--conf", str(self.folder / "ircd.yaml"), "--quiet"]

    def ready(self):
        return port_open(self.port) and port_open(self.tls_port)

    def facts(self):
        return {"host": self.host, "port": self.port, "tls_port": self.tls_port, "ca_file": str(self.ca_file)}


if __name__ == "__main__":
    main(lambda a: Ergo(pathlib.Path(a.folder), a.fakelag), __doc__, {"fakelag": "slow down who writes fast"})
