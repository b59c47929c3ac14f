"""The texts of our scripts in a language: `{"Issued": "..."}`, for `say` in `static/station/words.js`. Holds nothing of anybody's."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import answer
from api.words import PSEUDO, TERMS, languages, script_texts
from stockpile.errors import NotFound
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

KEPT = "max-age=300"
"""For as long as a browser does not ask again."""


@router.get("/words/{language}.json")
def words(language: str) -> Response:
    """Every text that a script says, and the words of the books among them. English is the source: its texts say themselves."""
    known = languages() | PSEUDO
    if language not in known:
        raise NotFound(
            sentence(
                "There are no words in {language!r}; there are {languages}.",
                language=language,
                languages=", ".join(languages()),
            )
        )
    response = answer(_texts(language))
    response.headers["Cache-Control"] = KEPT
    return response


@cache
def _texts(tag: str) -> dict[str, str]:
    texts = (languages() | PSEUDO)[tag].texts
    return {text: texts.gettext(text) for text in (*script_texts(), *map(str, TERMS))}
