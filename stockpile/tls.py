"""HTTPS without the internet: an authority of the site's own, and the server's certificate that it signs. Files in the data folder, keys
readable by their owner alone, nothing of it in the database.

The authority may sign for the names it was made for and for private addresses, for nothing else (RFC 5280 name constraints): whoever
steals its key can't pass for anybody's bank. Its key never leaves the machine; devices get its certificate.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stockpile.errors import Fault, Invalid, StockpileError
from stockpile.sentences import sentence

FOLDER = "tls"
AUTHORITY, AUTHORITY_KEY = "authority.crt", "authority.key"
SERVER, SERVER_KEY = "server.crt", "server.key"

AUTHORITY_LIVES = timedelta(days=3653)
SERVER_LIVES = timedelta(days=397)
"""Apple's devices refuse more than 825 days of an authority that a user trusts; other browsers are on their way to a year."""
RENEW_BEFORE = timedelta(days=60)
CLOCK_OFF = timedelta(days=1)
"""A certificate is valid from the day before: a device's clock may be late."""

PRIVATE: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128",
    )
)  # fmt: skip
"""Addresses of networks of one's own: they may change without a new authority."""

LOCAL = ("localhost", "127.0.0.1", "::1")

_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

Address = IPv4Address | IPv6Address


class NotForThisName(StockpileError):
    """The authority was not made for a name."""

    title = sentence("The authority may not sign for this name")


@dataclass(frozen=True, slots=True)
class Certificates:
    """What is in the folder. `fingerprint` is the authority's SHA-256, in pairs; `names` are the server's."""

    folder: Path
    fingerprint: str
    authority_until: datetime
    names: tuple[str, ...]
    server_until: datetime

    @property
    def authority_file(self) -> Path:
        """The authority's certificate, which devices are to trust."""
        return self.folder / AUTHORITY

    @property
    def server_file(self) -> Path:
        """The server's certificate, the authority's after it."""
        return self.folder / SERVER

    @property
    def key_file(self) -> Path:
        """The server's key."""
        return self.folder / SERVER_KEY

    def due(self, moment: datetime) -> bool:
        """Whether the server's is to be renewed."""
        return self.server_until - moment < RENEW_BEFORE


def find_certificates(data: Path) -> Certificates | None:
    """The certificates in a data folder; None if it has none. Raises Invalid if they are damaged."""
    folder = data / FOLDER
    if not all((folder / name).exists() for name in (AUTHORITY, SERVER, SERVER_KEY)):
        return None
    authority, server = _read(folder / AUTHORITY), _read(folder / SERVER)
    digest = authority.fingerprint(hashes.SHA256()).hex().upper()
    pairs = ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))
    return Certificates(folder, pairs, authority.not_valid_after_utc, _names_of(server), server.not_valid_after_utc)


def authority_der(certificates: Certificates) -> bytes:
    """The authority's certificate in the form that every device takes."""
    return _read(certificates.authority_file).public_bytes(serialization.Encoding.DER)


def make_certificates(
    data: Path, names: Sequence[str], organisation: str, moment: datetime, new_authority: bool = False
) -> Certificates:
    """Makes the authority if there is none yet (or a new one is asked for), and a new certificate for the server with these names and
    addresses, those it had, and those of this machine.

    Raises Invalid (a name that is none), NotForThisName.
    """
    asked = [_checked(name) for name in names]
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    before = find_certificates(data)
    kept = before.names if before and not new_authority else ()
    wanted = tuple(dict.fromkeys([*asked, *kept, *names_of_this_machine(), *LOCAL]))
    if new_authority or not (folder / AUTHORITY_KEY).exists() or not (folder / AUTHORITY).exists():
        _make_authority(folder, wanted, organisation, moment)
    _make_server(folder, wanted, set(asked), moment)
    made = find_certificates(data)
    assert made is not None
    return made


def renewed(data: Path, moment: datetime) -> Certificates | None:
    """The certificates in a data folder; the server's renewed if it is due and the authority's key is there."""
    found = find_certificates(data)
    if found is None or not found.due(moment) or not (found.folder / AUTHORITY_KEY).exists():
        return found
    _make_server(found.folder, found.names, set(found.names), moment)
    return find_certificates(data)


def names_of_this_machine() -> list[str]:
    """Its host names, and the addresses of its network cards as far as they can be told."""
    host = socket.gethostname().lower()
    full = socket.getfqdn().lower()
    found = [name for name in (host, full) if _HOST.fullmatch(name) and not _address(name)]
    addresses = {str(address) for address in _addresses() if not address.is_loopback}
    return [*dict.fromkeys(found), *sorted(addresses)]


def _addresses() -> Iterable[Address]:
    try:
        for _, _, _, _, where in socket.getaddrinfo(socket.gethostname(), None):
            if (address := _address(str(where[0]).partition("%")[0])) is not None:
                yield address
    except OSError:
        pass
    yield from _addresses_of_cards()


def _addresses_of_cards() -> Iterable[Address]:
    """The IPv4 address of each network card; on Linux only (SIOCGIFADDR)."""
    try:
        import fcntl
    except ImportError:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, card in socket.if_nameindex():
            try:
                told = fcntl.ioctl(asking.fileno(), 0x8915, struct.pack("256s", card.encode()[:15]))
            except OSError:
                continue
            yield IPv4Address(told[20:24])


def _checked(name: str) -> str:
    written = name.strip().lower().rstrip(".")
    if _address(written) is None and not _HOST.fullmatch(written):
        fault = Fault(
            "a host name such as depot.example, or an address such as 192.168.1.10", field="--name", value=name
        )
        raise Invalid(f"{name!r} is no name of a machine.", [fault])
    return written


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _make_authority(folder: Path, names: Sequence[str], organisation: str, moment: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    hosts = [name for name in names if _address(name) is None]
    others = [ip_network(name) for name in names if (found := _address(name)) is not None and not _is_private(found)]
    permitted: list[x509.GeneralName] = [
        *(x509.DNSName(host) for host in hosts),
        *(x509.IPAddress(network) for network in (*PRIVATE, *others)),
    ]
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Stockpile authority of {hosts[0]}"[:64]),
        ]
    )
    certificate = (
        _begun(subject, subject, key.public_key(), moment, AUTHORITY_LIVES)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / AUTHORITY_KEY, _key_bytes(key), 0o600)
    _write(folder / AUTHORITY, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _make_server(folder: Path, names: Sequence[str], needed: set[str], moment: datetime) -> None:
    authority = _read(folder / AUTHORITY)
    signing = serialization.load_pem_private_key((folder / AUTHORITY_KEY).read_bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    refused = [name for name in names if not _permits(authority, name)]
    if missing := [name for name in refused if name in needed]:
        raise NotForThisName(
            f"The authority was not made for {', '.join(missing)}. 'stockpile tls init --new-authority --name {missing[0]}' makes "
            "another: every device must then trust that one."
        )
    signed = [name for name in names if name not in refused]
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, signed[0][:64])])
    alternatives = [
        x509.IPAddress(address) if (address := _address(name)) is not None else x509.DNSName(name) for name in signed
    ]
    lives = min(SERVER_LIVES, authority.not_valid_after_utc - moment)
    certificate = (
        _begun(subject, authority.subject, key.public_key(), moment, lives)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        .sign(signing, hashes.SHA256())
    )
    chain = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (certificate, authority))
    _write(folder / SERVER_KEY, _key_bytes(key), 0o600)
    _write(folder / SERVER, chain, 0o644)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, moment: datetime, lives: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - CLOCK_OFF)
        .not_valid_after(moment + lives)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs_certificates, crl_sign=signs_certificates, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


def _permits(authority: x509.Certificate, name: str) -> bool:
    """Whether the authority's constraints let it sign for a name or address."""
    permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    address = _address(name)
    if address is not None:
        return any(isinstance(one, x509.IPAddress) and _in(address, one.value) for one in permitted)
    hosts = [one.value for one in permitted if isinstance(one, x509.DNSName)]
    return any(name == host or name.endswith("." + host) for host in hosts)


def _in(address: Address, network: object) -> bool:
    return isinstance(network, IPv4Network | IPv6Network) and address.version == network.version and address in network


def _is_private(address: Address) -> bool:
    return any(_in(address, network) for network in PRIVATE)


def _names_of(server: x509.Certificate) -> tuple[str, ...]:
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(str(one.value) for one in names)


def _read(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        raise Invalid(f"{path} is damaged: move the folder away and run 'stockpile tls init'.") from None


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, never readable by others meanwhile."""
    new = path.with_suffix(path.suffix + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.chmod(mode)
    new.replace(path)


def now() -> datetime:
    """The moment, in whole seconds: certificates know no finer."""
    return datetime.now(UTC).replace(microsecond=0)
