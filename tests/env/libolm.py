# SPDX-License-Identifier: MIT
"""libolm by ctypes, for peers that have to do what no proper client lets them do: no checks at all are made here."""
import base64
import ctypes
import json
import os

_lib = ctypes.CDLL("libolm.so.3")
_ERROR = ctypes.c_size_t(-1).value
_size = ctypes.c_size_t


class OlmError(Exception):
    pass


def canonical(value):
    """Canonical JSON of what these tests make: no floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def unpadded(data):
    return base64.b64encode(data).decode().rstrip("=")


def padded(text):
    return base64.b64decode(text + "=" * (-len(text) % 4))


class _Object:
    """One object of the library in memory of ours."""

    kind = ""

    def __init__(self):
        self._memory = ctypes.create_string_buffer(self._plain(f"olm_{self.kind}_size"))
        make = getattr(_lib, f"olm_{self.kind}")
        make.restype = ctypes.c_void_p
        self._at = ctypes.c_void_p(make(self._memory))

    @staticmethod
    def _plain(name, *args):
        function = getattr(_lib, name)
        function.restype = _size
        return function(*args)

    def _call(self, name, *args):
        """A function of this kind of object; strings and bytes go as pointer and length."""
        sent, keep = [], []
        for arg in args:
            if isinstance(arg, (bytes, bytearray)):
                copy = ctypes.create_string_buffer(bytes(arg), len(arg) or 1)  # the library writes into its input
                keep.append(copy)
                sent += [copy, _size(len(arg))]
            elif isinstance(arg, ctypes.Array):
                sent += [arg, _size(len(arg))]
            else:
                sent.append(arg)
        result = self._plain(f"olm_{name}", self._at, *sent)
        if result == _ERROR:
            last = getattr(_lib, f"olm_{self.kind}_last_error")
            last.restype = ctypes.c_char_p
            raise OlmError(last(self._at).decode())
        return result


def _out(size):
    return ctypes.create_string_buffer(max(1, size))


class Account(_Object):
    kind = "account"

    def __init__(self):
        super().__init__()
        self._call("create_account", os.urandom(self._call("create_account_random_length")))
        keys = _out(self._call("account_identity_keys_length"))
        self._call("account_identity_keys", keys)
        self.keys = json.loads(keys.raw)

    @property
    def curve(self):
        return self.keys["curve25519"]

    @property
    def ed(self):
        return self.keys["ed25519"]

    def sign(self, value):
        out = _out(self._call("account_signature_length"))
        self._call("account_sign", value if isinstance(value, bytes) else canonical(value), out)
        return out.raw.decode()

    def one_time_keys(self, count):
        """Makes some; {id: key}."""
        length = self._call("account_generate_one_time_keys_random_length", _size(count))
        self._call("account_generate_one_time_keys", _size(count), os.urandom(length))
        out = _out(self._call("account_one_time_keys_length"))
        self._call("account_one_time_keys", out)
        self._call("account_mark_keys_as_published")
        return json.loads(out.raw)["curve25519"]

    def outbound(self, curve, one_time_key):
        session = Session()
        random = os.urandom(session._call("create_outbound_session_random_length"))
        session._call("create_outbound_session", self._at, curve.encode(), one_time_key.encode(), random)
        return session

    def inbound(self, curve, message):
        session = Session()
        session._call("create_inbound_session_from", self._at, curve.encode(), message.encode())
        _Object._plain("olm_remove_one_time_keys", self._at, session._at)
        return session


class Session(_Object):
    kind = "session"

    def encrypt(self, text):
        """(type, body)"""
        kind = self._call("encrypt_message_type")
        data = text.encode() if isinstance(text, str) else text
        random = os.urandom(self._call("encrypt_random_length"))
        out = _out(self._call("encrypt_message_length", _size(len(data))))
        got = self._call("encrypt", data, random, out)
        return kind, out.raw[:got].decode()

    def decrypt(self, kind, body):
        out = _out(self._call("decrypt_max_plaintext_length", _size(kind), body.encode()))
        got = self._call("decrypt", _size(kind), body.encode(), out)
        return out.raw[:got].decode()

    def matches(self, curve, body):
        return self._call("matches_inbound_session_from", curve.encode(), body.encode()) == 1


class OutboundGroup(_Object):
    kind = "outbound_group_session"

    def __init__(self):
        super().__init__()
        self._call("init_outbound_group_session",
                   os.urandom(self._call("init_outbound_group_session_random_length")))

    def _string(self, what):
        out = _out(self._call(f"outbound_group_session_{what}_length"))
        got = self._call(f"outbound_group_session_{what}", out)
        return out.raw[:got].decode()

    @property
    def id(self):
        return self._string("id")

    @property
    def key(self):
        return self._string("key")

    @property
    def index(self):
        return self._call("outbound_group_session_message_index")

    def encrypt(self, text):
        data = text.encode() if isinstance(text, str) else text
        out = _out(self._call("group_encrypt_message_length", _size(len(data))))
        got = self._call("group_encrypt", data, out)
        return out.raw[:got].decode()


class InboundGroup(_Object):
    kind = "inbound_group_session"

    def __init__(self, key, exported=False):
        super().__init__()
        self._call("import_inbound_group_session" if exported else "init_inbound_group_session", key.encode())

    @property
    def id(self):
        out = _out(self._call("inbound_group_session_id_length"))
        self._call("inbound_group_session_id", out)
        return out.raw.decode()

    def export(self, index):
        out = _out(self._call("export_inbound_group_session_length"))
        self._call("export_inbound_group_session", out, ctypes.c_uint32(index))
        return out.raw.decode()

    def decrypt(self, body):
        """(text, index)"""
        out = _out(self._call("group_decrypt_max_plaintext_length", body.encode()))
        index = ctypes.c_uint32()
        got = self._call("group_decrypt", body.encode(), out, ctypes.byref(index))
        return out.raw[:got].decode(), index.value


class PkEncryption(_Object):
    """What the key backup is encrypted with."""

    kind = "pk_encryption"

    def __init__(self, public_key):
        super().__init__()
        self._call("pk_encryption_set_recipient_key", public_key.encode())

    def encrypt(self, text):
        data = text.encode()
        cipher = _out(self._call("pk_ciphertext_length", _size(len(data))))
        mac, ephemeral = _out(self._call("pk_mac_length")), _out(self._plain("olm_pk_key_length"))
        random = os.urandom(self._call("pk_encrypt_random_length"))
        self._call("pk_encrypt", data, cipher, mac, ephemeral, random)
        return {"ciphertext": cipher.raw.decode(), "mac": mac.raw.decode(), "ephemeral": ephemeral.raw.decode()}


class Sas(_Object):
    kind = "sas"

    def __init__(self):
        super().__init__()
        self._call("create_sas", os.urandom(self._call("create_sas_random_length")))
        out = _out(self._call("sas_pubkey_length"))
        self._call("sas_get_pubkey", out)
        self.key = out.raw.decode()

    def meet(self, key):
        self._call("sas_set_their_key", key.encode())

    def bytes(self, info, length):
        out = _out(length)
        self._call("sas_generate_bytes", info.encode(), out)
        return out.raw

    def mac(self, text, info):
        """hkdf-hmac-sha256.v2"""
        out = _out(self._call("sas_mac_length"))
        self._call("sas_calculate_mac_fixed_base64", text.encode(), info.encode(), out)
        return out.raw.decode()
