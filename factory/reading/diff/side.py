"""One of the two generations that are compared: its manifest, and its tables in files that may be damaged."""

import os.path
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from factory.reading.lineage import Link
from factory.targets import Published, PublishError
from schemas import EXAMPLES, ROLLOUTS

COLUMNS = {
    "data": (EXAMPLES, "question_id question answer origin turn verdict rationale attempt_id"),
    "rollouts": (ROLLOUTS, "question_id question solved pass_rate"),
}
"""What is compared, by the folder it lies in; of the attempts only their tokens are."""


@dataclass(frozen=True)
class Side:
    """A generation, of whose files those count that its manifest names."""

    link: Link
    folder: Path

    @classmethod
    def of(cls, published: Published) -> "Side":
        """Read the manifest and see to it that the tables are on this machine.

        Raises:
            PublishError: the manifest is none of a generation of a dataset, or its tables are not where it says.
        """
        link = Link.of(published)
        side = cls(link, published.folder(*(f"{subfolder}/*" for subfolder in COLUMNS)))
        problems = [f"its manifest names no files in {subfolder}" for subfolder in COLUMNS if not side.files(subfolder)]
        for path in (path for subfolder in COLUMNS for path in side.files(subfolder)):
            if not os.path.isfile(path):
                problems.append(f"{path.relative_to(side.folder)} is in the manifest and not there")
            elif side._leads_out(path):
                problems.append(f"{path.relative_to(side.folder)} is a link to somewhere else")
        if problems:
            raise PublishError(f"{published.where} cannot be compared: {'; '.join(problems)}")
        return side

    def files(self, subfolder: str) -> list[Path]:
        return [self.folder / path for path in self.link.manifest["files"] if path.startswith(f"{subfolder}/")]

    @property
    def examples(self) -> pl.LazyFrame:
        return self._scan("data")

    @property
    def rollouts(self) -> pl.LazyFrame:
        return self._scan("rollouts")

    def read(self, rows: pl.LazyFrame) -> pl.DataFrame:
        """Rows of one of the two, or what is computed from them.

        Raises:
            PublishError: a file is not the Parquet that it should be.
        """
        with self._reading():
            return rows.collect(engine="streaming")

    def tokens(self, attempts: pl.DataFrame) -> pl.DataFrame:
        """``attempt_id`` and ``tokens`` of some attempts. Read by pyarrow, as polars would read whole attempts.

        Raises:
            PublishError: a file is not the Parquet that it should be.
        """
        columns = [f"attempts.list.element.{name}" for name in ("attempt_id", "completion_tokens")]
        found = [pl.DataFrame(schema={"attempt_id": pl.String, "tokens": pl.Int32})]
        with self._reading():
            for path in self.files("rollouts"):
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(columns=columns):
                        read = pl.Series(batch["attempts"].flatten()).struct.unnest()
                        read = read.rename({"completion_tokens": "tokens"})
                        found.append(read.join(attempts, on="attempt_id", how="semi"))
            return pl.concat(found)

    def identity(self) -> dict[str, Any]:
        return {
            "where": self.link.published.where,
            "name": self.link.manifest["name"],
            "generation": self.link.manifest["generation"],
            "commit": self.link.published.commit,
            "manifest_sha256": self.link.sha256,
        }

    def _scan(self, subfolder: str) -> pl.LazyFrame:
        schema, names = COLUMNS[subfolder]
        columns = pl.Schema(pa.schema([schema.field(name) for name in names.split()]))
        return pl.scan_parquet(self.files(subfolder), schema=columns, extra_columns="ignore", glob=False)

    def _leads_out(self, path: Path) -> bool:
        """Someone else's folder may link to any file of this machine; those that the Hub fetched are links."""
        return self.link.published.commit is None and not path.resolve().is_relative_to(self.folder.resolve())

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, OSError, KeyError) as error:
            where = self.link.published.where
            raise PublishError(
                f"{where} cannot be compared: the Parquet of a table is damaged, or has other columns ({error}); "
                f"python -m factory lineage {where} tells whether it is as it was published"
            ) from error
