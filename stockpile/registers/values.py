"""Quantities and dates as people write them in lists, in digits of any script.

What could mean two things is a fault with its remedy, never a guess.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from functools import lru_cache

from stockpile.errors import Invalid
from stockpile.sentences import sentence

MOST = 10_000_000
"""No line of a real list counts more; a greater number is a serial number in the wrong column."""


class DateOrder(StrEnum):
    """Which comes first in a date written 03/04/2005."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


GROUPED = re.compile(r"\d{1,3}(?:[ \xa0\u2009\u202f]\d{3})+")
ZERO_DECIMALS = re.compile(r"(\d+)[.,]0{1,2}")


@lru_cache(maxsize=1024)
def quantity(text: str) -> int | None:
    """A whole number from 0 to ten million; None for a blank.

    Raises:
        Invalid: anything else; "1,200" too, which is 1200 to one reader and 1.2 to another.
    """
    if text.isdecimal() and len(text) <= 8:
        number = int(text)
    elif not text:
        return None
    elif GROUPED.fullmatch(text):
        number = int("".join(text.split()))
    elif decimals := ZERO_DECIMALS.fullmatch(text):
        number = int(decimals[1])
    elif text.isdecimal():
        number = MOST + 1
    elif text.startswith(("-", "−")):
        raise Invalid(sentence("{text} is negative; a quantity is 0 or more.", text=text))
    else:
        raise Invalid(sentence("“{text}” is not a whole number; write it in digits alone, such as 1200.", text=text))
    if number > MOST:
        raise Invalid(sentence("{text} is more than {most:,}; perhaps it is a serial number.", text=text, most=MOST))
    return number


YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T ][\d:.]+(?:Z|[+-][\d:]+)?)?")
YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?: [\d:.]+)?")


@lru_cache(maxsize=1024)
def day(text: str, order: DateOrder | None = None) -> date | None:
    """A date: 2005-03-12, 12.03.2005, or 12/03/2005 in the order given; None for a blank.

    Raises:
        Invalid: no date, or one that could be two days while no order is given.
    """
    if not text:
        return None
    if found := YEAR_FIRST.fullmatch(text):
        return calendar_day(int(found[1]), int(found[3]), int(found[4]), text)
    found = YEAR_LAST.fullmatch(text)
    if not found:
        raise Invalid(sentence("“{text}” is not a date we can read; write it as 2005-03-12.", text=text))
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    if found[2] == "." or order is DateOrder.DAY_FIRST or first == second:
        return calendar_day(year, second, first, text)
    if order is DateOrder.MONTH_FIRST:
        return calendar_day(year, first, second, text)
    if first > 12 or second > 12:
        return calendar_day(year, min(first, second), max(first, second), text)
    raise Invalid(
        sentence(
            "{text} can be read as two days; say in the mapping whether day or month comes first, or "
            "write it as 2005-03-12.",
            text=text,
        )
    )


def calendar_day(year: int, month: int, number: int, text: str) -> date:
    try:
        found = date(year, month, number)
    except ValueError:
        raise Invalid(sentence("There is no day {text}; write it as 2005-03-12.", text=text)) from None
    if not 1900 <= year <= 2100:
        raise Invalid(
            sentence(
                "{text} is in the year {year}; give it in the common calendar, as 2005-03-12.", text=text, year=year
            )
        )
    return found
