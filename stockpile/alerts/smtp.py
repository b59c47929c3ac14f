"""One e-mail to any mail server (RFC 5321), with TLS (RFC 8314) or STARTTLS (RFC 3207). A password is never sent in clear, and stands in no
error. What came of it is one of four: it was taken; the server wants it later; it refuses it for good; nobody knows.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage

from pydantic import SecretStr

from stockpile.errors import StockpileError
from stockpile.sentences import sentence

PATIENCE = 20.0
"""Seconds for each step of the conversation."""


class PutOff(StockpileError):
    """It did not go out, and is tried again."""


class Rejected(StockpileError):
    """The server takes no e-mail for this address."""


class Unclear(StockpileError):
    """The connection broke after the text was handed over: it may have gone out."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server, and as whom it is spoken to. `security`: tls, starttls or none."""

    host: str
    port: int
    security: str
    user: str
    password: SecretStr
    sender: str


def send(server: MailServer, message: EmailMessage, to: str) -> None:
    """Hands an e-mail to the server. Raises PutOff, Rejected, Unclear."""
    handed_over = taken = False
    try:
        with _connected(server) as smtp:
            _answered(*smtp.mail(server.sender))
            code, _ = smtp.rcpt(to)
            if 500 <= code < 600:
                raise Rejected(sentence("The mail server takes nothing for this address ({code}).", code=code))
            _answered(code, b"")
            text = message.as_bytes()
            handed_over = True
            code, _ = smtp.data(text)
            handed_over = False
            if 500 <= code < 600:
                raise Rejected(sentence("The mail server refuses this e-mail ({code}).", code=code))
            _answered(code, b"")
            taken = True
    except StockpileError:
        raise
    except smtplib.SMTPDataError as problem:  # it refused before the text was sent
        raise PutOff(_later(problem.smtp_code)) from None
    except smtplib.SMTPAuthenticationError as problem:
        raise PutOff(
            sentence(
                "The mail server does not take user and password ({code}): see the settings.", code=problem.smtp_code
            )
        ) from None
    except ssl.SSLError as problem:
        raise PutOff(
            sentence("The mail server's certificate is not believed: {why}.", why=problem.reason or "TLS")
        ) from None
    except (smtplib.SMTPException, OSError, ValueError) as problem:
        if taken:
            return  # however it said good-bye
        if handed_over:
            raise Unclear(sentence("The connection broke while the mail server took it.")) from None
        raise PutOff(sentence("The mail server does not answer ({why}).", why=type(problem).__name__)) from None


def _connected(server: MailServer) -> smtplib.SMTP:
    """The conversation begun, in secret where it is to be, and signed in."""
    trusting = ssl.create_default_context()
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE, context=trusting)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=PATIENCE)
    try:
        if server.security == "starttls":
            if not smtp.has_extn("starttls") and not (smtp.ehlo() and smtp.has_extn("starttls")):
                raise PutOff(sentence("The mail server knows no STARTTLS: see STOCKPILE_MAIL_SECURITY."))
            smtp.starttls(context=trusting)
        smtp.ehlo_or_helo_if_needed()
        if server.user:
            if server.security == "none":
                raise PutOff(sentence("A password is never sent in clear: see STOCKPILE_MAIL_SECURITY."))
            smtp.login(server.user, server.password.get_secret_value())
    except BaseException:
        smtp.close()
        raise
    return smtp


def _answered(code: int, text: bytes) -> None:
    """Raises PutOff unless the server agreed."""
    if not 200 <= code < 300:
        raise PutOff(_later(code))


def _later(code: int) -> str:
    return sentence("The mail server wants it later ({code}).", code=code)
