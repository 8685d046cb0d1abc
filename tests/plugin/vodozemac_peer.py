#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The other side of matrix_e2ee_vodozemac_test: today's Rust cryptography, one command and one answer a line.

Words are divided by spaces, texts are written in hexadecimal digits. An error is answered by "error" and its words.
"""
import base64
import sys

from vodozemac import (Account, AnyOlmMessage, Curve25519PublicKey, Curve25519SecretKey, Ed25519PublicKey,
                       Ed25519Signature, ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage, Message,
                       PkDecryption, PkEncryption, PreKeyMessage, Sas, Session, SessionKey)


class Peer:
    def __init__(self):
        self.account, self.group = Account(), GroupSession()
        self.session = self.reader = self.sas = None

    def keys(self):
        self.account.generate_one_time_keys(1)
        one_time = next(iter(self.account.one_time_keys.values()))
        return self.account.curve25519_key.to_base64(), self.account.ed25519_key.to_base64(), one_time.to_base64()

    def sign(self, text):
        return (self.account.sign(bytes.fromhex(text)).to_base64(),)

    def verify(self, key, text, signature):
        Ed25519PublicKey.from_base64(key).verify_signature(bytes.fromhex(text), Ed25519Signature.from_base64(signature))
        return ("good",)

    def olm_open(self, curve25519, one_time):
        self.session = self.account.create_outbound_session(Curve25519PublicKey.from_base64(curve25519),
                                                            Curve25519PublicKey.from_base64(one_time))
        return (self.session.session_id,)

    def olm_take(self, sender, body):
        message = PreKeyMessage.from_base64(body)
        self.session, text = self.account.create_inbound_session(Curve25519PublicKey.from_base64(sender), message)
        return self.session.session_id, text.hex()

    def olm_encrypt(self, text):
        kind, body = self.session.encrypt(bytes.fromhex(text)).to_parts()
        return str(kind), base64.b64encode(body).decode().rstrip("=")

    def olm_decrypt(self, kind, body):
        raw = base64.b64decode(body + "=" * (-len(body) % 4))
        return (self.session.decrypt(AnyOlmMessage.from_parts(int(kind), raw)).hex(),)

    def session_pickle(self, pickle, key):
        self.session = Session.from_libolm_pickle(pickle, bytes.fromhex(key))
        return (self.session.session_id,)

    def account_pickle(self, pickle, key):
        account = Account.from_libolm_pickle(pickle, bytes.fromhex(key))
        return account.curve25519_key.to_base64(), account.ed25519_key.to_base64()

    def megolm_key(self):
        return self.group.session_id, self.group.session_key.to_base64()

    def megolm_encrypt(self, text):
        return (self.group.encrypt(bytes.fromhex(text)).to_base64(),)

    def megolm_read(self, key):
        self.reader = InboundGroupSession(SessionKey(key))
        return (self.reader.session_id,)

    def megolm_import(self, key):
        self.reader = InboundGroupSession.import_session(ExportedSessionKey(key))
        return self.reader.session_id, str(self.reader.first_known_index)

    def megolm_export(self, index):
        return (self.reader.export_at(int(index)).to_base64(),)

    def megolm_pickle(self, pickle, key):
        self.reader = InboundGroupSession.from_libolm_pickle(pickle, bytes.fromhex(key))
        return (self.reader.session_id,)

    def megolm_decrypt(self, message):
        done = self.reader.decrypt(MegolmMessage.from_base64(message))
        return done.plaintext.hex(), str(done.message_index)

    def sas_start(self, their_key):
        sas = Sas()
        public = sas.public_key
        self.sas = sas.diffie_hellman(Curve25519PublicKey.from_base64(their_key))
        return (public.to_base64(),)

    def sas_shown(self, info):
        shown = self.sas.bytes(bytes.fromhex(info).decode())
        return "-".join(map(str, (*shown.emoji_indices, *shown.decimals))),

    def sas_mac(self, text, info):
        return (self.sas.calculate_mac(bytes.fromhex(text).decode(), bytes.fromhex(info).decode()),)

    def backup_seal(self, public, text):  # ephemeral key, MAC, ciphertext
        return PkEncryption.from_key(Curve25519PublicKey.from_base64(public)).encrypt(bytes.fromhex(text)).to_base64()

    def backup_open(self, private, ciphertext, mac, ephemeral):
        key = PkDecryption.from_key(Curve25519SecretKey.from_bytes(bytes.fromhex(private)))
        return (key.decrypt(Message.from_base64(ciphertext, mac, ephemeral)).hex(),)


def main():
    peer = Peer()
    print("ready", flush=True)
    for line in sys.stdin:
        name, *words = line.split()
        try:
            print(*getattr(peer, name)(*words), flush=True)
        except Exception as e:  # whatever it is, the test wants to see it
            print("error", type(e).__name__, e, flush=True)


if __name__ == "__main__":
    main()
