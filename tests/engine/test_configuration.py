"""Settings: layering, one-line errors, and a text form that reads back."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.engine.config import RunConfig, load_config, settings, to_toml
from azr_engine.engine.errors import UserError


def test_options_win_over_assignments_and_those_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("steps = 1\nseed = 1\n[play]\nproposals = 7\nattempts = 3\n")
    config = load_config(file, ["seed=2", "play.attempts=4", "steps=2"], {"steps": 3, "minutes": None})
    assert (config.steps, config.seed, config.play.proposals, config.play.attempts) == (3, 2, 7, 4)
    assert config.minutes is None


@given(
    st.builds(
        RunConfig,
        steps=st.integers(0, 10**6),
        minutes=st.none() | st.floats(0.1, 1e6),
        seed=st.integers(0, 2**40),
        domains=st.lists(st.text(min_size=1), min_size=1).map(tuple),
    )
)
def test_the_written_settings_read_back_equal(config: RunConfig) -> None:
    assert RunConfig.model_validate(tomllib.loads(to_toml(config))) == config


def test_every_setting_has_a_description() -> None:
    names = [name for name, _ in settings()]
    assert "trainer.learning_rate" in names
    assert [name for name, field in settings() if not field.description] == []


def test_an_unknown_setting_names_what_is_known_there() -> None:
    with pytest.raises(UserError, match=r"'play.tries'.*attempts"):
        load_config(None, ["play.tries=3"])
    with pytest.raises(UserError, match=r"'tries'.*domains"):
        load_config(None, ["tries=3"])
