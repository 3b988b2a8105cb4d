"""The directions between the parts, read from their imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("bot", "cogs")
    for path in sorted((ROOT / package).rglob("*.py"))
}

PURE = (
    *("bot.states", "bot.errors", "bot.pricing", "bot.quotas", "bot.server_settings"),
    *("bot.phrases", "bot.pictures", "bot.edit_api", "bot.custom_ids", "bot.pixels.tasks"),
    *("bot.forms", "bot.guided_prompt", "bot.message_pictures"),
    *("bot.queue", "bot.estimates", "bot.progress"),
)
MAY_IMPORT_DISCORD = ("cogs", "bot.discord_client", "bot.__main__")
MAY_KNOW_SQL = ("bot.ledger",)
MAY_TOUCH_PIXELS = (
    *("bot.pixels.child", "bot.pixels.decoding", "bot.pixels.encoding"),
    *("bot.reports.chart_drawing", "bot.sandbox"),
)
PIXELS = ("PIL", "pi_heif", "matplotlib", *MAY_TOUCH_PIXELS[:3])
SQL = ("apsw", "sqlite3", "asyncpg", "bot.ledger.sqlite", "bot.ledger.sqlite.connection")


def imports_of(module: str) -> Iterator[str]:
    """Absolute names that a module imports, whatever part of it does."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
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


def is_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module: str) -> None:
    imported = set(imports_of(module))
    if not is_in(module, MAY_IMPORT_DISCORD):
        assert not [name for name in imported if is_in(name, ("discord",))]
    if not is_in(module, ("cogs", "bot.__main__")):
        assert not [name for name in imported if is_in(name, ("cogs",))]
    if not is_in(module, (*MAY_KNOW_SQL, "bot.__main__")):
        assert not [name for name in imported if is_in(name, SQL)]
    if not is_in(module, ("bot.sandbox", "bot.__main__")):
        assert not [name for name in imported if is_in(name, ("bot.sandbox",))]


@pytest.mark.parametrize("module", MODULES)
def test_pixels_are_touched_in_child_processes_only(module: str) -> None:
    if not is_in(module, MAY_TOUCH_PIXELS):
        assert not [name for name in imports_of(module) if is_in(name, PIXELS)]


@pytest.mark.parametrize("module", [name for name in MODULES if is_in(name, ("bot.sandbox",))])
def test_the_sandbox_imports_nothing_of_the_bots_domain(module: str) -> None:
    ours = [name for name in imports_of(module) if is_in(name, ("bot", "cogs"))]
    assert not [name for name in ours if not is_in(name, ("bot.sandbox",))]


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_do_no_input_or_output(module: str) -> None:
    outward = ("aiohttp", "asyncio", "apsw", "structlog", "bot.ledger", "bot.edit_client")
    assert not [name for name in imports_of(module) if is_in(name, outward)]


@pytest.mark.parametrize("module", [name for name in MODULES if is_in(name, ("cogs",))])
def test_no_cog_imports_another(module: str) -> None:
    cogs = (
        "cogs.edit",
        "cogs.edit_guided",
        "cogs.edit_image",
        "cogs.credits",
        "cogs.help",
        "cogs.history",
        "cogs.quota",
        "cogs.settings",
        "cogs.usage",
        "cogs.privacy",
        "cogs.cancel",
    )
    assert not [name for name in imports_of(module) if is_in(name, cogs)]


def test_the_use_case_knows_no_discord_and_no_engine() -> None:
    outward = ("discord", "aiohttp", "apsw", "bot.discord_front", "bot.discord_rest", "cogs")
    assert not [name for name in imports_of("bot.editing") if is_in(name, outward)]


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_in_a_docstring_what_its_idea_is(module: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8")))
