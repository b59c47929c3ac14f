"""Pages for people: server-rendered, no script, nothing from elsewhere."""

from pathlib import Path

from fastapi.templating import Jinja2Templates

templates = Jinja2Templates(directory=Path(__file__).parent.parent / "templates")
