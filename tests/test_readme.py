"""What the README and SECURITY.md name is there: commands, figures, tests."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


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
