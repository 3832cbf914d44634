"""What queries give, what SQLite must not be asked, and everything that the conformance kit asks."""

from __future__ import annotations

import asyncio

import pytest
from azr_sql import Sql

from azr_engine.domains.function import FunctionVerifier
from azr_engine.engine.types import Answer, Draft, Rejection, Task
from azr_engine.plugins.conformance import check_plugin

ROWS = "[(1, 'ann', 5), (2, 'bob', 7), (3, 'ann', None)]"


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("SELECT name FROM t WHERE n > 5", "[('bob',)]"),
        ("SELECT name, count(*), sum(n) FROM t GROUP BY name", "[('ann', 2, 5), ('bob', 1, 7)]"),
        ("SELECT avg(n) FROM t", "[(6.0,)]"),
        ("WITH u AS (SELECT id FROM t) SELECT max(id) FROM u", "[(3,)]"),
    ],
)
def test_queries_run_in_sqlite(query: str, result: str) -> None:
    assert Sql().canonical(Sql().run(query, ROWS)) == result


def test_the_order_of_rows_does_not_count_but_their_number_and_types_do() -> None:
    canonical = Sql().canonical
    assert canonical("[(2,), (1,)]") == canonical("[(1,),(2,)]")
    assert len({canonical(text) for text in ("[(1,)]", "[(1,), (1,)]", "[(1.0,)]", "[('1',)]")}) == 4


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE t",
        "INSERT INTO t VALUES (9, 'x', 1)",
        "SELECT 1; SELECT 2",
        "ATTACH '/tmp/x' AS x",
        "PRAGMA table_info(t)",
        "SELECT * FROM sqlite_master",
        "SELECT random()",
        "SELECT datetime('now')",
        "SELECT load_extension('x')",
        "SELECT readfile('/etc/passwd')",
        "WITH RECURSIVE u(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM u) SELECT i FROM u",
        "VACUUM INTO '/tmp/x'",
    ],
)
def test_all_but_reading_the_table_is_refused(query: str) -> None:
    with pytest.raises((ValueError, Warning)):
        Sql().run(query, ROWS)


def test_a_query_that_takes_for_ever_or_all_memory_is_rejected() -> None:
    many = ", ".join(f"t {name}" for name in "abcdefgh")
    longer = "replace(" * 40 + "'a'" + ", 'a', 'aaaa')" * 40
    queries = [(f"SELECT count(*) FROM {many}", rows_of(50)), (f"SELECT length({longer})", ROWS)]
    drafts = [Draft("sql", "deduction", {"program": query, "input": rows}) for query, rows in queries]

    async def admit() -> list[Task | Rejection]:
        verifier = FunctionVerifier(Sql(), workers=1, cpu_seconds=0.5)
        try:
            return await verifier.admit(drafts)
        finally:
            await verifier.close()

    slow, big = asyncio.run(admit())
    assert slow == Rejection("timeout")
    assert isinstance(big, Rejection)
    assert big.reason in ("raises", "memory", "timeout")


def rows_of(n_rows: int) -> str:
    return repr([(i, "ann", i) for i in range(n_rows)])


def test_any_data_with_the_wanted_result_answers_an_abduction() -> None:
    async def judge() -> list[str]:
        verifier = FunctionVerifier(Sql(), workers=1)
        draft = Draft("sql", "abduction", {"program": "SELECT name FROM t WHERE n > 5", "input": ROWS})
        try:
            (task,) = await verifier.admit([draft])
            assert isinstance(task, Task)
            answers = ("[(8, 'bob', 6)]", "[(8, 'bob', 5)]", "[('bob',)]")
            verdicts = await verifier.judge([(task, Answer({"answer": text}, text)) for text in answers])
            return [verdict.status for verdict in verdicts]
        finally:
            await verifier.close()

    assert asyncio.run(judge()) == ["pass", "fail", "fail"]


def test_the_plugin_conforms() -> None:
    report = check_plugin("sql")
    assert report.passed, "\n".join(report.lines())
