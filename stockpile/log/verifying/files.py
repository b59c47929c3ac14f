"""The files that documents, notes and registers name: each is there and has its SHA-256, unless an order erased it."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile.log.verifying.books import Books, Check, Wrong
from stockpile.reports.file_check import NAMED, check_files


def _files(books: Books) -> Iterator[Wrong]:
    found = check_files(books.connection, books.store)
    for digest, named_by, _ in found.missing:
        yield Wrong(f"{named_by}: file {digest}", "it is missing among the stored files")
    for digest, named_by, _ in found.altered:
        yield Wrong(f"{named_by}: file {digest}", "what is stored under its SHA-256 has another, or can't be read")
    for digest in found.come_back:
        yield Wrong(f"erased file {digest}", "it was erased by order, and is there again")


CHECKS = (Check("files", NAMED, _files),)
