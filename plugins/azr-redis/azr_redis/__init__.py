"""The domain `redis` for azr-engine: `domain.py` says what a task is, `server.py` runs Redis; this registers both."""

from __future__ import annotations

from azr_engine.domains.function import FunctionVerifier
from azr_engine.engine.config import RunConfig
from azr_engine.plugins import hookimpl
from azr_redis.domain import RedisDomain
from azr_redis.server import RedisRunner


@hookimpl
def azr_domains(config: RunConfig) -> list[RedisDomain]:
    """The domain."""
    return [RedisDomain()]


@hookimpl
def azr_verifiers(config: RunConfig) -> list[FunctionVerifier]:
    """Its verifier, with two servers, which start at first use."""
    return [FunctionVerifier(RedisDomain(), runners=(RedisRunner(), RedisRunner()))]
