# SPDX-License-Identifier: MIT
"""InspIRCd 3 with Atheme: classic services, SASL through them, echo and labels, the default flood penalties."""
import os
import pathlib
import shutil
import socket
import subprocess
import time

if __package__:
    from .peer import Missing, Peer, Unfit, _die_with_parent, free_port, main, make_authority, port_open
else:
    from peer import Missing, Peer, Unfit, _die_with_parent, free_port, main, make_authority, port_open

MODULES = """cap ircv3 ircv3_accounttag ircv3_batch ircv3_capnotify ircv3_chghost ircv3_ctctags ircv3_echomessage
ircv3_labeledresponse ircv3_msgid ircv3_servertime services_account sasl spanningtree botmode namesx
ssl_gnutls""".split()

SERVICES = """protocol/inspircd backend/opensex crypto/pbkdf2v2 nickserv/main nickserv/register
nickserv/identify nickserv/ghost nickserv/help nickserv/info saslserv/main saslserv/plain""".split()


class Inspircd(Peer):
    name = "inspircd"

    def __init__(self, folder=None):
        super().__init__(folder)
        path = os.environ.get("PATH", "") + ":/usr/sbin"
        self.binary, self.services_binary = (shutil.which(b, path=path) for b in ("inspircd", "atheme-services"))
        self.port, self.tls_port, self.link_port = free_port(), free_port(), free_port()
        self.tls = self.folder / "tls"
        self.services = None

    @property
    def ca_file(self):
        return self.tls / "ca.pem"

    def server_config(self):
        """Flood limits are not named: the server's own hold."""
        modules = "\n".join(f'<module name="{m}">' for m in MODULES)
        return f"""
<config format="xml">
{modules}
<path datadir="{self.folder}" logdir="{self.folder}" runtimedir="{self.folder}">
<pid file="{self.folder}/inspircd.pid">
<server name="insp.test" description="server of the tests" network="insp" id="1AA">
<admin name="tests" nick="tests" email="tests@insp.test">
<bind address="127.0.0.1" port="{self.port}" type="clients">
<bind address="127.0.0.1" port="{self.tls_port}" type="clients" sslprofile="own">
<bind address="127.0.0.1" port="{self.link_port}" type="servers">
<sslprofile name="own" provider="gnutls" certfile="{self.tls}/server.pem" keyfile="{self.tls}/server.key"
  cafile="{self.tls}/ca.pem">
<connect name="main" allow="*" localmax="100" globalmax="100" resolvehostnames="no" useident="no">
<performance clonesonconnect="no">
<class name="all" commands="*" privs="*" usermodes="*" chanmodes="*">
<type name="all" classes="all">
<oper name="oper" password="secret-of-oper" host="*" type="all">
<dns server="127.0.0.1" timeout="1">
<uline server="services.test" silent="yes">
<link name="services.test" ipaddr="127.0.0.1" port="{self.link_port}" allowmask="127.0.0.0/8" sendpass="linkage"
  recvpass="linkage">
<sasl target="services.test" requiressl="no">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{self.folder}/inspircd.log">
"""

    def services_config(self):
        modules = "\n".join(f'loadmodule "modules/{m}";' for m in SERVICES)
        return f"""
{modules}
serverinfo {{
    name = "services.test"; desc = "services of the tests"; numeric = "00A"; recontime = 1; netname = "insp";
    hidehostsuffix = "users.insp"; adminname = "tests"; adminemail = "tests@insp.test";
    registeremail = "noreply@insp.test"; loglevel = {{ error; info; }}; maxlogins = 5; maxusers = 0; mdlimit = 30;
    emaillimit = 100; emailtime = 300; auth = none; casemapping = rfc1459;
}};
uplink "insp.test" {{
    host = "127.0.0.1"; port = {self.link_port}; send_password = "linkage"; receive_password = "linkage";
}};
nickserv {{ nick = "NickServ"; user = "NickServ"; host = "services.test"; real = "accounts"; maxnicks = 5; }};
saslserv {{ nick = "SaslServ"; user = "SaslServ"; host = "services.test"; real = "logins"; }};
general {{ commit_interval = 5; default_clone_allowed = 100; uplink_sendq_limit = 1048576; language = "en"; }};
"""

    def prepare(self):
        if not self.binary or not self.services_binary:
            raise Missing("InspIRCd and Atheme are not installed: run tests/env/deps.sh check")
        if not self.ca_file.exists():
            make_authority(self.tls)
        (self.folder / "inspircd.conf").write_text(self.server_config())
        (self.folder / "services.conf").write_text(self.services_config())

    def command(self):
        root = ["--runasroot"] if os.geteuid() == 0 else []
        return [self.binary, "--nofork", "--config", str(self.folder / "inspircd.conf"), *root]

    def ready(self):
        return port_open(self.port) and port_open(self.tls_port)

    def launch(self, keep=False):
        super().launch(keep)
        with open(self.folder / "log", "ab") as log:
            self.services = subprocess.Popen(
                [self.services_binary, "-n", "-c", str(self.folder / "services.conf"), "-D", str(self.folder), "-l",
                 str(self.folder / "services.log"), "-p", str(self.folder / "services.pid")],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=keep,
                preexec_fn=None if keep else _die_with_parent)
        end = time.monotonic() + 30
        while not self.offers_sasl():
            if self.services.poll() is not None or "too old to link" in self.log() or time.monotonic() > end:
                self.stop()
                if "too old to link" in self.log():  # Debian 13: Atheme 7.2 and InspIRCd 4
                    raise Unfit("this Atheme cannot be linked to this InspIRCd")
                raise RuntimeError("the services did not start:\n" + self.log()[-3000:])
            time.sleep(0.1)
        return self

    def offers_sasl(self):
        """It does once the services are linked."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as link:
            link.sendall(b"CAP LS 302\r\n")
            link.settimeout(2)
            said = b""
            try:
                while b" LS :" not in said:
                    more = link.recv(4096)
                    if not more:
                        break
                    said += more
            except TimeoutError:
                pass
        return b"sasl=" in said

    def stop(self, *args):
        if self.services is not None and self.services.poll() is None:
            self.services.terminate()
            try:
                self.services.wait(10)
            except subprocess.TimeoutExpired:
                self.services.kill()
                self.services.wait()
        self.services = None
        super().stop(*args)

    def facts(self):
        return {"host": self.host, "port": self.port, "tls_port": self.tls_port, "ca_file": str(self.ca_file),
                "services_pid": self.services.pid}


if __name__ == "__main__":
    main(lambda a: Inspircd(pathlib.Path(a.folder)), __doc__)
