# SPDX-License-Identifier: MIT
"""What the bot stored encrypted, opened as somebody can who has its store key; and what its files give away without."""
import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derived(bot, plugin, instance, purpose):
    """What the host gives an instance of a plugin."""
    store_key = bytes.fromhex((bot.state / "hashroom.key").read_text().strip())
    return HKDF(hashes.SHA256(), 32, None, f"hashroom\0{plugin}\0{instance}\0{purpose}".encode()).derive(store_key)


def x_token(bot, stored, what="refresh"):
    """A token of the login at X, `stored` as its row has it."""
    mark, sealed = stored.split(":")
    assert mark == "sealed1"
    sealed = bytes.fromhex(sealed)
    return AESGCM(derived(bot, "twitter", "x", "tokens")).decrypt(sealed[:12], sealed[12:], what.encode()).decode()


def matrix_token(bot, what="access"):
    """A token of the session at Matrix, "" while there is none."""
    stored = bot.value(f"SELECT {'token' if what == 'access' else what} FROM matrix_account WHERE instance = 'home'")
    if not stored:
        return ""
    sealed = {name: base64.b64decode(text + "==") for name, text in json.loads(stored).items()}
    keys = HKDF(hashes.SHA256(), 64, bytes(32), what.encode()).derive(derived(bot, "matrix", "home", "tokens"))
    assert hmac.digest(keys[32:], sealed["ciphertext"], hashlib.sha256) == sealed["mac"]
    return Cipher(AES(keys[:32]), CTR(sealed["iv"])).decryptor().update(sealed["ciphertext"]).decode()


def files_with(bot, *secrets):
    """Files of the database, its log of changes and all beside it, that hold one of the secrets as it is."""
    assert all(secrets) and secrets
    return sorted({file.name for file in bot.state.iterdir() if file.is_file() for secret in secrets
                   if secret.encode() in file.read_bytes()})
