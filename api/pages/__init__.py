"""Pages for people: server-rendered, nothing from elsewhere; every word goes through gettext."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi.templating import Jinja2Templates
from markupsafe import Markup, escape

from api.pages.visitor import in_frame


def prose(text: str) -> Markup:
    """A sentence of ours with what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped first


def on_the_wall(moment: datetime, time_zone: str | None = None) -> str:
    """A moment as the clock of a site shows it, with the zone where it is none's."""
    if time_zone is None:
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}Z"
    return f"{moment.astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M}"


templates = Jinja2Templates(directory=Path(__file__).parent.parent / "templates", context_processors=[in_frame])
templates.env.filters["on_the_wall"] = on_the_wall
templates.env.filters["prose"] = prose
templates.env.add_extension("jinja2.ext.i18n")
templates.env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
