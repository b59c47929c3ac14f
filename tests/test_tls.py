"""HTTPS in a depot without the internet: an authority of one's own, what it may sign for, and a service that speaks it."""

from __future__ import annotations

import socket
import ssl
import stat
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from http.client import HTTPResponse
from pathlib import Path

import httpx
import pytest
import zxingcpp
from cryptography import x509
from PIL import Image
from typer.testing import CliRunner

from labels.marks import square
from labels.tags import Code
from stockpile.cli import app
from stockpile.commands.tls import in_blocks
from stockpile.errors import Invalid
from stockpile.tls import (
    RENEW_BEFORE,
    NotForThisName,
    authority_der,
    find_certificates,
    make_certificates,
    now,
    renewed,
)
from tests.service import Service, free_port

NAME = "depot.test"


def made(data: Path, *names: str, **more: bool) -> None:
    """Certificates for these names."""
    make_certificates(data, names, "Ministry of Defence", now(), **more)


def handshake(data: Path, name: str, trusted: Path) -> str:
    """What a client that trusts an authority says of the server when it asks for a name: its subject, or why not."""
    served, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(trusted))
    served.load_cert_chain(data / "tls" / "server.crt", data / "tls" / "server.key")
    to_server, to_client, from_server, from_client = ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, from_client, server_hostname=name)
    answering = served.wrap_bio(to_server, from_server, server_side=True)
    for _ in range(6):
        for side, sent, other in ((asking, from_client, to_server), (answering, from_server, to_client)):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as problem:
                return problem.verify_message
            other.write(sent.read())
    return str(asking.getpeercert()["subject"][0][0][1])  # type: ignore[index]


def test_what_a_site_gets(tmp_path: Path) -> None:
    """Keys for the owner alone; the server's certificate is believed under each of its names, by whoever trusts the authority."""
    made(tmp_path, NAME, "192.168.7.9")
    folder = tmp_path / "tls"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()} == {
        "authority.crt": "0o644", "authority.key": "0o600", "server.crt": "0o644", "server.key": "0o600",
    }  # fmt: skip
    for name in (NAME, "192.168.7.9", "localhost", "127.0.0.1", socket.gethostname().lower()):
        assert handshake(tmp_path, name, folder / "authority.crt") == NAME
    assert "mismatch" in handshake(tmp_path, "elsewhere.test", folder / "authority.crt")
    made(tmp_path / "other", NAME)
    assert "self-signed" in handshake(tmp_path, NAME, tmp_path / "other" / "tls" / "authority.crt")


def test_the_authority_signs_for_its_own_names_only(tmp_path: Path) -> None:
    """A stolen key can't pass for a bank: the constraints are critical, and a client that knows them refuses."""
    made(tmp_path, NAME)
    authority = x509.load_pem_x509_certificate((tmp_path / "tls" / "authority.crt").read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    with pytest.raises(NotForThisName, match=r"bank\.example.*--new-authority"):
        made(tmp_path, "bank.example")
    with pytest.raises(NotForThisName, match=r"8\.8\.8\.8"):
        made(tmp_path, "8.8.8.8")
    made(tmp_path, f"station.{NAME}", "10.1.2.3")
    assert handshake(tmp_path, f"station.{NAME}", tmp_path / "tls" / "authority.crt") == f"station.{NAME}"


def test_a_forged_certificate_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even signed with the authority's own key."""
    made(tmp_path, NAME)
    monkeypatch.setattr("stockpile.tls._permits", lambda authority, name: True)
    made(tmp_path, "bank.example")
    assert handshake(tmp_path, "bank.example", tmp_path / "tls" / "authority.crt") == "permitted subtree violation"


def test_renewed_before_it_ends(tmp_path: Path) -> None:
    """The same command again, or a start of the service, gives the server another year under the same authority; names stay."""
    made(tmp_path, NAME)
    first = find_certificates(tmp_path)
    assert first is not None
    assert timedelta(days=390) < first.server_until - now() < timedelta(days=398)
    assert timedelta(days=3650) < first.authority_until - now()
    assert renewed(tmp_path, now()) == first
    later = first.server_until - RENEW_BEFORE + timedelta(days=1)
    second = renewed(tmp_path, later)
    assert second is not None
    assert second.server_until > first.server_until
    assert (second.fingerprint, second.names) == (first.fingerprint, first.names)
    made(tmp_path, new_authority=True)
    third = find_certificates(tmp_path)
    assert third is not None
    assert third.fingerprint != first.fingerprint


@pytest.mark.parametrize("name", ["a b", "*.test", "http://depot", "-x", "depot_1", "", "x" * 64])
def test_what_is_no_name(tmp_path: Path, name: str) -> None:
    """Said in words, before anything is written."""
    with pytest.raises(Invalid, match="no name of a machine"):
        made(tmp_path, name)
    assert not (tmp_path / "tls").exists()


def test_damaged_files_are_said(tmp_path: Path) -> None:
    """Not a stack trace."""
    made(tmp_path, NAME)
    (tmp_path / "tls" / "server.crt").write_text("nothing")
    with pytest.raises(Invalid, match="damaged"):
        find_certificates(tmp_path)


def test_shown_to_be_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fingerprint, and an address that a phone reads off the screen."""
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))
    missing = CliRunner().invoke(app, ["tls", "show"])
    assert missing.exit_code == 1
    assert "stockpile tls init" in missing.output
    assert CliRunner().invoke(app, ["tls", "init", "--name", NAME]).exit_code == 0
    found = find_certificates(tmp_path)
    assert found is not None
    shown = CliRunner().invoke(app, ["tls", "show"]).output
    assert found.fingerprint.replace(":", "") in shown.replace(" ", "").replace("\n", "")
    blocks = in_blocks(square(Code.QR, f"http://{NAME}:8080/trust"))
    assert blocks in shown
    assert read_blocks(blocks) == f"http://{NAME}:8080/trust"


def read_blocks(blocks: str) -> str:
    """What a phone reads off a dark terminal."""
    lines = blocks.splitlines()
    picture = Image.new("L", (len(lines[0]), len(lines) * 2))
    for y, line in enumerate(lines):
        for x, sign in enumerate(line):
            picture.putpixel((x, 2 * y), 255 if sign in "█▀" else 0)
            picture.putpixel((x, 2 * y + 1), 255 if sign in "█▄" else 0)
    (code,) = zxingcpp.read_barcodes(picture.resize((picture.width * 6, picture.height * 6), Image.Resampling.NEAREST))
    return code.text


class SecureService(Service):
    """A service whose address is of its certificate's."""

    @property
    def announcement(self) -> str:
        """With the first name."""
        return f"serves on https://{NAME}:{self.port}"

    def answers(self) -> bool:
        """Whether it is healthy over TLS, asked under its name."""
        try:
            return self.asked("/v1/health").status == 200
        except OSError:
            return False

    def asked(self, path: str) -> HTTPResponse:
        """What it answers to a client that trusts its authority."""
        trusting = ssl.create_default_context(cafile=str(self.folder / "var" / "tls" / "authority.crt"))
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        with trusting.wrap_socket(plain, server_hostname=NAME) as secure:
            secure.sendall(f"GET {path} HTTP/1.1\r\nHost: {NAME}:{self.port}\r\nConnection: close\r\n\r\n".encode())
            answer = HTTPResponse(secure)
            answer.begin()
            answer.read()
            return answer


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SecureService, str]]:
    """`stockpile run` with certificates, and its plain address."""
    service, plain = SecureService(tmp_path_factory.mktemp("secure")), free_port()
    try:
        done = service.command("tls", "init", "--name", NAME)
        assert done.returncode == 0, done.stderr
        service.start(STOCKPILE_HTTP_PORT=str(plain))
        yield service, f"http://127.0.0.1:{plain}"
    finally:
        service.end()


def test_the_service_speaks_https(secure: tuple[SecureService, str]) -> None:
    """Believed under its name; it says where devices learn to trust it; its port takes no plain HTTP."""
    service, _ = secure
    assert service.asked("/").status == 200
    assert "http://depot.test:" in service.said
    assert "/trust" in service.said
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{service.port}/", timeout=5)


def test_plain_http_leads_to_https_and_takes_nothing(secure: tuple[SecureService, str]) -> None:
    """A page is redirected, for now; a token or a body is refused, never passed on."""
    service, plain = secure
    answer = httpx.get(f"{plain}/weapons?q=1&x=%20", follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"] == f"https://127.0.0.1:{service.port}/weapons?q=1&x=%20"
    elsewhere = httpx.get(f"{plain}/x", headers={"Host": "bank.example"}, follow_redirects=False)
    assert elsewhere.headers["location"] == f"https://{NAME}:{service.port}/x"
    assert httpx.post(f"{plain}/v1/issues", json={}).status_code == 403
    with_token = httpx.get(f"{plain}/v1/documents", headers={"Authorization": "Bearer sp_x"})
    assert with_token.status_code == 403
    assert "revoked" in with_token.json()["detail"]


def test_the_page_of_trust_over_plain_http(secure: tuple[SecureService, str]) -> None:
    """Fingerprint, certificate in both forms, the way on each kind of device; protected like every page."""
    service, plain = secure
    page = httpx.get(f"{plain}/trust")
    found = find_certificates(service.folder / "var")
    assert found is not None
    assert page.status_code == 200
    assert found.fingerprint.replace(":", " ")[:23] in page.text
    for device in ("Windows", "macOS", "Linux", "Firefox", "Android", "iPhone"):
        assert device in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    der = httpx.get(f"{plain}/trust/stockpile-authority.crt")
    assert der.headers["content-type"] == "application/x-x509-ca-cert"
    assert der.content == authority_der(found)
    assert sha256(der.content).hexdigest().upper() == found.fingerprint.replace(":", "")
    assert httpx.get(f"{plain}/trust/stockpile-authority.pem").content == found.authority_file.read_bytes()
    assert httpx.get(f"{plain}/static/stockpile.css").status_code == 200
    assert "BEGIN" not in page.text


def test_it_ends_whole(secure: tuple[SecureService, str]) -> None:
    """Ctrl-C ends both ports."""
    service, plain = secure
    assert service.stop() == 0
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{plain}/trust", timeout=2)
