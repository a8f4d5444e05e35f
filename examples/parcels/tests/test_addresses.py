import pytest

from parcels.addresses import (
    area_of,
    attach_addresses,
    district_of,
    merge_books,
    parse_book,
    tidy_postcode,
    tidy_street,
)
from parcels.models import AddressError


def test_tidy_postcode():
    texts = ["ls62ab", " M1  1aa ", "ec1a-1bb", "W1A.0AX"]
    assert [tidy_postcode(t) for t in texts] == ["LS6 2AB", "M1 1AA", "EC1A 1BB", "W1A 0AX"]


def test_bad_postcode():
    for text in ("", "LS6", "12345", "LS6 2ABC", "6LS 2AB"):
        with pytest.raises(AddressError):
            tidy_postcode(text)


def test_area_and_district():
    assert [area_of(p) for p in ("LS6 2AB", "M1 1AA", "12", "")] == ["LS", "M", "", ""]
    assert district_of("EC1A 1BB") == "EC1A"


def test_tidy_street():
    streets = {
        " 12  high   st. ": "12 High Street",
        "st mary rd": "St Mary Road",
        "3 Park Av": "3 Park Avenue",
        "3 park AVE.": "3 Park Avenue",
        "apt. 4b 7 mill RD": "Flat 4b, 7 Mill Road",
        "unit 9, the green": "Flat 9, The Green",
        "8 strand": "8 Strand",
    }
    assert {text: tidy_street(text) for text in streets} == streets


def test_parse_book():
    book = parse_book("K1;Ann Fox; 2 low rd;ls62ab;LEE1\n\nK2;Bo;1 a st;M11AA;MAN1\n")
    assert [(a.ident, a.street, a.postcode, a.depot) for a in book] == [
        ("K1", "2 Low Road", "LS6 2AB", "LEE1"),
        ("K2", "1 A Street", "M1 1AA", "MAN1"),
    ]


def test_parse_book_names_the_line():
    with pytest.raises(AddressError, match="line 2"):
        parse_book("\nK1;Ann;street;LS6 2AB\n")


def test_merge_books_keeps_order_and_differences(make_address):
    one, same, other = make_address("K9"), make_address("K9"), make_address("K1")
    moved = make_address("K9", depot="YOR1")
    merged = merge_books([[one, other], [same, moved], [other]])
    assert merged == [one, other, moved]
    assert merged[0] is one


def test_attach_addresses(make_parcel, make_address):
    book = [make_address("K1"), make_address("K2"), make_address("K1", depot="YOR1")]
    parcels = [
        make_parcel(c, address=None, address_id=i)
        for c, i in [("A", "K2"), ("B", "K3"), ("C", "K1")]
    ]
    matched = attach_addresses(iter(parcels), book)
    assert [p.code for p in matched] == ["A", "C"]
    assert matched[1].address is book[0]
    assert parcels[1].address is None
