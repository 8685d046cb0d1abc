# SPDX-License-Identifier: MIT
"""An authority of the tests and certificates of every sort: good, expired, for another name, of somebody else."""
import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Writes into `folder`; ca_file is what the bot is told to trust."""

    def __init__(self, folder, name="authority"):
        self.folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.ca_file = folder / f"{name}.pem"
        made = self._builder(self._name, self._key, 3650).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), True).sign(self._key, hashes.SHA256())
        self.ca_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject, key, days):
        now = datetime.datetime.now(datetime.timezone.utc)
        return x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(
            key.public_key()).serial_number(x509.random_serial_number()).not_valid_before(
            now - datetime.timedelta(days=400)).not_valid_after(now + datetime.timedelta(days=days))

    def certificate(self, title, names=("127.0.0.1",), days=30):
        """(certificate, key) files; days below 0: expired so long ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        plain = [x509.IPAddress(ipaddress.ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names]
        made = self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)]), key, days).add_extension(
            x509.SubjectAlternativeName(plain), False).sign(self._key, hashes.SHA256())
        pem, secret = self.folder / f"{title}.pem", self.folder / f"{title}.key"
        pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                             serialization.NoEncryption()))
        return pem, secret
