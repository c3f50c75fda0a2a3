"""Tables of results in Parquet, and questions to them in SQL: the only module that uses DuckDB.

The record in JSON lines stays what counts; the tables are made of it.
"""

import json
import tempfile
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from burn_verify.core.errors import StoreError, UsageError
from burn_verify.record.codec import Record
from burn_verify.record.tables import TABLES, Row, rows

_MOST_SAID: Final = 400
"""Characters of an error of DuckDB: it may list all overloads of a function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a question: names of its columns, and its rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def write(records: Iterable[Record], folder: Path) -> tuple[Path, ...]:
    """Write the tables of records as Parquet files; equal results are equal bytes. Return the files.

    Raises:
        UsageError: DuckDB is not installed.
        StoreError: the folder cannot be written.
    """
    duckdb = _duckdb()
    with _connected(duckdb) as connection:
        _load(connection, rows(records))
        written = []
        for name in TABLES:
            path, scratch = folder / f"{name}.parquet", folder / f".new-{name}.parquet"
            try:
                connection.execute(f"COPY {name} TO {_quoted(scratch)} (FORMAT parquet, COMPRESSION zstd)")
                scratch.replace(path)
            except (duckdb.Error, OSError) as error:
                message = f"{path} cannot be written: {_first_line(error)}"
                raise StoreError(message) from error
            finally:
                scratch.unlink(missing_ok=True)
            written.append(path)
    return tuple(written)


def are_fresh(folder: Path, record: Path) -> bool:
    """Return whether a folder has all tables, made after a record was written."""
    made = [folder / f"{name}.parquet" for name in TABLES]
    return all(path.is_file() and path.stat().st_mtime_ns >= record.stat().st_mtime_ns for path in made)


def ask(sql: str, *, records: Iterable[Record] = (), folder: Path | None = None) -> Answer:
    """Answer a question about ``results``, ``outputs`` and ``runs``.

    Arguments:
        folder: with the files of `write`; else the tables are made of `records`.

    Raises:
        UsageError: the SQL is wrong, a table is damaged, or DuckDB is not installed.
    """
    duckdb = _duckdb()
    with _connected(duckdb) as connection:
        if folder is None:
            _load(connection, rows(records))
        else:
            _view(duckdb, connection, folder)
        try:
            found = connection.execute(sql)
            if found is None:
                message = "query: there is no statement in it, such as: select * from results"
                raise UsageError(message)
            columns = tuple(str(column[0]) for column in found.description or ())
            return Answer(columns=columns, rows=tuple(found.fetchall()) if columns else ())
        except duckdb.Error as error:
            message = f"query: {_what_is_wrong(error)}"
            raise UsageError(message) from None


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        message = "DuckDB is needed for tables and questions: pip install 'burn-verify[sweep]'"
        raise UsageError(message) from None
    return duckdb


def _connected(duckdb: Any) -> Any:
    # One thread: the order of rows, and so the bytes of a file, are those of the table.
    return duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})


def _view(duckdb: Any, connection: Any, folder: Path) -> None:
    for name in TABLES:
        place = folder / f"{name}.parquet"
        try:
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({_quoted(place)})")
        except duckdb.Error:
            message = f"{place} is damaged: delete it, and the next query or --gather makes it of the record"
            raise UsageError(message) from None


def _load(connection: Any, tables: Mapping[str, Sequence[Row]]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for name, columns in TABLES.items():
            path = Path(scratch, f"{name}.jsonl")
            with path.open("w", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(row)}\n" for row in tables[name])
            types = ", ".join(f"{column}: {_quoted(kind)}" for column, kind in columns.items())
            read = (
                f"read_json({_quoted(path)}, format='newline_delimited', columns={{{types}}}, maximum_object_size=1e8)"
            )
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM {read}")


def _quoted(text: str | Path) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _what_is_wrong(error: Exception) -> str:
    """Return what DuckDB says, and what it advises, in one line; the SQL it repeats below is left out."""
    return textwrap.shorten(str(error).strip().partition("\n\n")[0], _MOST_SAID)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
