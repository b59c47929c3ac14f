"""Pages for people: server-rendered, nothing from elsewhere; every word goes through gettext."""

import re
from pathlib import Path

from fastapi.templating import Jinja2Templates
from markupsafe import Markup, escape


def prose(text: str) -> Markup:
    """A sentence of ours with what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped first


templates = Jinja2Templates(directory=Path(__file__).parent.parent / "templates")
templates.env.filters["prose"] = prose
templates.env.add_extension("jinja2.ext.i18n")
templates.env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
