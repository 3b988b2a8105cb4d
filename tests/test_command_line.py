"""The command line starts fast: it imports what the command needs and no more."""

import asyncio
import sys

import pytest

HEAVY = ("aiohttp", "apsw", "discord", "rich", "sandbox")


@pytest.mark.parametrize("arguments", [["--help"], ["doctor", "--help"], ["unknown"]])
async def test_help_and_typos_import_nothing_heavy(arguments: list[str]):
    code = (
        "import sys; from bot.__main__ import main\n"
        f"sys.argv[1:] = {arguments}\n"
        "try:\n    main()\n"
        f"finally:\n    assert not sys.modules.keys() & set({HEAVY})"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert b"Traceback" not in errors
    assert process.returncode == (2 if arguments == ["unknown"] else 0)
