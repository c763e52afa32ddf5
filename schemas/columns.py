"""How a column, a table and the nested types that several tables share are declared."""

import pyarrow as pa


def column(name: str, type: pa.DataType, meaning: str, *, unit: str = "", nullable: bool = False) -> pa.Field:
    """A field whose metadata says what it means and, where it has one, in which unit."""
    metadata = {"meaning": meaning} | ({"unit": unit} if unit else {})
    return pa.field(name, type, nullable=nullable, metadata=metadata)


def table(name: str, version: str, columns: list[pa.Field]) -> pa.Schema:
    """A schema that knows its own name and ``schema_version`` (``major.minor``)."""
    return pa.schema(columns, metadata={"schema": name, "schema_version": version})


MESSAGES = pa.list_(
    pa.struct(
        [
            column("role", pa.string(), "system, user or assistant"),
            column("content", pa.string(), "the text of the message"),
        ]
    )
)
"""A dialogue, oldest message first, in the form that torchtune, TRL and Axolotl read."""

CHOICES = pa.list_(
    pa.struct(
        [
            column("label", pa.string(), "what the question calls the choice, such as A"),
            column("text", pa.string(), "what the choice says"),
        ]
    )
)

CHECKS = pa.list_(
    pa.struct(
        [
            column("name", pa.string(), "name and version of the process check"),
            column("passed", pa.bool_(), "whether the rationale passed; null: not applicable", nullable=True),
            column("reason", pa.string(), "why it failed or the check does not apply", nullable=True),
        ]
    )
)
"""The results of process checks."""
