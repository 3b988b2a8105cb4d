"""Whatever others write, wherever it is shown, pings nobody and is no markdown there."""

import re

import pytest

from sandbox.discord.messages import Message
from sandbox.discord.permissions import Permission
from sandbox.faults import EditFault, declined
from sandbox.sandbox import Sandbox, Upload
from tests.conftest import Events, RunningBot
from tests.images_made import make_image
from tests.members import Person
from tests.moderators import Moderator

pytestmark = pytest.mark.usefixtures("small_results")

LONGEST_TEXT = 4_000
"""Characters of all of a message with Components V2: more than of any other."""

NAME = "@everyone [x](https://e.io)"
WORDS = (
    "@everyone @here <@1> <@!1> <@&1> <#1> </edit:1> <t:0:R> <a:b:1> "
    "**b** __u__ ~~s~~ ||h|| `c` ```\ncode\n````` [x](https://e.io) [x](<https://e.io>) "
    "<https://e.io> https://e.io\n# H\n## H\n-# small\n> quoted\n>>> quoted\n- item\n1. item "
    "\u202eesrever\u202c a\u200bb\u2066c\u061c\n\n\n\u2028\u2028\u2028end"
)
BARE = re.compile(
    r"@everyone|@here|(?<!\\)<(@[!&]?1>|#1>|/edit:1>|t:0:R>|a:b:1>)"
    r"|(?<!\\)(\*\*b|__u|~~s|\|\|h|\[x\])"
    r"|^(# H|## H|-# small|> quoted|>>> quoted|- item|1\. item)"
    r"|https?://e\.io"
    r"|[\u202a-\u202e\u2066-\u2069\u061c\u2028]|\n\s*\n\s*\nend",
    re.MULTILINE,
)
"""What Discord would take for more than words."""

CODE = re.compile(r"```\n.*?```|``.*?``|`[^`\n]*`", re.DOTALL)
"""Where Discord takes nothing for more than words, as the bot writes it."""


async def test_nothing_that_others_write_is_more_than_words_anywhere(
    sandbox: Sandbox, bot: RunningBot, events: Events
):
    guild = sandbox.discord.guilds[0]
    mallory = Person.join(
        sandbox,
        bot.settings,
        NAME,
        permissions=Permission.MANAGE_GUILD | Permission.MANAGE_MESSAGES,
    )
    mod = Moderator(sandbox, mallory.member, mallory.channel)
    log = guild.channels[1]
    await mod.set(log_channel=log)

    # Cards, and what their buttons show.
    image = Upload("**b** [x](https://e.io) @everyone.png", make_image(), "image/png")
    card = await (await mallory.edit(prompt=WORDS, image=image, count=2)).settled()
    for label in ("Before & after", "Full prompt"):
        await mallory.told(card, label)
    sandbox.faults.edit_api.add(EditFault(action=declined(WORDS)))
    await (await mallory.edit(prompt=WORDS)).settled()
    await events.logs("edit.closed", times=2)

    # Commands that show what was written.
    for reason in (WORDS[:200], "``` ` ``", "@everyone"):
        user = mallory.member
        await (await mod.run("quota user", user=user, credits="90", reason=reason)).settled()
    await mallory.run("quota log")
    await mallory.run("quota show", user=mallory.member)
    await mallory.run("history")
    await mallory.run("usage", export=True)
    await mod.set(refuse="@everyone **b**")
    await (await mallory.edit(prompt=WORDS)).settled()
    await mod.show()
    await mallory.run("help")
    guided = await mallory.command("edit-guided", image=image)
    await guided.acknowledged()
    parts = {"keep": WORDS[:300], "change": WORDS[:400], "look": "```", "text": NAME}
    await (await sandbox.discord.submit(guided, parts)).settled()

    await sandbox.discord.posted(log, lambda message: "Declined" in message.text)
    shown = every_message(sandbox)
    assert sum("everyone" in message.text for message in shown) > 12
    for message in shown:
        assert not message.pinged
        assert len(message.text) <= LONGEST_TEXT
        assert BARE.search(CODE.sub("", message.text)) is None, message.text


def every_message(sandbox: Sandbox) -> list[Message]:
    """All that the bot shows, to everybody and to single members."""
    public = [
        message
        for channel in sandbox.discord.guilds[0].channels
        for message in sandbox.discord.messages(channel)
    ]
    answers = [each.message for each in sandbox.discord.interactions if each.message is not None]
    return [*public, *answers]
