"""The station's page, and the printed codes that press its keys."""

from __future__ import annotations

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from api.pages.station import COMMANDS, bars
from stockpile.identity import read_asset_tag
from tests.api_world import Web, problem, served

web = pytest.fixture(served)


def test_the_page_is_for_a_desk(web: Web) -> None:
    """A clerk, an armourer and a commander get it; an auditor is told why not; it holds no figure."""
    for who in ("clerk", "armourer", "commander"):
        answer = web.get(who, "/station")
        assert answer.status_code == 200
        assert "AKM" not in answer.text
    for path in ("/station", "/station/commands"):
        assert web.get("auditor", path).status_code == 403
    problem(web.client.get("/station", headers={"Accept": "application/json"}), 401, "not-signed-in")


def test_each_printed_code_is_read_back_and_is_no_tag() -> None:
    """Drawn at 203 dpi and read again; none of them can be taken for a weapon's tag."""
    for command in COMMANDS:
        path, width = bars(command.code)
        picture = Image.new("L", (3 * width, 80), 255)
        pen = ImageDraw.Draw(picture)
        for bar in path.split("M")[1:]:
            left = 3 * int(bar.split(" ")[0])
            pen.rectangle((left, 0, left + 2, 79), fill=0)
        (read,) = zxingcpp.read_barcodes(picture)
        assert read.text == command.code
        assert read_asset_tag(command.code) is None
