"""Vendored files are byte for byte those of an exact version of the package they come from."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

VENDOR = Path(__file__).parent.parent / "sandbox/page/static/vendor"
MANIFEST = VENDOR / "vendored.json"
LISTED: dict[str, dict[str, Any]] = json.loads(MANIFEST.read_text(encoding="utf-8"))


def test_every_vendored_file_is_listed_and_every_listed_one_is_there() -> None:
    assert {file.name for file in VENDOR.iterdir()} - {MANIFEST.name} == LISTED.keys()


@pytest.mark.parametrize("name", LISTED)
def test_a_vendored_file_has_the_hash_it_has_in_its_package(name: str) -> None:
    assert sha256((VENDOR / name).read_bytes()).hexdigest() == LISTED[name]["sha256"]


@pytest.mark.parametrize("name", LISTED)
def test_a_vendored_file_has_an_exact_version_and_a_license(name: str) -> None:
    listed = LISTED[name]
    assert re.fullmatch(r"\d+\.\d+\.\d+", listed["version"])
    assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", listed["integrity"])
    assert listed["package"]
    assert listed["path"]
    assert listed["license"]
