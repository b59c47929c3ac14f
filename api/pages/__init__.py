"""Pages for people: server-rendered, nothing from elsewhere; every word goes through gettext.

`templates.TemplateResponse(request, "some.html", {...})` gives a page all that the frame shows: who asks, navigation,
language, and from when it is. Times are those of the wall of who asks; times without a wall are in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from fastapi import Request
from fastapi.templating import Jinja2Templates
from markupsafe import Markup, escape
from starlette.responses import Response

from api.asked_language import COOKIE, asked_language
from api.pages.navigation import areas_of
from api.pages.visitor import in_frame
from api.words import N_, Viewer, languages, say, say_several, told, viewer
from stockpile.rights import READING_ONLY, RIGHTS, Actor
from stockpile.sentences import Sentence
from stockpile.writing_direction import with_number_behind

COOKIE_AGE = 365 * 24 * 3600


def prose(text: str) -> Markup:
    """A sentence of ours with what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped first


def term(word: object) -> str:
    """A word of the field as the books have it, or a sentence, in the viewer's language."""
    return told(word) if isinstance(word, Sentence) else say(str(word).replace("_", " ")) if word else ""


def person(name: str) -> Markup:
    """A person's rank, name and number: the number stays on one line."""
    before, bracket, code = name.rpartition(" (")
    return Markup('{} <bdi class="whole">({}</bdi>').format(before, code) if bracket else Markup(escape(name))  # noqa: S704


def number_behind(text: object) -> object:
    """A text of the books with its number behind the name; what is no plain text as it is. For what is shown, never for a field."""
    return with_number_behind(text) if type(text) is str else text


def moment(when: datetime, seconds: bool = False) -> Markup:
    """A moment as the viewer's wall shows it; exactly, and in UTC, for machines."""
    seen = viewer.get()
    pattern = "d MMM y HH:mm:ss" if seconds else "d MMM y HH:mm"
    text = format_datetime(when, pattern, tzinfo=seen.zone, locale=seen.language.locale)
    return Markup('<time datetime="{}">{}</time>').format(when.astimezone(UTC).isoformat(timespec="seconds"), text)


def day(when: date) -> Markup:
    """A day."""
    locale = viewer.get().language.locale
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(), format_date(when, "d MMM y", locale=locale))


def short_day(when: datetime) -> str:
    """A moment's day, without more: for the edge of a picture."""
    seen = viewer.get()
    return format_datetime(when, "d MMM yy", tzinfo=seen.zone, locale=seen.language.locale)


def number(value: int | float | Decimal) -> str:
    """A number as it is written where the viewer lives."""
    return format_decimal(value, locale=viewer.get().language.locale)


def address(path: str, **query: object) -> str:
    """A link with what is asked; what is None or empty is left out."""
    asked = [(name, value) for name, value in query.items() if value not in (None, "")]
    return f"{path}?{urlencode(asked, doseq=True)}" if asked else path


def may(actor: Actor | None, right: str) -> bool:
    """Whether a page shows the way to something: the thing itself asks again."""
    return actor is not None and actor.role in RIGHTS[right] and (not actor.reads_only or right in READING_ONLY)


def leads(link: str | None) -> bool:
    """Whether a link leads who looks at the page somewhere: to a form only who writes at all."""
    return bool(link) and (viewer.get().writes or not any(form in str(link) for form in ("/new", "/change")))


def asker(request: Request) -> Actor | None:
    """Who is signed in, if anybody is."""
    return getattr(request.state, "actor", None)


def with_language(request: Request, tag: str) -> str:
    """The same page in another language."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != COOKIE]
    path = "/" + request.url.path.lstrip("/")  # what begins with two is a link to elsewhere
    return f"{path}?{urlencode([*kept, (COOKIE, tag)])}"


def _frame(request: Request) -> dict[str, Any]:
    """What the frame shows, and for whom the page is written from here on."""
    actor = asker(request)
    language = asked_language(request.scope)
    zone = ZoneInfo(actor.time_zone) if actor and actor.time_zone else ZoneInfo("UTC")
    viewer.set(Viewer(language, zone, writes=actor is None or not actor.reads_only))
    return {
        "version": request.app.version,
        "actor": actor,
        "language": language,
        "languages": [(other, with_language(request, other.tag)) for other in languages().values()],
        "zone": zone.key,
        "read_at": datetime.now(UTC),
        "areas": areas_of(actor) if actor else (),
        "path": request.url.path,
    }


class _Pages(Jinja2Templates):
    """Templates whose answers keep a language that was asked for, and are kept by nobody where somebody is signed in."""

    def TemplateResponse(self, request: Request, name: str, *given: Any, **more: Any) -> Any:
        """A page."""
        response: Response = super().TemplateResponse(request, name, *given, **more)
        response.headers["Content-Language"] = viewer.get().language.tag
        if asker(request) is not None and "cache-control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        if request.query_params.get(COOKIE):
            tag = viewer.get().language.tag
            secure = request.url.scheme == "https"
            response.set_cookie(COOKIE, tag, COOKIE_AGE, samesite="lax", httponly=True, secure=secure)
        return response


templates = _Pages(directory=Path(__file__).parent.parent / "templates", context_processors=[_frame, in_frame])
templates.env.filters |= {
    "prose": prose,
    "term": term,
    "person": person,
    "number_behind": number_behind,
    "moment": moment,
    "day": day,
    "short_day": short_day,
    "number": number,
}
templates.env.finalize = told
templates.env.globals |= {"address": address, "may": may, "leads": leads, "N_": N_}
templates.env.add_extension("jinja2.ext.i18n")
templates.env.install_gettext_callables(say, say_several, newstyle=True)  # type: ignore[attr-defined]
