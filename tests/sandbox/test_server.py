"""The sandbox as a whole: a bot written with discord.py goes through it from login to result."""

import asyncio
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route
from PIL import Image

from sandbox.discord.interactions.invocation import Filled
from sandbox.sandbox import Acknowledgement, RawId, Sandbox, Upload
from sandbox.values import object_at, objects_at, text_at


def png(width: int = 640, height: int = 480, colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


class EchoBot(discord.Client):
    """Answers `/edit` with the image it got, as a card, `/name` with what was named.

    `/ask` is answered with a form, and the form with what was filled in.
    """

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.tree: app_commands.CommandTree[discord.Client] = app_commands.CommandTree(self)
        self.tree.command(name="edit", description="Edit an image")(edit)
        self.tree.command(name="name", description="Name something")(name)
        self.tree.command(name="ask", description="Ask for everything")(ask)

    async def setup_hook(self) -> None:
        """Register the command before anything else."""
        await self.tree.sync()


@app_commands.guild_only()
async def edit(
    interaction: discord.Interaction,
    image: discord.Attachment,
    prompt: str,
    count: app_commands.Range[int, 1, 4] = 1,
) -> None:
    await interaction.response.defer(thinking=True)
    data = await image.read()
    files = [discord.File(io.BytesIO(data), f"{index}.png") for index in range(count)]
    gallery: discord.ui.MediaGallery[discord.ui.LayoutView] = discord.ui.MediaGallery()
    for file in files:
        gallery.add_item(media=file, description=prompt)
    view = discord.ui.LayoutView()
    view.add_item(gallery)
    view.add_item(discord.ui.TextDisplay(f"Done: {prompt}"))
    await interaction.edit_original_response(view=view, attachments=files)


async def suggest(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=f"{typed}!", value=typed)]


@app_commands.autocomplete(hint=suggest)
async def name(
    interaction: discord.Interaction,
    who: discord.User | None = None,
    role: discord.Role | None = None,
    where: discord.TextChannel | discord.Thread | None = None,
    hint: str | None = None,
) -> None:
    named = [type(each).__name__ for each in (who, role, where, interaction.channel) if each]
    told = f"Named {', '.join(named)}"
    await interaction.response.send_message(told, view=Turning(timeout=None), ephemeral=True)


class Turning(discord.ui.View):
    """A button that puts an image in place of what it stands under."""

    @discord.ui.button(label="Turn", custom_id="turn")
    async def turn(
        self, interaction: discord.Interaction, _: discord.ui.Button[discord.ui.View]
    ) -> None:
        file = discord.File(io.BytesIO(png()), "turned.png")
        await interaction.response.edit_message(content="Turned", attachments=[file], view=None)


class Questions(discord.ui.Modal):
    """A form with the fields that nothing is resolved for."""

    def __init__(self) -> None:
        super().__init__(title="Questions")
        colours = [discord.RadioGroupOption(label=each) for each in ("Red", "Blue")]
        numbers = [discord.CheckboxGroupOption(label=each) for each in ("One", "Two")]
        self.text: discord.ui.TextInput[Questions] = discord.ui.TextInput(default="as before")
        self.either: discord.ui.RadioGroup[Questions] = discord.ui.RadioGroup(options=colours)
        self.some: discord.ui.CheckboxGroup[Questions] = discord.ui.CheckboxGroup(options=numbers)
        self.yes: discord.ui.Checkbox[Questions] = discord.ui.Checkbox(default=True)
        self.add_item(discord.ui.TextDisplay("Tell us"))
        self.add_item(discord.ui.Label(text="Text", component=self.text))
        self.add_item(discord.ui.Label(text="Either", component=self.either))
        self.add_item(discord.ui.Label(text="Some", component=self.some))
        self.add_item(discord.ui.Label(text="Yes", component=self.yes))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Tell what was filled in, and ask whom it is about."""
        told = [self.text.value, self.either.value, self.some.values, self.yes.value]
        await interaction.response.send_message(repr(told), view=Choosing(timeout=None))


class Choosing(discord.ui.View):
    """A select of people that is answered with another form."""

    @discord.ui.select(cls=discord.ui.UserSelect[discord.ui.View], custom_id="who", max_values=2)
    async def choose(
        self, interaction: discord.Interaction, select: discord.ui.UserSelect[discord.ui.View]
    ) -> None:
        title = ", ".join(each.name for each in select.values)
        await interaction.response.send_modal(Things(title=title))


class Things(discord.ui.Modal):
    """A form with the fields that something is resolved for."""

    def __init__(self, *, title: str) -> None:
        super().__init__(title=title)
        self.files: discord.ui.FileUpload[Things] = discord.ui.FileUpload(max_values=2)
        self.role: discord.ui.RoleSelect[Things] = discord.ui.RoleSelect()
        self.where: discord.ui.ChannelSelect[Things] = discord.ui.ChannelSelect()
        self.add_item(discord.ui.Label(text="Files", component=self.files))
        self.add_item(discord.ui.Label(text="Role", component=self.role))
        self.add_item(discord.ui.Label(text="Where", component=self.where))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Tell what was given."""
        files = [(each.filename, len(await each.read())) for each in self.files.values]
        named = [each.name for each in (*self.role.values, *self.where.values)]
        await interaction.response.edit_message(content=f"{files} {named}", view=None)


async def ask(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Questions())


@asynccontextmanager
async def running_bot(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[EchoBot]:
    monkeypatch.setattr(Route, "BASE", sandbox.discord_api_url)
    gateway = yarl.URL(sandbox.discord.gateway.url)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
    bot = EchoBot()
    running = asyncio.create_task(bot.start(sandbox.discord_token))
    try:
        await sandbox.discord.connected()
        yield bot
    finally:
        await bot.close()
        await running


async def test_a_discord_py_bot_answers_a_command_with_images(monkeypatch: pytest.MonkeyPatch):
    async with Sandbox() as sandbox, running_bot(sandbox, monkeypatch):
        guild = sandbox.discord.guilds[0]
        member = sandbox.discord.add_member(guild, "Ada")
        image = png()
        interaction = await sandbox.discord.invoke(
            guild.channels[0],
            member,
            "edit",
            {"image": Upload("photo.png", image), "prompt": "make it blue", "count": 2},
        )
        acknowledgement = await interaction.acknowledged()
        message = await interaction.settled()

        assert acknowledgement.type == 5
        assert message.text == "Done: make it blue"
        assert [file.path.read_bytes() for file in message.files] == [image, image]
        assert [file.description for file in message.files] == ["make it blue"] * 2
        assert message.attachments == ()
        assert [revision.flags for revision in message.revisions] == [1 << 7, 1 << 15]
        assert sandbox.discord.messages(guild.channels[0]) == [message]


async def test_a_discord_py_bot_resumes_after_a_cut_and_misses_nothing(
    monkeypatch: pytest.MonkeyPatch,
):
    async with Sandbox() as sandbox, running_bot(sandbox, monkeypatch):
        guild = sandbox.discord.guilds[0]
        member = sandbox.discord.add_member(guild, "Ada")
        (session,) = sandbox.discord.gateway.connected
        sandbox.faults.gateway.drop_all()
        options = {"image": Upload("photo.png", png()), "prompt": "make it blue"}
        interaction = await sandbox.discord.invoke(guild.channels[0], member, "edit", options)
        assert (await interaction.settled()).text == "Done: make it blue"
        assert sandbox.discord.gateway.connected == [session]


async def test_a_discord_py_bot_reads_what_members_name(monkeypatch: pytest.MonkeyPatch):
    async with Sandbox() as sandbox, running_bot(sandbox, monkeypatch):
        guild = sandbox.discord.guilds[0]
        member = sandbox.discord.add_member(guild, "Ada")
        gone = sandbox.discord.add_member(guild, "Gone")
        sandbox.discord.leave(gone)
        role = sandbox.discord.add_role(guild, "Painters")
        thread = sandbox.discord.add_thread(guild.channels[0], "brushes")
        options = {"who": member, "role": role, "where": thread}
        here = await sandbox.discord.invoke(guild.channels[0], member, "name", options)
        assert (await here.settled()).text == "Named Member, Role, Thread, TextChannel"
        there = await sandbox.discord.invoke(thread, member, "name", {"who": gone})
        assert (await there.settled()).text == "Named User, Thread"
        raw = {"who": RawId(1), "role": RawId(2)}
        unknown = await sandbox.discord.invoke(thread, member, "name", raw)
        assert (await unknown.settled()).text == "Named Object, Object, Thread"


async def test_a_discord_py_bot_suggests(monkeypatch: pytest.MonkeyPatch):
    async with Sandbox() as sandbox, running_bot(sandbox, monkeypatch):
        guild = sandbox.discord.guilds[0]
        member = sandbox.discord.add_member(guild, "Ada")
        typed = {"role": guild.everyone, "hint": "blu"}
        asked = await sandbox.discord.complete(
            guild.channels[0], member, "name", typed, focused="hint"
        )
        (choice,) = (await asked.acknowledged()).choices
        assert (choice["name"], choice["value"]) == ("blu!", "blu")


async def test_a_discord_py_bot_puts_an_image_into_a_private_message(
    monkeypatch: pytest.MonkeyPatch,
):
    async with Sandbox() as sandbox, running_bot(sandbox, monkeypatch):
        guild = sandbox.discord.guilds[0]
        member = sandbox.discord.add_member(guild, "Ada")
        shown = await sandbox.discord.invoke(guild.channels[0], member, "name")
        message = await shown.settled()
        assert message.ephemeral
        pressed = await sandbox.discord.press(message, member, "turn")
        await pressed.until(lambda message: message.text == "Turned")
        assert [file.name for file in message.files] == ["turned.png"]
        assert message.components == ()


async def test_a_discord_py_bot_reads_what_is_filled_in_and_chosen(
    monkeypatch: pytest.MonkeyPatch,
):
    async with Sandbox() as sandbox, running_bot(sandbox, monkeypatch):
        guild = sandbox.discord.guilds[0]
        member = sandbox.discord.add_member(guild, "Ada")
        role = sandbox.discord.add_role(guild, "Painters")
        asked = await sandbox.discord.invoke(guild.channels[0], member, "ask")
        _, either, some, _ = fields_of(await asked.acknowledged())
        values: dict[str, Filled] = {either: "Blue", some: ["Two", "One"]}
        message = await (await sandbox.discord.submit(asked, values)).settled()
        assert message.text == "['as before', 'Blue', ['Two', 'One'], True]"

        chosen = await sandbox.discord.press(message, member, "who", [member])
        shown = await chosen.acknowledged()
        assert shown.data["title"] == "ada"
        files, role_field, where = fields_of(shown)
        given: dict[str, Filled] = {
            files: [Upload("a.txt", b"one"), Upload("b.txt", b"seven")],
            role_field: [role],
            where: [guild.channels[1]],
        }
        sent = await sandbox.discord.submit(chosen, given)
        await sent.until(lambda message: not message.components)
        assert message.text == "[('a.txt', 3), ('b.txt', 5)] ['Painters', 'images']"


def fields_of(shown: Acknowledgement) -> list[str]:
    """The custom ids of a form's fields."""
    labelled = [object_at(each, "component") for each in objects_at(shown.data, "components")]
    return [text_at(each, "custom_id") for each in labelled if each]
