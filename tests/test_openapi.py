"""Requests are held against Discord's description wherever it was asked for."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.discord.rest.answers import Request
from tests.openapi import find_violations

DESCRIPTION = {
    "paths": {
        "/channels/{channel_id}/messages": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"properties": {"content": {"type": "string"}}}
                        }
                    },
                }
            }
        }
    }
}


def name_description(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr("tests.openapi.DESCRIPTION", str(path))


@pytest.mark.parametrize(
    "content", [None, "", "<html>", "[]", "{}"], ids=["missing", "empty", "HTML", "list", "object"]
)
def test_a_description_that_cannot_be_read_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
):
    path = tmp_path / "openapi.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    name_description(monkeypatch, path)
    with pytest.raises(pytest.UsageError, match=r"DISCORD_OPENAPI names .*openapi\.json"):
        find_violations([])


async def test_a_run_without_the_description_it_was_asked_for_ends_at_once(tmp_path: Path):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider"),
        str(
            Path(__file__).with_name("domain") / "test_pricing.py"
        ),  # not this file, which would start again
        env=os.environ | {"DISCORD_OPENAPI": str(tmp_path / "openapi.json")},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == pytest.ExitCode.USAGE_ERROR
    assert b"ERROR: DISCORD_OPENAPI names " in errors


@pytest.mark.parametrize(
    ("method", "body", "problem"),
    [
        ("GET", None, "no such operation"),
        ("POST", None, "a body is required"),
        ("POST", {"content": 7}, "content: 7 is not"),
    ],
)
def test_a_request_that_is_not_described_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, body: object, problem: str
):
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(DESCRIPTION), encoding="utf-8")
    name_description(monkeypatch, path)
    now = datetime(2026, 11, 30, tzinfo=UTC)
    sent = Request(method, "/api/v10/channels/1/messages", {}, {}, now, json=body, read=True)
    (found,) = find_violations([sent])
    assert problem in found
