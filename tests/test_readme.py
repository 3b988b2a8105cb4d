"""What the docs name exists: links, commands, files, figures, tests."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose_of(page: Path) -> str:
    """A page without its fenced blocks, where nothing is a link or a heading."""
    return re.sub(
        r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def relative_links(page: Path) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if not link.startswith(("https://", "http://", "../../")):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_relative_link_points_to_a_file_and_a_heading(page: Path) -> None:
    for link in relative_links(page):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize("name", ["commands", "operating", "architecture", "performance"])
def test_each_docs_page_lists_its_contents(name: str) -> None:
    page = ROOT / "docs" / f"{name}.md"
    sections = re.findall(r"^## (.+)$", prose_of(page), re.MULTILINE)
    assert re.findall(r"^- \[(.+)\]\(#.+\)$", prose_of(page), re.MULTILINE) == sections


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_command_that_the_docs_name_exists(page: Path) -> None:
    parsers = (ROOT / "bot" / "__main__.py").read_text(encoding="utf-8")
    subcommands = {
        "bot": set(re.findall(r"add_parser\(\s*\"(\w+)\"", parsers)),
        "drills": {path.stem for path in (ROOT / "drills").glob("*.py")},
    }
    text = page.read_text(encoding="utf-8")
    for module, subcommand in re.findall(r"\bpython3? -m ([\w.]+)(?: ([a-z]+)\b)?", text):
        assert find_spec(module), module
        assert not subcommand or subcommand in subcommands[module], f"{module} {subcommand}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_file_that_the_docs_name_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    folders = "bot|cogs|sandbox|tests|benchmarks|drills|docs|typings"
    for file in re.findall(rf"`((?:{folders})/[\w./]*)[`:]", text):
        assert (ROOT / file).exists(), file


def test_ci_passes_the_tests_with_the_very_command_of_the_readme() -> None:
    (command,) = re.findall(r"^ {4}(python3 .*pytest)$", README, re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", re.findall(r"`python -m (benchmarks\.\w+)`", PERFORMANCE))
def test_each_figure_names_a_command_that_is_there(command: str) -> None:
    assert (ROOT / f"{command.replace('.', '/')}.py").exists()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_what_is_installed_is_pinned_and_hashed_and_names_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    packages = re.findall(r"^[a-z].*$", text, re.MULTILINE)
    assert packages
    assert all("==" in package and package.endswith("\\") for package in packages)
    assert not re.search(r"^--(index|extra|find|trusted)|https?:", text, re.MULTILINE)


def test_the_invitation_asks_for_the_permissions_that_are_named_and_no_other() -> None:
    view_channel, send_messages, attach_files = 1 << 10, 1 << 11, 1 << 15
    read_history, send_in_threads = 1 << 16, 1 << 38
    (asked,) = re.findall(r"permissions=(\d+)", README)
    posting = view_channel | send_messages | send_in_threads | attach_files
    assert int(asked) == posting | read_history


def test_each_promise_about_security_names_tests_that_are_there() -> None:
    rows = [
        line
        for line in (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith(("| promise", "| ---"))
    ]
    assert rows
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row.split("|")[2])
        assert named, row
        for file, test in named:
            text = (ROOT / file).read_text(encoding="utf-8")
            assert re.search(rf"^(async )?(def|class) {test}\b|^{test} = ", text, re.MULTILINE), (
                test
            )
