"""Floods of headers are cut, and no error tells the key or a signed address."""

import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.domain.errors import ResultLostError, ServiceFailedError, SourceUnreadableError
from bot.domain.images import Format, ImageInfo, Source
from tests.edit_clients import CALL, KEY, connected, fault_of, files_in, peak_memory
from tests.http_server import raw, serving


@pytest.mark.parametrize("line", [b"X: y\r\n", b"X" * 64], ids=["too many", "too long"])
@pytest.mark.parametrize("asked_for", ["edit", "header", "source", "end", "result"])
async def test_a_flood_of_headers_is_cut_whatever_was_asked_for(
    tmp_path: Path, line: bytes, asked_for: str
):
    flood = b"HTTP/1.1 200 OK\r\n" + line * (64 * 2**20 // len(line))
    async with serving(raw(flood)) as api, connected(api.url, timeout=5) as clients:
        asked: dict[str, Callable[[], Awaitable[object]]] = {
            "edit": lambda: clients.edits.edit(CALL, workspace=tmp_path),
            "header": lambda: clients.sources.probe(api.url),
            "source": lambda: clients.sources.fetch(api.url, tmp_path / "1"),
            "result": lambda: clients.results.fetch(api.url, tmp_path / "1"),
        }
        with peak_memory() as peak:
            if asked_for == "end":
                source = Source(ImageInfo(Format.PNG, 64, 48), 1000)
                assert await clients.sources.has_end(api.url, source)
            else:
                fault = await fault_of(asked[asked_for]())
                assert isinstance(
                    fault, ServiceFailedError | SourceUnreadableError | ResultLostError
                )
        await api.hung_up.wait()
    assert peak() < 4 * 2**20
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="cut"),
        pytest.param(b"HTTP/1.1 nonsense\r\n\r\n", id="bad status line"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X" * 20_000, id="flood"),
        pytest.param(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", id="refused"),
    ],
)
async def test_a_fault_keeps_them_to_itself(tmp_path: Path, answer: bytes):
    async with serving(raw(answer, cut=True)) as api, connected(api.url) as clients:
        faults = [
            await fault_of(clients.edits.edit(CALL, workspace=tmp_path)),
            await fault_of(clients.sources.probe(f"{api.url}/?hm=signature")),
            await fault_of(clients.results.fetch(f"{api.url}/?hm=signature", tmp_path / "1")),
        ]
        told = repr(clients)
    for fault in faults:
        link: BaseException | None = fault
        while link is not None:
            told += f"{link} {link!r} {vars(link)}"
            link = link.__cause__ or link.__context__
        told += "".join(traceback.format_exception(fault))
    assert KEY not in told
    assert "signature" not in told
