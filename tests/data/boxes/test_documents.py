"""Files that were made to do harm, or are no texts: refused in a phrase, with nothing expanded or fetched."""

from __future__ import annotations

import time

import pytest

from eyespot.data.boxes.documents import Unusable, read_json, read_text, read_xml
from eyespot.data.list_limits import MOST_ANNOTATION, MOST_JSON

LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
BILLION_LAUGHS = f'<!DOCTYPE a [<!ENTITY a0 "ha">{LAUGHS}]><annotation>&a9;</annotation>'
FETCHED = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><annotation>&b;</annotation>'
OTHER_DTD = '<!DOCTYPE annotation SYSTEM "http://localhost/a.dtd"><annotation/>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("written", [BILLION_LAUGHS, FETCHED, OTHER_DTD], ids=["laughs", "file", "dtd"])
def test_xml_that_declares_entities_is_refused_at_once(tmp_path, written, encoding):
    path = tmp_path / "a.xml"
    path.write_bytes(written.encode(encoding))
    began = time.perf_counter()
    with pytest.raises(Unusable, match="declares a document type"):
        read_xml(path)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"", "is not XML"),
        (b"<a>&b;</a>", "is not XML"),
        (b"<a></b>", "is not XML"),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "is not XML"),
        (b"<a>\xff</a>", "is not XML"),
        (b"<a>" * 100_000, "has elements in more than 32 others"),
    ],
)
def test_xml_that_is_none_is_refused(tmp_path, written, said):
    (tmp_path / "a.xml").write_bytes(written)
    with pytest.raises(Unusable, match=said):
        read_xml(tmp_path / "a.xml")


def test_xml_of_usual_encodings_is_read(tmp_path):
    for encoding in ("utf-8", "utf-16", "iso-8859-1"):
        written = f'<?xml version="1.0" encoding="{encoding}"?><a b="1"><c> \u00e9 </c></a>'
        (tmp_path / "a.xml").write_bytes(written.encode(encoding))
        root = read_xml(tmp_path / "a.xml")
        assert (root.tag, root.get("b"), root.findtext("c")) == ("a", "1", " \u00e9 ")


@pytest.mark.parametrize(
    ("read", "most"), [(read_xml, MOST_ANNOTATION), (read_text, MOST_ANNOTATION), (read_json, MOST_JSON)]
)
def test_long_files_are_refused_unread(tmp_path, read, most):
    with (tmp_path / "a").open("wb") as file:
        file.truncate(most + 1)
    with pytest.raises(Unusable, match=f"has more than the {most // 2**20} MB"):
        read(tmp_path / "a")


def test_what_is_no_file_is_said(tmp_path):
    for read in (read_xml, read_text, read_json):
        with pytest.raises(Unusable, match=r"cannot be read: (Is a directory|Permission denied)"):
            read(tmp_path)
