"""Holds the requests that the bot sent against Discord's own description of its HTTP API."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest
from jsonschema_rs import Draft202012Validator, Registry, Validator

from sandbox.discord.rest.answers import Request

DESCRIPTION = os.environ.get("DISCORD_OPENAPI")
"""The path of the description, where there is one."""

_ROOT = "urn:discord"


def find_violations(requests: Iterable[Request]) -> list[str]:
    """Return a line for each request that came whole and that the description doesn't allow.

    Raises:
        pytest.UsageError: there should be a description, and it can't be read.
    """
    if DESCRIPTION is None:
        return []
    described = _read(Path(DESCRIPTION))
    return [
        f"{request.method} {request.path}: {problem}"
        for request in requests
        if request.read
        for problem in described.check(request)
    ]


class _Description:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._registry = Registry([(_ROOT, dict(document))])
        self._validators: dict[tuple[str, ...], Validator] = {}
        self._routes = [
            (_as_pattern(template), template)
            # A fixed path goes before one with a parameter in the same place.
            for template in sorted(document["paths"], key=lambda path: path.count("{"))
        ]

    def check(self, request: Request) -> Iterable[str]:
        path = re.sub(r"^.*/v10/", "/", request.path)
        method = request.method.lower()
        for pattern, template in self._routes:
            if pattern.fullmatch(path) and method in self._document["paths"][template]:
                return self._check_body(template, method, request)
        return ["no such operation"]

    def _check_body(self, template: str, method: str, request: Request) -> Iterable[str]:
        operation = self._document["paths"][template][method]
        if "requestBody" not in operation:
            return []
        if request.json is None:
            return ["a body is required"] if operation["requestBody"].get("required") else []
        kind = "multipart/form-data" if request.files else "application/json"
        validator = self._validator(template, method, kind)
        return [
            f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}"
            for error in validator.iter_errors(_with_text_ids(request.json))
        ]

    def _validator(self, *place: str) -> Validator:
        if place not in self._validators:
            template, method, kind = (part.replace("~", "~0").replace("/", "~1") for part in place)
            schema = f"paths/{template}/{method}/requestBody/content/{kind}/schema"
            self._validators[place] = Draft202012Validator(
                {"$ref": f"{_ROOT}#/{quote(schema)}"}, registry=self._registry
            )
        return self._validators[place]


@cache
def _read(path: Path) -> _Description:
    try:
        return _Description(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise pytest.UsageError(
            f"DISCORD_OPENAPI names {path}, which isn't Discord's description: {fault!r}"
        ) from fault


def _as_pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]+\}", template)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def _with_text_ids(value: Any) -> Any:
    """The same with ids as the description has them: Discord takes integers as well."""
    match value:
        case dict():
            fields = cast("dict[str, Any]", value)
            return {name: _as_described(name, field) for name, field in fields.items()}
        case list():
            return [_with_text_ids(item) for item in cast("list[Any]", value)]
        case _:
            return value


def _as_described(name: str, field: Any) -> Any:
    if name == "id" and isinstance(field, int):
        return str(field)
    if name == "default_member_permissions" and isinstance(field, str):
        return int(field)
    return _with_text_ids(field)
