"""One SQLite file with one writer: connection, transactions, and errors that a person can act on.

The schema and its meaning belong to the task store. Durable at commit (WAL, synchronous FULL); a process killed
in the middle of a transaction leaves the file as it was before.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import UserError


class Database:
    """A connection to the file at `path`, which is made and given `schema` if need be.

    Args:
        path: the file; its folder must exist.
        schema: statements that make the tables of a new file, and may be repeated.
        version: the schema's; a file of another version is refused.
        read_only: look without touching; the file must exist.

    Raises:
        UserError: the file cannot be opened or written, or holds something else.
    """

    def __init__(self, path: Path, schema: Sequence[str], version: int, *, read_only: bool) -> None:
        self.path = path
        with self._errors():
            uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}"
            self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30.0)
            try:
                self._prepare(schema, version, read_only)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside are written together, durable at the end, or not at all. Not reentrant.

        Raises:
            ValueError: a row breaks a constraint.
            UserError: the disk is full, the file cannot be written or another process is writing it.
        """
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def execute(self, statement: str, *values: Any) -> None:
        """Run a statement for its effect. Raises as `transaction` does."""
        self.rows(statement, *values)

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """All rows of a query, each a tuple. Raises as `transaction` does."""
        with self._errors():
            return self._connection.execute(statement, values).fetchall()

    def value(self, statement: str, *values: Any) -> Any:
        """The first column of a query's first row; None where there is no row. Raises as `transaction` does."""
        rows = self.rows(statement, *values)
        return rows[0][0] if rows else None

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Add a row. Lone surrogates, which a model may write and no UTF-8 file can hold, become question marks."""
        values = [v.encode("utf-8", "replace").decode("utf-8") if isinstance(v, str) else v for v in row.values()]
        self.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *values)

    def integrity_check(self) -> list[str]:
        """What SQLite finds wrong with the file, and references that point nowhere; empty when all is well."""
        try:
            found = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check")]
            dangling = self._connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.DatabaseError as error:
            return [str(error)]
        return [line for line in found if line != "ok"] + [f"{table} points at a missing row" for table, *_ in dangling]

    def _prepare(self, schema: Sequence[str], version: int, read_only: bool) -> None:
        found = self.value("PRAGMA user_version")
        if found != version and (found != 0 or read_only):
            raise UserError(f"cannot use {self.path}: it was not made by this version of azr-engine")
        self.execute("PRAGMA foreign_keys = ON")
        if not read_only:
            self.execute("PRAGMA journal_mode = WAL")
            self.execute("PRAGMA synchronous = FULL")
        if found == 0:
            with self.transaction():
                for statement in schema:
                    self.execute(statement)
                self.execute(f"PRAGMA user_version = {version}")

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise ValueError(f"{self.path}: {error}") from error
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            raise UserError(f"cannot use {self.path}: {error}") from error
