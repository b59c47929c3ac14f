"""Alerts by e-mail, through real mail servers on this machine: what goes out and what it says, what becomes of it when the server is away,
wants it later, refuses the password or the address, or breaks off; and that nothing goes twice and nothing is lost.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from pydantic import SecretStr

from api.alerting import look, written
from stockpile import tls
from stockpile.acts.loss import REPORT_MISSING
from stockpile.alerts import mailing
from stockpile.alerts.finding import find_alerts
from stockpile.alerts.mailing import WAITS, queue, send_waiting
from stockpile.alerts.smtp import MailServer
from stockpile.alerts.subscriptions import forget_address
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.settings import Settings
from stockpile.tokens import revoke_token
from tests.api_world import Web, problem, served
from tests.reading_pages import visit
from tests.service import free_port
from tests.world import RIFLES, scans

web = pytest.fixture(served)
TO = "officer@donor.example"
STOLEN = {"place": "Arms room", "circumstances": "Not in the rack at the evening count"}


@dataclass
class Inbox:
    """A mail server: what came, and what it answers to each step."""

    answers: dict[str, str] = field(default_factory=dict)
    raw: list[bytes] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list[str]) -> str:
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers.get("DATA") == "breaks off":
            self.raw.append(bytes(envelope.content or b""))
            server.transport.close()
            return "250 never heard"
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.raw.append(bytes(envelope.content or b""))
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self.answers.get("QUIT", "221 Bye")

    @property
    def came(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=default) for raw in self.raw]  # type: ignore[misc]


@contextmanager
def inbox(port: int = 0, **more: Any) -> Iterator[Inbox]:
    """A mail server that listens."""
    box = Inbox(port=port or free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **more)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def server(port: int, **more: Any) -> MailServer:
    given = {
        "host": "127.0.0.1",
        "security": "none",
        "user": "",
        "password": SecretStr(""),
        "sender": "stockpile@mod.example",
    }
    return MailServer(port=port, **{**given, **more})


def subscribed(web: Web, who: str = "auditor", **more: Any) -> str:
    body = {"way": "e-mail", "address": TO, **more}
    answer = web.post(who, "/v1/alert-subscriptions", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["subscription_id"])


def lost(web: Web, *serials: str) -> None:
    """Rifles are missing, each by a report of its own, and that is found."""
    for serial in serials:
        web.country.do("clerk", REPORT_MISSING, **STOLEN, lines=scans(serial))
    find_alerts(web.country.engine, whole=False)
    queue(web.country.engine)


def send(web: Web, to: MailServer, at: datetime | None = None) -> int:
    settings = Settings(mail_from=to.sender, address="https://stockpile.mod.example/")
    return send_waiting(web.country.engine, to, lambda letter: written(letter, settings), at)


def last(web: Web, who: str = "auditor") -> tuple[str, str | None]:
    """What the page of subscriptions tells of the last e-mail."""
    row = web.get(who, "/v1/alert-subscriptions").json()["rows"][0]
    return row["last_mail"], row["words"]


def test_an_alert_comes_by_e_mail_and_tells_an_enemy_nothing(web: Web) -> None:
    """By default: kind, number and link. Who asked for full text reads what happened; in their language; and no alert comes twice."""
    subscribed(web)
    subscribed(web, "registrar", address="registrar@mod.example", full_text=True, language="xx")
    subscribed(web, "USA", address="usa@donor.example")
    with inbox() as box:
        lost(web, RIFLES[0])
        assert send(web, server(box.port)) == 2
        assert queue(web.country.engine) == send(web, server(box.port)) == 0
        brief, full = box.came
    assert (brief["To"], brief["From"], brief["Subject"]) == (
        TO,
        "Stockpile <stockpile@mod.example>",
        "Stockpile: alert 1",
    )
    assert brief["Auto-Submitted"] == "auto-generated"
    text = brief.get_content()
    alert = web.get("auditor", "/v1/alerts").json()["rows"][0]
    assert text.splitlines()[:2] == ["1: missing or lost", f"https://stockpile.mod.example/alerts/{alert['alert_id']}"]
    for secret in ("TAJI", "KT", "pieces", alert["sentence"]):
        assert secret not in str(brief), secret
    assert "TAJI" in full.get_content()
    assert "ŕéþóřť" in full.get_content() or "[" in full.get_content()
    assert last(web)[0] == "delivered"
    assert web.get("USA", "/v1/alert-subscriptions").json()["rows"][0]["last_mail"] is None


def test_the_server_is_away_then_wants_it_later_then_takes_it(web: Web) -> None:
    """An alert that could not go out is tried again at ever longer distances, and comes once."""
    subscribed(web)
    lost(web, RIFLES[0])
    port = free_port()
    assert send(web, server(port)) == 0
    assert last(web) == ("put off", "The mail server does not answer (ConnectionRefusedError).")
    with inbox(port) as box:
        box.answers["DATA"] = "451 busy"
        assert send(web, server(port)) == 0  # too soon
        assert last(web)[1] == "The mail server does not answer (ConnectionRefusedError)."
        send(web, server(port), now() + timedelta(minutes=2))
        assert last(web) == ("put off", "The mail server wants it later (451).")
        del box.answers["DATA"]
        assert send(web, server(port), now() + timedelta(minutes=2)) == 0
        assert send(web, server(port), now() + timedelta(minutes=8)) == 1
        assert send(web, server(port), now() + timedelta(hours=8)) == 0
        assert len(box.came) == 1
    assert last(web) == ("delivered", None)


def test_nothing_is_sent_twice_even_where_the_end_is_unknown(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks after the text was handed over; the service dies while it sends: shown as unclear, and not sent again."""
    subscribed(web)
    with inbox() as box:
        box.answers["DATA"] = "breaks off"
        lost(web, RIFLES[0])
        assert send(web, server(box.port)) == 0
        assert last(web)[0] == "unclear"
        del box.answers["DATA"]
        lost(web, RIFLES[1])

        def dies(*given: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(mailing, "send", dies)
            with pytest.raises(KeyboardInterrupt):
                send(web, server(box.port))
        assert last(web)[0] == "tried"
        assert send(web, server(box.port), now() + timedelta(minutes=5)) == 0
        send(web, server(box.port), now() + timedelta(minutes=11))
        assert last(web) == ("unclear", "It was cut off while it was sent.")
        assert send(web, server(box.port), now() + timedelta(hours=3)) == 0
        assert len(box.came) == 1


def test_what_the_server_took_is_delivered_however_it_says_good_bye(web: Web) -> None:
    """It takes the e-mail and trips over the end of the conversation: the alert is not sent again."""
    subscribed(web)
    with inbox() as box:
        box.answers["QUIT"] = "421 Too busy to say good-bye"
        lost(web, RIFLES[0])
        assert send(web, server(box.port)) == 1
        assert last(web) == ("delivered", None)
        assert send(web, server(box.port), later(120)) == 0
        assert len(box.came) == 1


def test_a_wrong_password_is_shown_and_nothing_is_lost(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STARTTLS with a certificate of one's own authority. A wrong password is told on the page; once it is right the alert comes. A
    server whose certificate nobody vouches for gets nothing, and no password goes out in clear.
    """
    tls.make_certificates(tmp_path, ("127.0.0.1", "localhost"), "Ministry of Defence", now())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls" / "server.crt", tmp_path / "tls" / "server.key")
    tried: list[bytes] = []

    def may(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        tried.append(given.password)
        return AuthResult(success=given.password == b"right", handled=False)

    subscribed(web)
    lost(web, RIFLES[0])
    with inbox(tls_context=context, require_starttls=True, auth_required=True, authenticator=may) as box:
        signed_in = {"security": "starttls", "user": "stockpile", "host": "localhost"}
        send(web, server(box.port, **signed_in, password=SecretStr("right")))
        assert last(web)[1] == "The mail server's certificate is not believed: CERTIFICATE_VERIFY_FAILED."
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls" / "authority.crt"))
        send(web, server(box.port, **{**signed_in, "security": "none"}, password=SecretStr("right")), later(2))
        assert "never sent in clear" in (last(web)[1] or "")
        assert tried == []
        send(web, server(box.port, **signed_in, password=SecretStr("wrong")), later(10))
        what, words = last(web)
        assert (what, words) == ("put off", "The mail server does not take user and password (535): see the settings.")
        assert words is not None
        assert words in visit(web, "auditor", "/alerts/subscriptions").text
        assert send(web, server(box.port, **signed_in, password=SecretStr("right")), later(60)) == 1
        assert len(box.came) == 1
    assert tried[-1] == b"right"
    assert set(tried[:-1]) == {b"wrong"}

    lost(web, RIFLES[1])
    with inbox_of_tls(context) as box:
        assert send(web, server(box.port, host="localhost", security="tls"), later(60)) == 1
        assert len(box.came) == 1


def later(minutes: int) -> datetime:
    return now() + timedelta(minutes=minutes)


class Secret(Controller):
    """Speaks TLS from the first byte."""

    def _trigger_server(self) -> None:
        asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        asking.check_hostname, asking.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.port), 30) as plain, asking.wrap_socket(plain) as talking:
            talking.recv(1)


@contextmanager
def inbox_of_tls(context: ssl.SSLContext) -> Iterator[Inbox]:
    """A mail server that speaks TLS from the first byte."""
    box = Inbox(port=free_port())
    controller = Secret(box, hostname="127.0.0.1", port=box.port, ssl_context=context)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def test_many_alerts_come_in_few_e_mails(web: Web) -> None:
    """Losses all day: the more e-mails went, the longer the next waits, and the more it tells; never more than ten in a day, none lost."""
    subscribed(web)
    engine = web.country.engine
    with inbox() as box:
        for n in range(10):
            web.country.do("clerk", REPORT_MISSING, **STOLEN, lines=scans(RIFLES[n]))
            find_alerts(engine, whole=False)
            for minutes in (0, 1):
                queue(engine, later(n * 2 + minutes))
            send(web, server(box.port), later(n * 2 + 1))
        queue(engine, later(60 * 24))
        send(web, server(box.port), later(60 * 24))
        told = [
            line.split(":")[0]
            for one in box.came
            for line in one.get_content().splitlines()
            if "missing or lost" in line
        ]
        assert sorted(map(int, told)) == list(range(1, 11))
        assert len(box.came) < 6
        assert box.came[-1]["Subject"].endswith("alerts")
    assert len(WAITS) == 10


def test_who_may_come_in_no_more_is_told_no_more(web: Web) -> None:
    """A subscription ends with its maker's token, or by a registrar; what waits then is dropped. An address the server refuses is told."""
    with inbox() as box:
        refused = subscribed(web, "USA", address="gone@donor.example")
        box.answers["RCPT"] = "550 no such user"
        assert web.post("USA", f"/v1/alert-subscriptions/{refused}/test").status_code == 202
        send(web, server(box.port))
        assert last(web, "USA") == ("refused", "The mail server takes nothing for this address (550).")
        del box.answers["RCPT"]
        mine = subscribed(web)
        lost(web, RIFLES[0])
        rows = web.get("registrar", "/v1/alert-subscriptions", everybodys=True).json()["rows"]
        assert {row["address"] for row in rows} == {TO, "gone@donor.example"}
        assert web.post("registrar", f"/v1/alert-subscriptions/{mine}/end").status_code == 200
        assert send(web, server(box.port)) == 0
        assert last(web)[0] == "dropped"
        again = subscribed(web)
        with transaction(web.country.engine, roles.REGISTRAR) as connection:
            token = connection.exec_driver_sql("SELECT token_id FROM token WHERE role = 'auditor'").scalar_one()
            revoke_token(connection, token)
        lost(web, RIFLES[1])
        assert send(web, server(box.port)) == 0
        assert again
        assert box.came == []
        with transaction(web.country.engine, roles.REGISTRAR) as connection:
            forget_address(connection, web.country.parties["USA"].party_id)  # as an erasure does
        (row,) = web.get("USA", "/v1/alert-subscriptions").json()["rows"]
        assert (row["address"], row["state"]) == (None, "ended")


def test_what_is_wrong_with_a_subscription_is_said(web: Web) -> None:
    """No address, a header in it, a kind that is not theirs, the same again, another's: named, and the form keeps what was typed."""
    for wrong in ("nobody", "a@b.example\r\nBcc: x@y.example", "a b@c.example", "Ä@b.example", "<a@b.example>"):
        found = web.post("auditor", "/v1/alert-subscriptions", {"way": "e-mail", "address": wrong})
        assert found.status_code == 422, wrong
    problem(web.post("USA", "/v1/alert-subscriptions", {"way": "e-mail"}), 422, "invalid")
    count = {"way": "e-mail", "address": TO, "kinds": ["count overdue"]}
    assert problem(web.post("USA", "/v1/alert-subscriptions", count), 422, "invalid")["faults"][0]["field"] == "kinds"
    problem(web.post("clerk", "/v1/alert-subscriptions", {"way": "e-mail", "address": TO}), 403, "not-allowed")
    mine = subscribed(web)
    problem(web.post("auditor", "/v1/alert-subscriptions", {"way": "e-mail", "address": TO.upper()}), 409, "refused")
    for who in ("USA", "commander"):
        problem(web.post(who, f"/v1/alert-subscriptions/{mine}/end"), 404, "not-found")
        problem(web.post(who, f"/v1/alert-subscriptions/{mine}/test"), 404, "not-found")
    for _ in range(5):
        assert web.post("auditor", f"/v1/alert-subscriptions/{mine}/test").status_code == 202
    problem(web.post("auditor", f"/v1/alert-subscriptions/{mine}/test"), 409, "refused")
    form = web.client.post(
        "/alerts/subscriptions",
        data={"way": "e-mail", "address": "nobody", "kind": ["late"]},
        headers=web.headers("auditor"),
    )
    assert form.status_code == 422
    assert 'value="nobody"' in form.text
    assert "write an address like" in form.text
    look(web.country.engine, Settings(mail_host=""))  # without a mail server: nothing goes wrong, and all of it waits
    assert last(web)[0] == "waits"
