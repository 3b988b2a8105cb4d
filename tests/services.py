"""What tests let Discord and the edit API do, and what these were asked for."""

from sandbox.faults import DiscordFault, EditFault, Hang, RequestAction
from sandbox.sandbox import Interaction, Sandbox
from tests.conftest import RunningBot
from tests.members import Person


def hang(sandbox: Sandbox, *, times: int | None = 1, prompt: str | None = None) -> Hang:
    """Let calls of the edit API hang."""
    action = Hang()
    sandbox.faults.edit_api.add(EditFault(action=action, times=times, prompt=prompt))
    return action


async def take_the_slot(sandbox: Sandbox, ada: Person) -> Hang:
    """Let Bob's call hang, in a bot with one slot."""
    call = hang(sandbox)
    await Person.join(sandbox, ada.settings, "Bob").edit()
    await sandbox.edit_api.called()
    return call


def at_discord(
    sandbox: Sandbox, action: RequestAction, *, method: str, path: str, times: int | None = 1
) -> DiscordFault:
    """A fault at Discord's REST API."""
    return sandbox.faults.discord.add(
        DiscordFault(action=action, method=method, path=path, times=times)
    )


def count(sandbox: Sandbox, method: str, ending: str = "", *, start: str = "") -> int:
    """How many requests of a kind the bot sent to Discord."""
    return sum(
        request.method == method
        and request.path.startswith(start)
        and request.path.endswith(ending)
        for request in sandbox.discord.requests
    )


async def leave_rendered(
    sandbox: Sandbox, bot: RunningBot, ada: Person, *, private: bool = False
) -> Interaction:
    """An edit whose image was being posted when the bot ended."""
    post = at_discord(sandbox, Hang(), method="PATCH", path="/messages/@original$")
    edit = await ada.edit(private=private)
    await post.happened()
    await bot.stop()
    return edit
