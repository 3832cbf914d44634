"""Towards the end of its minutes a run's steps get smaller; a run that steps alone end knows no such end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.config import load_config
from azr_engine.engine.session import open_session, set_up
from azr_engine.plugins.manager import Plugins
from azr_engine.trainer.protocol import UpdateMetrics
from azr_engine.trainer.torch_backend import TorchTrainer

SMALL = ["play.proposals=4", "play.attempts=4", "play.anchors=8", "play.replay=0", "store.seeds=4", "threads=1"]


@pytest.mark.parametrize("minutes", [None, 600.0])
def test_the_step_size_falls_with_the_time_that_is_left(
    minutes: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[float] = []
    update = TorchTrainer.update

    def seen(self: TorchTrainer, *args: Any, **options: Any) -> UpdateMetrics:
        sizes.append(options["step_size"])
        return update(self, *args, **options)

    monkeypatch.setattr(TorchTrainer, "update", seen)
    options = {"domains": ["math"], "steps": 3, "minutes": minutes, "trainer.backend": "torch", "trainer.anneal": 1.0}

    async def play() -> None:
        setup = set_up(load_config(None, SMALL, options), Plugins())
        async with open_session(setup, tmp_path / "run", resume=False) as loop:
            await loop.play(lambda line: None)

    asyncio.run(play())
    assert len(sizes) == 3
    if minutes is None:
        assert sizes == [1.0, 1.0, 1.0]
    else:
        assert 1.0 == sizes[0] > sizes[1] > sizes[2] > 0.9
