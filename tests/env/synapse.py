# SPDX-License-Identifier: MIT
"""Synapse: a Matrix homeserver, with its default rate limits or with all of them lifted."""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import urllib.error
import urllib.request

if __package__:
    from .peer import ENV, Missing, Peer, free_port, main
else:
    from peer import ENV, Missing, Peer, free_port, main

PASSWORD = "a password of the tests"


def _lifted():
    wide = {"per_second": 100000, "burst_count": 100000}
    limits = {name: wide for name in (
        "rc_message", "rc_registration", "rc_registration_token_validity", "rc_admin_redaction", "rc_joins_per_room",
        "rc_3pid_validation", "rc_media_create", "rc_room_creation", "rc_reports", "rc_delayed_event_mgmt")}
    limits["rc_login"] = {"address": wide, "account": wide, "failed_attempts": wide}
    limits["rc_joins"] = {"local": wide, "remote": wide}
    limits["rc_invites"] = {"per_room": wide, "per_user": wide, "per_issuer": wide}
    limits["rc_presence"] = {"per_user": wide}
    return limits


class Synapse(Peer):
    name = "synapse"
    server_name = "hs.test"

    def __init__(self, folder=None, limits=False, extra=None):
        """limits: Synapse's default rate limits instead of none. extra: more settings."""
        super().__init__(folder)
        self.python = ENV / "venv" / "bin" / "python"
        self.limits = limits
        self.extra = extra or {}
        self.port = free_port()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def config(self):
        d = self.folder
        config = {
            "server_name": self.server_name, "public_baseurl": self.url + "/", "pid_file": str(d / "pid"),
            "listeners": [{"port": self.port, "type": "http", "tls": False, "bind_addresses": ["127.0.0.1"],
                           "resources": [{"names": ["client"]}]}],
            "database": {"name": "sqlite3", "args": {"database": str(d / "homeserver.db")}},
            "log_config": str(d / "log.yaml"), "media_store_path": str(d / "media"),
            "signing_key_path": str(d / "signing.key"), "macaroon_secret_key": "tests", "form_secret": "tests",
            "registration_shared_secret": "tests", "enable_registration": False, "report_stats": False,
            "suppress_key_server_warning": True, "trusted_key_servers": [], "federation_domain_whitelist": [],
            "presence": {"enabled": False}, "url_preview_enabled": False,
            "bcrypt_rounds": 4,
        }
        if not self.limits:
            config.update(_lifted())
        else:  # the tests' own people log in and make rooms at once; what is measured is rc_message
            wide = _lifted()
            config.update({k: wide[k] for k in ("rc_login", "rc_room_creation", "rc_registration", "rc_joins",
                                                "rc_joins_per_room", "rc_invites")})
        config.update(self.extra)
        return config

    def prepare(self):
        if not self.python.exists() or not (ENV / "venv.stamp").exists():
            raise Missing("Synapse is not there: run tests/env/deps.sh check")
        (self.folder / "homeserver.yaml").write_text(json.dumps(self.config(), indent=1))  # JSON is YAML
        (self.folder / "log.yaml").write_text(json.dumps({
            "version": 1, "formatters": {"f": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
            "handlers": {"h": {"class": "logging.StreamHandler", "formatter": "f"}},
            "root": {"level": "WARNING", "handlers": ["h"]}, "disable_existing_loggers": False}))
        key = self.folder / "signing.key"
        if not key.exists():
            key.write_text("ed25519 a_test " + base64.b64encode(os.urandom(32)).decode().rstrip("=") + "\n")

    def command(self):
        return [str(self.python), "-m", "synapse.app.homeserver", "--config-path", str(self.folder / "homeserver.yaml")]

    def ready(self):
        try:
            return urllib.request.urlopen(self.url + "/health", timeout=2).status == 200
        except (OSError, urllib.error.URLError):
            return False

    def register(self, user, password=PASSWORD, admin=False):
        """Makes an account; returns {"user_id", "access_token", "device_id"}."""
        url = self.url + "/_synapse/admin/v1/register"
        nonce = json.load(urllib.request.urlopen(url, timeout=20))["nonce"]
        role = b"admin" if admin else b"notadmin"
        mac = hmac.new(b"tests", b"\0".join([nonce.encode(), user.encode(), password.encode(), role]), hashlib.sha1)
        body = {"nonce": nonce, "username": user, "password": password, "admin": admin, "mac": mac.hexdigest()}
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=20))

    def facts(self):
        return {"url": self.url, "server_name": self.server_name, "registration_shared_secret": "tests"}


if __name__ == "__main__":
    main(lambda a: Synapse(pathlib.Path(a.folder), a.limits), __doc__, {"limits": "with Synapse's default rate limits"})
