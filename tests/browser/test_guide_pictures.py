"""Pictures for the guides, taken of a country in which something happened: into the folder that STOCKPILE_PICTURES names, else nowhere
that stays.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.browser.conftest import Visitors
from tests.browser.test_pages import DESK
from tests.busy_country import make_busy
from tests.counts import closed, opened, read
from tests.world import RIFLES


def test_each_guide_has_its_pictures(visitors: Visitors, tmp_path: Path) -> None:
    """Named after the guide, in its order."""
    web = visitors.web
    busy = make_busy(web)
    count = opened(web.country)
    read(web.country, count, *RIFLES[7:9])
    closed(web.country, count)
    model = web.get("clerk", "/v1/models", text="AKM").json()["rows"][0]["model_id"]
    pages = {
        "clerk": ("/", f"/weapons/{busy.weapon(web, RIFLES[1])}", "/counts/new", f"/loss-reports/new?item={busy.weapon(web, RIFLES[8])}"),
        "armourer": ("/weapon-cards", f"/counts/{count}", "/counts/findings?count=TAJI/COUNT/1&kind=missing"),
        "commander": ("/", f"/drafts/{busy.draft.document_id}", "/counts/due", "/sites/TAJI"),
        "auditor": ("/reports", "/reports/balance?by=donor", "/discrepancies", "/registers"),
        "USA": ("/", f"/weapons/{busy.weapon(web, 'UA 1')}", "/reports/balance", "/log"),
        "registrar": ("/rosters/new", "/signature-cards", f"/models/{model}", "/aliases"),
    }  # fmt: skip
    folder = Path(os.environ.get("STOCKPILE_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    for who, paths in pages.items():
        page = visitors.context(who, color_scheme="light", viewport=DESK).new_page()
        for number, path in enumerate(paths, 1):
            page.goto(path)
            picture = folder / f"guide-{who}-{number}.png"
            page.screenshot(path=picture, full_page=True)
            assert picture.stat().st_size > 10_000, path
