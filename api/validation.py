"""What validation (Pydantic) finds in a request, in a user's words and language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stockpile.sentences import Sentence, sentence, template, within

WORDS: Mapping[str, str] = {
    "missing": template("is missing"),
    "extra_forbidden": template("there is no such field"),
    "string_too_short": template("string should have at least {min_length} character{expected_plural}"),
    "string_too_long": template("string should have at most {max_length} character{expected_plural}"),
    "string_pattern_mismatch": template("string should match pattern '{pattern}'"),
    "string_type": template("input should be a valid string"),
    "too_short": template(
        "{field_type} should have at least {min_length} item{expected_plural} after validation, not {actual_length}"
    ),
    "too_long": template(
        "{field_type} should have at most {max_length} item{expected_plural} after validation, not {actual_length}"
    ),
    "greater_than": template("input should be greater than {gt}"),
    "greater_than_equal": template("input should be greater than or equal to {ge}"),
    "less_than": template("input should be less than {lt}"),
    "less_than_equal": template("input should be less than or equal to {le}"),
    "int_type": template("input should be a valid integer"),
    "int_parsing": template("input should be a valid integer, unable to parse string as an integer"),
    "int_from_float": template("input should be a valid integer, got a number with a fractional part"),
    "float_parsing": template("input should be a valid number, unable to parse string as a number"),
    "bool_type": template("input should be a valid boolean"),
    "bool_parsing": template("input should be a valid boolean, unable to interpret input"),
    "date_parsing": template("input should be a valid date in the format YYYY-MM-DD, {error}"),
    "date_from_datetime_parsing": template("input should be a valid date or datetime, {error}"),
    "datetime_parsing": template("input should be a valid datetime, {error}"),
    "datetime_from_date_parsing": template("input should be a valid datetime or date, {error}"),
    "timezone_aware": template("input should have timezone info"),
    "uuid_parsing": template("input should be a valid UUID, {error}"),
    "enum": template("input should be {expected}"),
    "literal_error": template("input should be {expected}"),
    "list_type": template("input should be a valid list"),
    "tuple_type": template("input should be a valid tuple"),
    "dict_type": template("input should be a valid dictionary"),
    "model_attributes_type": template("input should be a valid dictionary or object to extract fields from"),
    "decimal_parsing": template("input should be a valid decimal"),
}
"""Pydantic's type of an error -> what is said of it: its own words, begun small, but for the first two."""
OURS = frozenset({"missing", "extra_forbidden"})
NUMBERS = ("min_length", "max_length")


def said_of(found: Mapping[str, Any]) -> str:
    """What one error of a validation says: the sentence of a check of ours, else Pydantic's."""
    values = dict(found.get("ctx") or {})
    error = values.get("error")
    if isinstance(error, Exception) and error.args and isinstance(error.args[0], Sentence):
        return within(error.args[0])
    message = within(re.sub("^(Value error|Assertion failed), ", "", found["msg"]))
    if found["type"] in OURS:
        return sentence(WORDS[found["type"]])
    if found["type"] not in WORDS:
        return message
    number = next((values[name] for name in NUMBERS if name in values), None)
    said = Sentence(WORDS[found["type"]], {**values, "expected_plural": "" if number == 1 else "s"})
    return said if said == message else message
