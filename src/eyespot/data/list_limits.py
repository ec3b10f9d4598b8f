"""How much of a list of pictures is read, so that a small file cannot fill the memory. Each picture has its own.

A limit is far above what people have: who meets one has a damaged file, or one that was made to do harm.
"""

from __future__ import annotations

from eyespot.errors import DataError

MOST_BYTES = 2**31
"""Pictures that are held in memory: of IDX and Parquet files, in all."""
ALWAYS_UNFOLDED = 128 * 2**20
"""Bytes that packed files may unfold to, whatever their size."""
MOST_UNFOLDED = 8
"""Bytes that a byte on disk may unfold to beyond that: encoded pictures hardly shrink, MNIST's pixels five times."""
LONGEST_LINE = 2**20
"""Letters of a table's line, and of a row of several lines."""
MOST_COLUMNS = 2000
"""Of a table or a Parquet file, nested ones counted."""
MOST_LEVELS = 16
"""Columns in columns of a Parquet file."""
MOST_UNUSED = 50_000
"""Rows of a table that name nothing new: no picture that is there, or one that stood before."""
MOST_LOOKED_AT = 1_000_000
"""Rows that are looked at to learn whether a list says several labels of a picture."""
MOST_ABSENT = 20_000_000
"""Cells of a table that the lines of JSON leave out: each line is as wide as all keys before it."""
MOST_ROWS, ROW_ON_DISK = 100_000, 32
"""Rows of a Parquet file, and bytes on disk that allow one more."""
AT_A_TIME = 32 * 2**20
"""Bytes of a Parquet file that are unfolded at a time, where a single row has no more."""
MOST_PAGES = 50_000
"""Pages in the columns of a Parquet file that are read."""
MOST_FOOTER = 4 * 2**20
"""Bytes in which a Parquet file says what is in it."""
MOST_JSON = 2**26
"""Bytes of a COCO file: Python takes up to 25 times as many for what is in it."""
MOST_ANNOTATION = 2**22
"""Bytes of a file with the boxes of one picture, or with the classes' names: a thousand boxes take 300,000 in XML."""
MOST_XML_LEVELS = 32
"""Elements in elements."""


def require_unfolds(what: str, unfolded: int, *, on_disk: int) -> None:
    """Raises DataError where what is packed comes to more than is read of it.

    what: begins the sentence: the file's name.
    unfolded, on_disk: bytes.
    """
    most = min(MOST_BYTES, max(ALWAYS_UNFOLDED, MOST_UNFOLDED * on_disk))
    if unfolded > most:
        raise DataError(
            f"{what} unfolds from {on_disk} bytes on disk to {unfolded} or more, and at most {most} are read: write "
            "the pictures as files in class folders"
        )
