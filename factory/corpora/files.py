"""The files that a path names, and how each is opened and read: by its name, and by what a recipe says of it."""

import codecs
import glob
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import pyarrow as pa

from factory.corpora.csv_rows import read_csv
from factory.corpora.json_rows import read_json, read_lines
from factory.corpora.parquet_rows import read_parquet
from factory.corpora.rows import Numbered

FORMATS = (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv")
COMPRESSED = (".gz", ".zst")
"""What may follow the other formats; Parquet is compressed inside."""

MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, which begins alike
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

READABLE = f"{', '.join(FORMATS)}, all but Parquet also with {' or '.join(COMPRESSED)}"


@dataclass(frozen=True)
class Layout:
    """What a file's name does not say.

    Args:
        encoding: of all but Parquet; None: UTF-8.
        delimiter: between two fields of CSV; None: a comma, in TSV a tab.
        quote: around a field of CSV; empty: none.
    """

    encoding: str | None = None
    delimiter: str | None = None
    quote: str = '"'


@dataclass(frozen=True)
class File:
    """A file, and how messages and records call it: by its path below what the recipe names."""

    path: Path
    shown: str

    @property
    def kind(self) -> str | None:
        """Its format, None if it has none of them."""
        suffixes = [suffix.lower() for suffix in self.path.suffixes]
        compressed = suffixes[-1:] in [[suffix] for suffix in COMPRESSED]
        (kind,) = suffixes[-2:-1] if compressed and len(suffixes) > 1 else suffixes[-1:] or [""]
        return kind if kind in FORMATS and not (compressed and kind == ".parquet") else None

    @property
    def unit(self) -> str:
        """What the rows are numbered by."""
        return "row" if self.kind in (".parquet", ".json") else "line"


def find_files(path: str, pattern: str | None) -> list[File]:
    """The files with rows at a path, which is a file, a folder or a pattern; in a folder, those of a pattern.

    Files and folders that begin with a dot are passed over, as are files of other formats, unless there are no others.

    Raises:
        FileNotFoundError: there are none.
        ValueError: a pattern within something that is no folder.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        base, found = place, sorted(place.glob(pattern or "**/*"))
    elif pattern:
        raise ValueError(f"'{path}' is no folder, so the files of a split cannot be found below it")
    else:
        fixed = next((above for above in place.parents if not glob.has_magic(str(above))), place)
        base, found = fixed, [Path(file) for file in sorted(glob.glob(str(place), recursive=True))]
        if place.is_file() and place not in found:  # its name has brackets in it
            found.append(place)
    files = [File(file, file.relative_to(base).as_posix()) for file in found if file.is_file()]
    if not (len(files) == 1 and files[0].path == place):
        files = [file for file in files if not any(part.startswith(".") for part in Path(file.shown).parts)]
    read = [file for file in files if file.kind]
    if not read:
        where = f"'{pattern}' in '{path}'" if pattern else f"'{path}'"
        others = sorted({"".join(file.path.suffixes[-2:]) or file.path.name for file in files})
        there = f"; there is {', '.join(others[:8])}, which is not read" if others else ""
        raise FileNotFoundError(f"no {', '.join(FORMATS)} file is {where}{there}. Formats: {READABLE}")
    return read


def read_file(file: File, wanted: Sequence[str], typed: set[str], layout: Layout) -> Iterator[Numbered]:
    """The rows of a file, one at a time.

    Args:
        wanted: columns that are asked for; of Parquet no others are read.
        typed: columns of CSV that may be numbers (see :func:`factory.corpora.csv_rows.read_csv`).

    Raises:
        OSError: it cannot be opened.
        ValueError: it cannot be read; names the file.
    """
    try:
        if file.kind == ".parquet":
            yield from read_parquet(file.path, wanted)
            return
        with _opened(file.path, layout.encoding) as text:
            if file.kind in (".csv", ".tsv"):
                default = "\t" if file.kind == ".tsv" else ","
                yield from read_csv(text, layout.delimiter or default, layout.quote, typed)
            else:
                yield from read_json(text, wanted) if file.kind == ".json" else read_lines(text)
    except OSError as error:
        if error.filename:
            raise
        raise ValueError(f"{file.path}: {error}") from error
    except (ValueError, EOFError, zlib.error, pa.ArrowException) as error:
        raise ValueError(f"{file.path}{',' if str(error).startswith(('line', 'row')) else ':'} {error}") from error


def _opened(path: Path, encoding: str | None) -> TextIO:
    """The text of a file. Bytes that are none become halves of surrogates, so that only the row is lost that holds them
    (see :func:`factory.corpora.cells.text`).

    Raises:
        ValueError: it is no text in this encoding.
    """
    with _decompressed(path) as file:
        head = file.read(4096)
    for mark, name in MARKS.items():
        if encoding is None and head.startswith(mark):
            raise ValueError(f"begins with the byte order mark of {name.upper()}; set corpus.encoding: {name}")
    if encoding is None and b"\0" in head:
        raise ValueError("is no text in UTF-8, for it has zeros in it; set corpus.encoding, or give another file")
    if encoding is None or codecs.lookup(encoding).name == "utf-8":
        encoding = "utf-8-sig"
    return io.TextIOWrapper(_decompressed(path), encoding, errors="surrogateescape", newline="")


def _decompressed(path: Path) -> BinaryIO:
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, gzip.open(path))
    if path.suffix.lower() == ".zst":
        return cast(BinaryIO, io.BufferedReader(pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")))
    return path.open("rb")
