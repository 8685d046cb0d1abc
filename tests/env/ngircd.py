# SPDX-License-Identifier: MIT
"""ngIRCd: plain RFC 1459, no services, no tags, no echo."""
import os
import pathlib
import shutil

if __package__:
    from .peer import Missing, Peer, free_port, main, port_open
else:
    from peer import Missing, Peer, free_port, main, port_open


class Ngircd(Peer):
    name = "ngircd"

    def __init__(self, folder=None, penalty=False):
        super().__init__(folder)
        self.penalty = penalty
        self.binary = shutil.which("ngircd", path=os.environ.get("PATH", "") + ":/usr/sbin")
        self.port = free_port()

    def prepare(self):
        if not self.binary:
            raise Missing("ngIRCd is not installed: run tests/env/deps.sh check")
        (self.folder / "ngircd.conf").write_text(f"""
[Global]
Name = plain.test
Info = plain server of the tests
Listen = 127.0.0.1
Ports = {self.port}
MotdPhrase = hello
[Limits]
MaxConnections = 200
MaxConnectionsIP = 0
MaxJoins = 100
MaxPenaltyTime = {-1 if self.penalty else 0}
PingTimeout = 120
PongTimeout = 60
[Options]
Ident = no
PAM = no
DNS = no
SyslogFacility = local1
[Operator]
Name = oper
Password = secret-of-oper
""")

    def command(self):
        return [self.binary, "--nodaemon", "--config", str(self.folder / "ngircd.conf")]

    def ready(self):
        return port_open(self.port)

    def facts(self):
        return {"host": self.host, "port": self.port}


if __name__ == "__main__":
    main(lambda a: Ngircd(pathlib.Path(a.folder), a.penalty), __doc__, {"penalty": "slow down who writes fast"})
