"""SQL: a program is a query on one table, its input the table's rows, its output the rows that SQLite finds.

Deduction asks for the result, abduction for data that give it, induction for the query. The order of rows does not
count. Queries read the table `t` of a database in memory and nothing else: SQLite's authorizer refuses the rest, and
functions whose value differs from call to call.
"""

from __future__ import annotations

import random
import sqlite3
from typing import TYPE_CHECKING

from azr_engine.domains.function import FunctionDomain, FunctionVerifier, read_literal, write_literal
from azr_engine.plugins import hookimpl

if TYPE_CHECKING:
    from azr_engine.engine.config import RunConfig

COLUMNS = {"id": int, "name": str, "n": int}
MAX_ROWS = 50
FUNCTIONS = frozenset(
    "abs avg coalesce count group_concat ifnull iif instr length like lower ltrim max min nullif replace round rtrim "
    "sign substr sum total trim typeof upper".split()
)
NAMES = ("ann", "bob", "cy", "dee")


class Sql(FunctionDomain):
    name = "sql"
    propose = (
        "Write one SELECT for SQLite on the table t with the columns id (integer), name (text) and n (integer), and "
        "a few rows of data."
    )
    solve = "The query runs in SQLite on the table t with the columns id, name and n. The order of rows does not count."
    program_form = "one SELECT statement"
    input_form = "the rows of t as a Python list of tuples, such as [(1, 'ann', 5), (2, 'bob', None)]"
    output_form = "the resulting rows as a Python list of tuples"
    probes = ("[(1, 'ann', 5), (2, 'bob', 7), (3, 'ann', 1)]", "[(4, 'cy', 0), (5, 'dee', 9)]", "[]")

    def run(self, program: str, input: str) -> str:
        rows = read_rows(input)
        database = sqlite3.connect(":memory:")
        try:
            database.execute("PRAGMA temp_store = MEMORY")
            database.execute("CREATE TABLE t (id INTEGER, name TEXT, n INTEGER)")
            database.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
            database.set_authorizer(_authorize)
            found = database.execute(program).fetchmany(MAX_ROWS + 1)
        except (sqlite3.Error, OverflowError) as error:
            raise ValueError(str(error)) from None
        finally:
            database.close()
        if len(found) > MAX_ROWS:
            raise ValueError(f"the query gives more than {MAX_ROWS} rows")
        return write_literal(found)

    def canonical(self, output: str) -> str:
        rows = read_literal(output)
        if not isinstance(rows, list) or not all(type(row) is tuple for row in rows):
            raise ValueError("no list of tuples")
        return write_literal(sorted(rows, key=write_literal))

    def draw_program(self, rng: random.Random) -> str:
        column = rng.choice(["id", "name", "n"])
        test = rng.choice([f"n {rng.choice('<>')} {rng.randint(2, 7)}", f"name = '{rng.choice(NAMES)}'", "n % 2 = 0"])
        return rng.choice(
            [
                f"SELECT {column} FROM t WHERE {test}",
                f"SELECT name, {rng.choice(['sum', 'max', 'min', 'count'])}(n) FROM t GROUP BY name",
                f"SELECT count(*), {rng.choice(['sum', 'max', 'min'])}(n) FROM t WHERE {test}",
                f"SELECT DISTINCT name FROM t WHERE {test}",
                f"SELECT name, n * {rng.randint(2, 5)} FROM t ORDER BY n LIMIT {rng.randint(1, 3)}",
                f"SELECT a.name, b.name FROM t a JOIN t b ON a.n < b.n WHERE a.id {rng.choice('<>')} b.id",
            ]
        )

    def draw_input(self, rng: random.Random, program: str) -> str:
        rows = [(i + 1, rng.choice(NAMES), rng.randint(0, 9)) for i in range(rng.randint(3, 5))]
        return write_literal(rows)


def read_rows(text: str) -> list[tuple[object, ...]]:
    """The rows of `t` that a text spells. Raises ValueError."""
    rows = read_literal(text)
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise ValueError(f"the data must be a list of at most {MAX_ROWS} tuples")
    for row in rows:
        if type(row) is not tuple or len(row) != len(COLUMNS):
            raise ValueError("each row must be a tuple of id, name and n")
        for value, kind in zip(row, COLUMNS.values(), strict=True):
            if value is not None and type(value) is not kind:
                raise ValueError("id and n must be integers and name a text, or None")
    return rows


def _authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    allowed = (
        action == sqlite3.SQLITE_SELECT
        or (action == sqlite3.SQLITE_READ and first in ("t", ""))
        or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS)
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


@hookimpl
def azr_domains(config: RunConfig) -> list[Sql]:
    return [Sql()]


@hookimpl
def azr_verifiers(config: RunConfig) -> list[FunctionVerifier]:
    return [FunctionVerifier(Sql(), workers=config.sandbox.workers)]
