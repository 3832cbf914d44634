"""What travels between supervisor and worker, with senders that keep to the protocol and senders that do not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from azr_engine.verifiers.python.outcomes import Outcome, read_outcomes
from azr_engine.verifiers.python.wire import END, STATUSES, Call, pack_number, pack_outcome, unpack_number

SECONDS = st.integers(min_value=0, max_value=10**9).map(lambda microseconds: microseconds / 1e6)
OUTCOMES = st.lists(
    st.builds(Outcome, st.sampled_from(STATUSES), st.text(st.characters(codec="utf-8"), max_size=40), SECONDS),
    max_size=6,
)
CRASH = Outcome("crash", "broken result")


@given(OUTCOMES, st.integers(min_value=0, max_value=3))
def test_outcomes_arrive_and_missing_ones_are_crashes(outcomes: list[Outcome], n_missing: int) -> None:
    data = b"".join(pack_outcome(*outcome) for outcome in outcomes)
    found = read_outcomes(b"head" + data + END, 4, len(outcomes) + n_missing)
    assert [outcome[:2] for outcome in found] == [outcome[:2] for outcome in outcomes + [CRASH] * n_missing]
    assert all(abs(one.cpu_seconds - other.cpu_seconds) < 2e-6 for one, other in zip(found, outcomes, strict=False))


@given(OUTCOMES)
def test_the_end_occurs_in_no_outcome(outcomes: list[Outcome]) -> None:
    assert END not in b"".join(pack_outcome(*outcome) for outcome in outcomes)


@given(OUTCOMES, st.binary(max_size=80), st.integers(min_value=0, max_value=8))
def test_rubbish_costs_its_sender_and_nobody_else(outcomes: list[Outcome], rubbish: bytes, n_asked: int) -> None:
    data = b"".join(pack_outcome(*outcome) for outcome in outcomes)
    found = read_outcomes(data + rubbish, 0, n_asked)
    assert len(found) == n_asked
    assert [outcome[:2] for outcome in found[: len(outcomes)]] == [outcome[:2] for outcome in outcomes[:n_asked]]


def test_claims_beyond_the_limits_are_crashes() -> None:
    claims = [
        b"ok 0 2147483647\n",
        b"ok -5 0\n",
        b"ok 0 -1\n",
        b"ok 99999999999999 0\n",
        b"fine 0 0\n",
        b"ok 0\n",
        b"x" * 200,
    ]
    for claim in claims:
        assert read_outcomes(claim + pack_outcome("ok", "1"), 0, 1) == [CRASH], claim


def test_a_lone_surrogate_travels_escaped() -> None:
    assert read_outcomes(pack_outcome("ok", "'\ud800'"), 0, 1)[0].text == "'\\ud800'"


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_numbers_travel(number: int) -> None:
    assert unpack_number(b"xx" + pack_number(number), 2) == number


def test_a_call_travels() -> None:
    call = Call("def f(x): ...", b"code", "f", [b"1", b"2"], 1, True, False, 0.5, 0.05, 20.0)
    assert vars(Call.unpack(call.pack())) == vars(call)
