import csv
import io

from parcels.report import (
    csv_field,
    district_matrix,
    list_section,
    money_section,
    parcels_csv,
    pounds,
    text_table,
)


def test_pounds():
    amounts = {0: "0.00", 5: "0.05", 123_456: "1,234.56", -250: "-2.50"}
    assert {pence: pounds(pence) for pence in amounts} == amounts


def test_text_table():
    assert text_table(["Name", "n"], [["a", "1"], ["longer", "1000"]]) == (
        "Name       n\n------  ----\na          1\nlonger  1000\n"
    )


def test_text_table_without_rows():
    assert text_table(["A", "B"], []) == "A  B\n-  -\n"


def test_csv_field():
    fields = {"plain": "plain", 12: "12", "a,b": '"a,b"', 'a"b': '"a""b"', "a\nb": '"a\nb"'}
    fields |= {"=1+2": "'=1+2", "@x,y": '"\'@x,y"', "a=b": "a=b", "": ""}
    assert {value: csv_field(value) for value in fields} == fields


def test_parcels_csv_reads_back(make_parcel, make_address):
    address = make_address()
    address.name = 'Fox, "Ltd"'
    text = parcels_csv(
        [make_parcel("A", address=address), make_parcel("B", address=None), make_parcel("C")]
    )
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == "code service kg from to name postcode zone pence".split()
    assert rows[1][:5] == ["A", "standard", "1.500", "MAN1", "LEE1"]
    assert rows[1][5:] == ['Fox, "Ltd"', "LS6 2AB", "near", "390"]
    assert [row[0] for row in rows[2:]] == ["C"]
    assert text.endswith("\n")


def test_parcels_csv_of_nothing():
    assert parcels_csv([]) == "code,service,kg,from,to,name,postcode,zone,pence\n"


def test_district_matrix(make_parcel, make_address):
    york = make_address(postcode="YO1 7AA")
    parcels = [make_parcel("A", service="signed", address=york), make_parcel("B"), make_parcel("C")]
    parcels.append(make_parcel("D", service="express", address=None))
    assert district_matrix(parcels).splitlines() == [
        "District  signed  standard",
        "--------  ------  --------",
        "LS6            0         2",
        "YO1            1         0",
    ]


def test_money_section():
    assert money_section("Takings", {"signed": 500, "economy": 75}).splitlines() == [
        "Takings",
        "          GBP",
        "-------  ----",
        "economy  0.75",
        "signed   5.00",
        "total    5.75",
    ]


def test_list_section():
    assert list_section("Late", ["a", "b", "c"], limit=2) == "Late: 3\n  a\n  b\n  ... and 1 more\n"
    assert list_section("Late", []) == "Late: 0\n"
