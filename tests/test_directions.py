"""The directions between the parts, read from their imports."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("bot", "cogs", "sandbox")
    for path in sorted((ROOT / package).rglob("*.py"))
}

PURE = (
    "bot.domain",
    *("bot.images.headers", "bot.images.tasks", "bot.edit_api.wire"),
    *("bot.discord_io.custom_ids", "bot.discord_io.modals", "bot.discord_io.message_images"),
    "bot.discord_io.responses",
    *("bot.scheduling.fair_order", "bot.scheduling.kill_limit", "bot.scheduling.progress"),
    "bot.scheduling.estimates",
)
"""Modules without I/O, outside of the domain too."""
MAY_IMPORT_DISCORD = ("cogs", "bot.discord_io.client", "bot.app")
MAY_KNOW_SQL = ("bot.ledger",)
MAY_TOUCH_PIXELS = (
    *("bot.images.worker.child", "bot.images.worker.decoding", "bot.images.worker.encoding"),
    *("bot.reports.chart_drawing", "sandbox"),
)
PIXELS = ("PIL", "pillow_heif", *MAY_TOUCH_PIXELS[:3])
SQL = ("apsw", "sqlite3", "asyncpg", "bot.ledger.sqlite", "bot.ledger.sqlite.connection")


@cache
def imports_of(module: str) -> tuple[str, ...]:
    """Absolute names that a module imports, whatever part of it does."""
    return tuple(find_imports(module))


def find_imports(module: str) -> Iterator[str]:
    for node in ast.walk(parsed(module)):
        match node:
            case ast.Import(names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(source), level=0, names=names):
                yield source
                yield from (f"{source}.{name.name}" for name in names)
            case ast.ImportFrom():
                raise AssertionError(f"{module} imports relatively")
            case _:
                pass


def parsed(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def is_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def importers_of(forbidden: tuple[str, ...], among: Iterable[str]) -> list[str]:
    """What those modules import of what is forbidden to them, in words."""
    return [
        f"{module} imports {name}"
        for module in among
        for name in imports_of(module)
        if is_in(name, forbidden)
    ]


def all_but(*packages: str) -> list[str]:
    """The modules outside of some packages."""
    return [module for module in MODULES if not is_in(module, packages)]


def all_in(package: str) -> list[str]:
    """The modules of a package."""
    return [module for module in MODULES if is_in(module, (package,))]


@pytest.mark.parametrize(
    ("forbidden", "importers"),
    [
        (("discord",), MAY_IMPORT_DISCORD),
        (("cogs",), ("cogs", "bot.app")),
        (SQL, (*MAY_KNOW_SQL, "bot.app", "bot.__main__")),
        (("sandbox",), ("sandbox", "bot.__main__")),
    ],
    ids=["discord", "cogs", "SQL", "sandbox"],
)
def test_imports_go_one_way(forbidden: tuple[str, ...], importers: tuple[str, ...]) -> None:
    assert importers_of(forbidden, all_but(*importers)) == []
    assert importers_of(forbidden, MODULES), "nobody imports it: it is called otherwise by now"


def test_pixels_are_touched_in_child_processes_only() -> None:
    assert importers_of(PIXELS, all_but(*MAY_TOUCH_PIXELS)) == []


def test_the_sandbox_imports_nothing_of_the_bots_domain() -> None:
    ours = importers_of(("bot", "cogs"), all_in("sandbox"))
    assert [each for each in ours if not is_in(each.split()[-1], ("sandbox",))] == []


def test_the_domain_imports_itself_and_the_standard_library_alone() -> None:
    outside = [
        f"{module} imports {name}"
        for module in all_in("bot.domain")
        for name in imports_of(module)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not is_in(name, ("bot.domain",))
        and name != "bot"
    ]
    assert outside == []


def test_pure_modules_do_no_input_or_output() -> None:
    outward = (
        *("aiohttp", "asyncio", "apsw", "structlog", "bot.ledger", "bot.edit_api.client"),
        *("bot.downloads.connections", "bot.downloads.sources", "bot.downloads.results"),
    )
    pure = [module for module in MODULES if is_in(module, PURE)]
    assert importers_of(outward, pure) == []


def test_no_cog_imports_another() -> None:
    features = tuple(
        module for module in MODULES if re.fullmatch(r"cogs\.\w+", module) and module not in SHARED
    )
    assert importers_of(features, all_in("cogs")) == []


SHARED = ("cogs.ui", "cogs.text")


def test_the_use_case_knows_no_discord_and_no_engine() -> None:
    outward = (
        "discord",
        "aiohttp",
        "apsw",
        "bot.downloads.connections",
        "bot.downloads.results",
        "bot.edit_api.client",
        "bot.discord_io.edit_messages",
        "bot.discord_io.rest",
        "bot.discord_io.transport",
        "cogs",
    )
    assert importers_of(outward, all_in("bot.editing")) == []


def test_every_module_says_in_a_docstring_what_its_idea_is() -> None:
    assert [module for module in MODULES if not ast.get_docstring(parsed(module))] == []
