"""The address book: reading it, tidying it and finding the parcels' addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable

from parcels.models import Address, AddressError, Parcel


def tidy_postcode(text: str) -> str:
    """Return a postcode in capitals with one space: ``ls62ab`` is ``LS6 2AB``."""
    compact = re.sub(r"[^A-Za-z0-9]", "", text).upper()
    match = re.match(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})$", compact)
    if match is None:
        raise AddressError(f"bad postcode {text!r}")
    return f"{match[1]} {match[2]}"


def area_of(postcode: str) -> str:
    """Return the letters a postcode starts with."""
    area = ""
    for char in postcode:
        if not char.isalpha():
            break
        area += char
    return area


def district_of(postcode: str) -> str:
    """Return the part of a postcode before the space."""
    return postcode.partition(" ")[0]


def tidy_street(text: str) -> str:
    """Spell out the usual abbreviations and capitalise the words."""
    text = re.sub(r"\s+", " ", text.strip())
    text = re.sub(r"\bst\b\.?$", "Street", text, flags=re.IGNORECASE)
    text = re.sub(r"\brd\b\.?", "Road", text, flags=re.IGNORECASE)
    text = re.sub(r"\bave?\b\.?", "Avenue", text, flags=re.IGNORECASE)
    text = re.sub(r"^(flat|apt|unit)\b\.?\s*(\w+),?", r"Flat \2,", text, flags=re.IGNORECASE)
    words = []
    for word in text.split(" "):
        words.append(word[:1].upper() + word[1:])
    return " ".join(words)


def parse_book(text: str) -> list[Address]:
    """Parse ``id;name;street;postcode;depot`` lines."""
    book: list[Address] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split(";")]
        if len(parts) != 5:
            raise AddressError(f"address book line {number}: {len(parts)} fields, not 5")
        ident, name, street, postcode, depot = parts
        book.append(Address(ident, name, tidy_street(street), tidy_postcode(postcode), depot))
    return book


def merge_books(books: Iterable[list[Address]]) -> list[Address]:
    """Join address books, keeping the first of entries that are equal."""
    merged: list[Address] = []
    for book in books:
        for address in book:
            if address not in merged:
                merged.append(address)
    return merged


def attach_addresses(parcels: Iterable[Parcel], book: list[Address]) -> list[Parcel]:
    """Give each parcel its address; return the parcels that have one."""
    matched: list[Parcel] = []
    for parcel in parcels:
        for address in book:
            if address.ident == parcel.address_id:
                parcel.address = address
                matched.append(parcel)
                break
    return matched
