"""Members who edit images all the time, by `/edit` and by a result's button, and what they saw.

Each waits until its edits have ended, or until it has seen enough of waiting, and then runs the
next ones; some cancel one that waits. Who has spent its quota is refused a few times, and makes
room for somebody new.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from drills.images import draw, make_prompt, make_source
from sandbox.discord.guilds import Member
from sandbox.discord.interactions.commands import InvalidInvocation
from sandbox.discord.interactions.interactions import SECONDS_TO_ACKNOWLEDGE, CallbackType
from sandbox.discord.messages import Message
from sandbox.sandbox import Interaction, Sandbox
from sandbox.signals import Signal
from tests.members import buttons_of

QUOTA = 300
"""Credits of each member: some twenty edits."""

REFUSALS = 2
"""A member who was refused so often in a row leaves."""

AFTER_REFUSAL = 1.0
"""Seconds that whoever was refused thinks about it, at most."""

EDITS_AGAIN, CANCELS = 1 / 3, 1 / 10
"""Of the results and of the edits that wait, so many are edited again and cancelled."""

CHANNELS = 4
"""Text channels in which edits are made."""

KEPT_REQUESTS = 1_000
"""So many at once are forgotten: the sandbox keeps all, and there are very many."""

UNTIL_CONNECTED = 600.0
"""Seconds in which a bot that was killed or cut off has to be back."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One command of a member, or one form it sent, by the number in its prompt."""

    number: int
    count: int
    private: bool
    interaction: Interaction

    @property
    def refused(self) -> bool:
        """Whether the first answer was a message by itself, as those to refused orders are."""
        first = self.interaction.acknowledgement
        return first is not None and first.type == CallbackType.MESSAGE


class Crowd:
    """So many members at once."""

    def __init__(self, sandbox: Sandbox, rng: Random, *, size: int, patience: float) -> None:
        """Set the stage; `patience` is in seconds, after which a member stops watching an edit."""
        self.asked: list[Asked] = []
        self.ended = 0
        """Edits whose end a member saw."""
        self.changed = Signal()
        self._sandbox = sandbox
        self._rng = rng
        self._size = size
        self._patience = patience
        self._leaving = False
        self._joined = 0
        self._number = 0
        self._guild = sandbox.discord.guilds[0]
        while len(self._guild.channels) < CHANNELS:
            sandbox.world.add_channel(self._guild, f"channel-{len(self._guild.channels)}")
        sandbox.edit_api.answer_by(draw)

    def __str__(self) -> str:
        return f"{len(self.asked)} commands, {self.ended} edits ended"

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[None]:
        """Run commands meanwhile; at the end each member waits for what it has under way."""
        async with asyncio.TaskGroup() as group:
            members = [group.create_task(self._live()) for _ in range(self._size)]
            try:
                yield
            except BaseException:
                for member in members:
                    member.cancel()
                raise
            self._leaving = True

    async def until_ended(self, edits: int) -> None:
        """Wait until so many edits have ended."""
        await self.changed.until(lambda: True if self.ended >= edits else None, timeout=None)

    async def _live(self) -> None:
        member, refusals = self._join(), 0
        while not self._leaving:
            # Most of what is run while nobody listens would only be ignored.
            await self._sandbox.discord.connected(timeout=UNTIL_CONNECTED)
            burst = [self._run_edit(member) for _ in range(self._rng.choice((1, 1, 1, 2, 3)))]
            asked = [await each for each in burst]
            await asyncio.gather(*map(self._watch, asked))
            await asyncio.gather(*(self._edit_again(each) for each in asked))
            if not all(each.refused for each in asked):
                refusals = 0
                continue
            refusals += 1
            if refusals == REFUSALS:
                member, refusals = self._join(), 0
            await asyncio.sleep(self._rng.uniform(0, AFTER_REFUSAL))

    def _join(self) -> Member:
        self._joined += 1
        return self._sandbox.discord.add_member(self._guild, f"Member {self._joined}")

    async def _run_edit(self, member: Member) -> Asked:
        if len(self._sandbox.discord.requests) > KEPT_REQUESTS:
            self._sandbox.discord.requests.clear()
        rng = self._rng
        count, private = rng.choice((1, 1, 2, 3, 4)), rng.random() < 1 / 4
        number, prompt = self._next()
        options = {
            "image": make_source(),
            "prompt": prompt,
            "quality": rng.choice(("low", "low", "low", "medium", "high")),
            "count": count,
            "private": private,
        }
        channel = rng.choice(self._guild.channels)
        interaction = await self._sandbox.discord.invoke(channel, member, "edit", options)
        return self._note(Asked(number, count, private, interaction))

    async def _edit_again(self, asked: Asked) -> None:
        """Sometimes edit a result again, by the form behind its button, and watch that edit."""
        discord, message = self._sandbox.discord, asked.interaction.message
        if message is None or not message.files or self._rng.random() >= EDITS_AGAIN:
            return
        # The message may be deleted, and the form not be shown.
        with suppress(InvalidInvocation, TimeoutError):
            pressed = await self._press(asked, "Edit this")
            shown = await pressed.acknowledged(timeout=SECONDS_TO_ACKNOWLEDGE)
            if shown.type != CallbackType.MODAL:
                return
            number, prompt = self._next()
            values: dict[str, Any] = {"prompt": prompt, "quality": ["low"], "count": ["1"]}
            if len(message.files) > 1:
                values["picture"] = ["0"]
            again = Asked(number, 1, asked.private, await discord.submit(pressed, values))
            await self._watch(self._note(again))

    async def _watch(self, asked: Asked) -> None:
        cancels = self._rng.random() < CANCELS
        with suppress(TimeoutError):
            await asked.interaction.acknowledged(timeout=SECONDS_TO_ACKNOWLEDGE)
            if asked.refused:
                return
            if cancels:
                await asked.interaction.until(
                    lambda message: has_ended(message) or "Cancel" in buttons_of(message),
                    timeout=self._patience,
                )
                with suppress(InvalidInvocation):
                    await self._press(asked, "Cancel")
            await asked.interaction.until(has_ended, timeout=self._patience)
            self.ended += 1
            self.changed.fire()

    async def _press(self, asked: Asked, label: str) -> Interaction:
        """Press a button of an edit's message; raises InvalidInvocation where there is none."""
        interaction = asked.interaction
        message = interaction.message
        custom_id = None if message is None else buttons_of(message).get(label)
        if message is None or custom_id is None:
            raise InvalidInvocation(f"there is no button {label}")
        return await self._sandbox.discord.press(message, interaction.member, custom_id)

    def _next(self) -> tuple[int, str]:
        """A number that no edit had, and the prompt with it."""
        self._number += 1
        return self._number, make_prompt(self._number)

    def _note(self, asked: Asked) -> Asked:
        self.asked.append(asked)
        return asked


def has_ended(message: Message) -> bool:
    """Whether an edit's answer says how it ended: not that it waits, which is plain text."""
    return message.deleted or message.now.components_v2
