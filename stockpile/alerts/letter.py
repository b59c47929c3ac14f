"""What an e-mail of alerts says. Unless its reader asked for full text it tells the kind, the number and a link: no site, no weapon, no
amount, since e-mail is read on its way. Plain text alone.
"""

from __future__ import annotations

from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from stockpile.alerts.mailing import Letter, Told
from stockpile.documents import now
from stockpile.sentences import Say, Sentence, sentence

Tell = Callable[[Sentence], str]

SHOWN = 50
"""Alerts that one e-mail tells; of more it says how many there are."""


def message_of(letter: Letter, sender: str, address: str, say: Say) -> EmailMessage:
    """The message. `address`: under which people reach the service; empty: no links."""

    def told(text: Sentence) -> str:
        return text.told(say, format)

    message = EmailMessage(policy=SMTP)
    message["From"] = Address("Stockpile", addr_spec=sender)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = _subject(letter, told)
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{letter.mail_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content("\n".join(_lines(letter, address, say, told)) + "\n")
    return message


def _subject(letter: Letter, told: Tell) -> str:
    if not letter.alerts:
        return told(sentence("Stockpile: a test"))
    if len(letter.alerts) == 1:
        return told(sentence("Stockpile: alert {number}", number=letter.alerts[0].number))
    return told(sentence("Stockpile: {number} alerts", number=len(letter.alerts)))


def _lines(letter: Letter, address: str, say: Say, told: Tell) -> list[str]:
    if not letter.alerts:
        return [told(sentence("This is a test. Alerts of Stockpile will come to this address."))]
    lines = []
    for one in letter.alerts[:SHOWN]:
        lines += [
            *_alert(one, letter.full_text, say, told),
            *([f"{address}/alerts/{one.alert_id}"] if address else []),
            "",
        ]
    more = len(letter.alerts) - SHOWN
    if more > 0:
        lines += [told(sentence("And {number} more: see the page of alerts.", number=more)), ""]
    return [*lines, told(sentence("Sent because you subscribed. On the page of alerts you can end it."))]


def _alert(one: Told, full_text: bool, say: Say, told: Tell) -> list[str]:
    lines = [f"{one.number}: {say(one.kind)}"]
    return [*lines, told(one.sentence)] if full_text else lines
