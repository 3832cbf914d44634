"""The report served live: the same page, its data asked for piece by piece, and news of finished steps.

Only this machine's own browser is meant to read it. The `Host` header must name this very server, so that a site whose
name is rebound to 127.0.0.1 gets nothing; an `Origin` or `Sec-Fetch-Site` that tells of another site is refused too. No
request changes anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

from azr_engine.engine.errors import MissingDependency, UserError
from azr_engine.engine.rundir import RunDirectory
from azr_engine.oversight.review import FILE as REVIEW_FILE
from azr_engine.report.browse import TABLES, Browser, Table
from azr_engine.report.overview import overview
from azr_engine.report.page import document, escaped_json, open_browser, packed_json, part, policy_of, script
from azr_engine.report.prompts import Prompts
from azr_engine.report.record import SAFETY_FILE, read_record

POLL_SECONDS = 1.0
"""How often the run's files are looked at for news."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def serve(run: RunDirectory, host: str, port: int, *, allow_remote: bool, announce: Callable[[str], object]) -> None:
    """Serve until interrupted. `announce` is told the page's address once the port is open.

    Raises:
        UserError: the host can be reached by others and `allow_remote` is false, or the port is taken.
        MissingDependency: the extra `watch` is not installed.
    """
    if not allow_remote and not is_loopback(host):
        raise UserError(
            f"--host {host} can be reached from other machines, and the page has no password; "
            "use 127.0.0.1, or add --allow-remote"
        )
    try:
        import uvicorn
    except ImportError as error:
        raise MissingDependency("watch needs uvicorn and starlette; pip install 'azr-engine[watch]'") from error
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        raise UserError(f"cannot listen on {host} port {port}: {error.strerror}; choose another --port") from error
    port = listener.getsockname()[1]
    name = f"[{host}]" if ":" in host else host
    app = guarded(application(run), port, {name, "localhost", socket.gethostname()} if allow_remote else {"localhost"})
    # Open event streams never end by themselves, so that leaving must not wait for them.
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, server_header=False)
    with listener, contextlib.suppress(KeyboardInterrupt):
        announce(f"http://{name}:{port}/")
        uvicorn.Server(config).run(sockets=[listener])


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def application(run: RunDirectory) -> Any:
    """The ASGI application: the page at `/`, its data below `/data/`, and server-sent events at `/events`."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response, StreamingResponse
    from starlette.routing import Route

    def page(request: Request) -> Response:
        policy = policy_of(part("page.css"), script(), connect=True) + "; frame-ancestors 'none'"
        text = document(run.path.name, [], connect=True)
        return Response(text, media_type="text/html", headers={**_HEADERS, "Content-Security-Policy": policy})

    def figures(request: Request) -> Response:
        record = read_record(run)
        with open_browser(run, record) as browser:
            text = escaped_json(overview(record, browser))
        return Response(text, media_type="application/json", headers=_HEADERS)

    def block(request: Request) -> Response:
        found = read_block(run, request.path_params["name"])
        if found is None:
            return Response("no such block", status_code=404, headers=_HEADERS)
        headers = {**_HEADERS, "Content-Encoding": "gzip"}
        return Response(packed_json(found), media_type="application/json", headers=headers)

    async def events(request: Request) -> Response:
        return StreamingResponse(_news(run), media_type="text/event-stream", headers=_HEADERS)

    routes = [
        Route("/", page),
        Route("/data/overview", figures),
        Route("/data/{name}", block),
        Route("/events", events),
    ]
    return Starlette(routes=routes)


def read_block(run: RunDirectory, name: str) -> Any:
    """An index (`index-tasks`) or a chunk (`chunk-tasks-3`) by its block's name; None where there is no such block."""
    matched = re.fullmatch(r"(index|chunk)-(tasks|proposals)(?:-(\d{1,9}))?", name, re.ASCII)
    if matched is None or (matched[1] == "chunk") != bool(matched[3]):
        return None
    table: Table = TABLES[TABLES.index(matched[2])]
    if not run.tasks_path.is_file():
        return []
    prompts = Prompts.of_run(read_record(run).config) if matched[3] else None
    with Browser(run.tasks_path, prompts) as browser:
        return browser.chunk(table, int(matched[3])) if matched[3] else browser.index(table)


async def _news(run: RunDirectory) -> AsyncIterator[str]:
    """An event whenever the run's files have grown; a comment now and then, so that a lost reader is noticed."""
    more = (run.path / name for name in ("evals.jsonl", SAFETY_FILE, REVIEW_FILE))
    files = (run.metrics_path, run.events_path, *more)
    seen = None
    silence = 0
    yield ": watching\n\n"
    while True:
        state = [(file.stat().st_mtime_ns, file.stat().st_size) if file.exists() else None for file in files]
        if state != seen and seen is not None:
            yield "event: changed\ndata: {}\n\n"
            silence = 0
        elif silence >= 15:
            yield ": still here\n\n"
            silence = 0
        seen = state
        silence += 1
        await asyncio.sleep(POLL_SECONDS)


def guarded(app: Any, port: int, names: set[str]) -> Any:
    """`app` for requests that a browser makes of this very page; others get status 403.

    Args:
        names: host names that the page is known by. An address written as numbers is always right: a rebound name
            is a name.
    """

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not _ours(dict(scope["headers"]), port, names):
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"this page is for its own address only\n"})
        else:
            await app(scope, receive, send)

    return guard


def _ours(headers: dict[bytes, bytes], port: int, names: set[str]) -> bool:
    address = headers.get(b"host", b"").decode("latin-1").lower()
    host, _, said_port = address.rpartition(":")
    known = said_port == str(port) and (host in {name.lower() for name in names} or _is_address(host.strip("[]")))
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    site = headers.get(b"sec-fetch-site", b"none")
    return known and origin in ("", f"http://{address}") and site in (b"none", b"same-origin")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
