"""How a model is sampled where the settings do not say."""

from __future__ import annotations

import pytest

from azr_engine.engine.config import load_config
from azr_engine.engine.policies.loading import LoadedModel
from azr_engine.engine.session import sampling_of
from azr_engine.engine.styles import STYLES


@pytest.mark.parametrize(("style", "temperature"), [("compact", 1.0), ("chat", 0.7)])
def test_the_temperature_is_the_styles_unless_it_is_set(style: str, temperature: float) -> None:
    loaded = LoadedModel(None, None, STYLES[style], {})
    assert sampling_of(load_config(), loaded).temperature == temperature
    assert sampling_of(load_config(None, ["play.temperature=0.9"]), loaded).temperature == 0.9
