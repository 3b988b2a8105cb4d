"""No secret is in anything that the bot writes at the level that tells most, nor in any file."""

from collections import deque
from pathlib import Path

import pytest

from bot.settings import Settings
from sandbox.bot_process import BotProcess
from sandbox.faults import (
    CutAfter,
    DiscordFault,
    EditFault,
    declined,
    failed,
    rate_limited,
    server_error,
    token_dead,
)
from sandbox.sandbox import Sandbox
from tests.members import Person
from tests.services import hang

pytestmark = pytest.mark.usefixtures("small_results")


async def test_neither_at_debug_nor_in_any_file_after_a_clean_stop(
    sandbox: Sandbox, settings: Settings, tmp_path: Path
):
    process = BotProcess(sandbox.environment(), folder=tmp_path, settings={"LOG_LEVEL": "debug"})
    process.last_lines = deque()
    ada = Person.join(sandbox, settings, "Ada")
    async with process:
        await process.connected(sandbox.discord)
        await go_right(sandbox, ada)
        await go_wrong(sandbox, ada, process)
        await be_killed(sandbox, ada, process)
        process.terminate()
        assert await process.ended() == 0

    written = "\n".join(process.last_lines)
    assert "bot.ready" in written
    assert "edit.faulted" in written
    interactions = sandbox.discord.interactions
    assert len(interactions) > 10
    secrets = [sandbox.discord_token, sandbox.edit_api_key, *(each.token for each in interactions)]
    for secret in secrets:
        assert secret not in written
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert process.ledger in files
    for file in files:
        content = file.read_bytes()
        assert not any(secret.encode() in content for secret in secrets), file


async def go_right(sandbox: Sandbox, ada: Person) -> None:
    """Edits, buttons, a form and other commands."""
    card = await (await ada.edit(count=2)).posted()
    await (await ada.edit(private=True)).posted()
    pressed = await ada.press(card, "Edit this")
    await pressed.acknowledged()
    again = await sandbox.discord.submit(pressed, {"prompt": "make it red"})
    await again.posted()
    await ada.told(card, "Before & after")
    await ada.told(card, "Delete")
    for command in ("credits", "history", "help"):
        await ada.run(command)


async def go_wrong(sandbox: Sandbox, ada: Person, process: BotProcess) -> None:
    """What each side can say no by, the edit API with the key in its words."""
    faults = sandbox.faults
    echoed = f"bad key {sandbox.edit_api_key}"
    at_api = [declined(echoed), failed(401, echoed), failed(500, echoed), CutAfter()]
    fired = [faults.edit_api.add(EditFault(action=action)) for action in at_api]
    for edit in [await ada.edit(quality="low") for _ in at_api]:
        await edit.settled()
    # At once, since each is followed by a pause.
    at_discord = [server_error(502), rate_limited(0.01), CutAfter(), token_dead()]
    fired += [
        faults.discord.add(DiscordFault(action=action, method="PATCH", path="/messages/@original$"))
        for action in at_discord
    ]
    for edit in [await ada.edit(quality="low") for _ in at_discord]:
        await process.event("edit.closed", edit=str(edit.id))
    assert all(fault.fired for fault in fired)
    faults.discord.add(DiscordFault(action=server_error(500), method="POST", path="/callback"))
    edit = await ada.edit(quality="low")
    await process.event("edit.closed", edit=str(edit.id))


async def be_killed(sandbox: Sandbox, ada: Person, process: BotProcess) -> None:
    """A call that is under way while the process is killed, and its end after the next start."""
    calls = len(sandbox.edit_api.calls)
    hang(sandbox)
    edit = await ada.edit(quality="low")
    await sandbox.edit_api.called(times=calls + 1)
    await process.crash()
    await process.start()
    await process.event("edit.closed", edit=str(edit.id))
