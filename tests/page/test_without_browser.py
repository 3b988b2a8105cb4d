"""What is said where there is no browser."""

import asyncio
import sys
from pathlib import Path

from sandbox.bot_process import PROJECT
from tests.page import NO_BROWSER, TO_INSTALL

SKIPPED = "tests/page/test_tabs.py::test_a_page_whose_sandbox_ends_says_so"


async def test_without_a_browser_its_tests_are_skipped_and_one_line_says_so(tmp_path: Path):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", SKIPPED, "-n", "0", "-p", "no:cacheprovider"),
        cwd=PROJECT,
        env={"PATH": "", "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    told = [line for line in out.decode().splitlines() if NO_BROWSER in line]
    assert told == [f"Tests skipped, for {NO_BROWSER}: 1. {TO_INSTALL}"]
