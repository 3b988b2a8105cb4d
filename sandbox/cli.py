"""`python -m bot sandbox`: an edit through the whole bot, or the two servers alone."""

import argparse
import asyncio
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from sandbox.bot_process import BotEnded, BotProcess, Event, child_environment
from sandbox.discord.cdn import StoredFile
from sandbox.discord.interactions.interactions import Interaction
from sandbox.discord.interactions.invocation import Given
from sandbox.listener import LAST_PORT
from sandbox.page.running import FIRST_PORT, running_page
from sandbox.page.server import STATIC
from sandbox.sandbox import InvalidInvocation, Sandbox, Upload
from sandbox.values import integer_at, text_at

DONE = 0
FAILED = 1
WRONG_COMMAND_LINE = 2

DEMO = STATIC / "demo.jpg"
DEMO_PROMPT = "Let the sun rise over the lake, all in gold and orange"
RESULTS = Path("sandbox-results")
LONGEST_EDIT = 600
SECONDS_TO_TELL = 30
SECONDS_FOR_AN_EDIT = 1.5
"""On the page, so that the waiting is seen: the real API takes longer still."""

SILENT_BOT = "The bot runs, but nothing comes of it."


class WrongCommandLine(Exception):
    """The command line asks for something that makes no sense; the message says what."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The edit that was asked for on the command line."""

    source: Path
    prompt: str
    options: Mapping[str, Given]
    out: Path
    real_key: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.description = (
        "Run one edit through the whole bot, without any account: Discord and the edit API are "
        "servers on this machine, and the edit API only imitates edits. "
        "Without options, it edits a sample image."
    )
    what = parser.add_argument_group("what to do")
    what.add_argument("--edit", nargs=2, metavar=("PATH", "PROMPT"), help="edit your own image")
    what.add_argument("--serve", action="store_true", help="run only the two servers, until Ctrl-C")
    what.add_argument(
        "--page",
        action="store_true",
        help="try it in the browser: a channel on a page, until Ctrl-C",
    )
    page = parser.add_argument_group("the page")
    page.add_argument(
        "--port",
        type=_port,
        default=FIRST_PORT,
        help="the port, or the next free one after it (%(default)s)",
    )
    page.add_argument("--open", action="store_true", help="open it in the browser")
    edit = parser.add_argument_group("the edit, with the options of /edit")
    edit.add_argument("--quality", help="low, medium or high")
    edit.add_argument("--size", help="source, or a ratio such as 16:9")
    edit.add_argument("--count", type=int, help="how many images, 1 to 4")
    edit.add_argument("--private", action="store_true", help="show the result only to the member")
    edit.add_argument(
        "--out", type=Path, default=RESULTS, help="the folder for results (%(default)s)"
    )
    edit.add_argument(
        "--api",
        choices=("imitation", "real"),
        default="imitation",
        help="real: the real edit API, with EDIT_API_KEY of the environment; it charges you",
    )


def main(options: argparse.Namespace) -> int:
    """Do what the command line asks for, and return the exit status."""
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    try:
        if read_serve(options):
            return asyncio.run(serve(console))
        if read_page(options):
            return asyncio.run(show_page(options, read_key(options), console, errors))
        return asyncio.run(edit(read_wish(options), console, errors))
    except WrongCommandLine as wrong:
        _say(errors, f"python -m bot sandbox: error: {wrong}")
        return WRONG_COMMAND_LINE
    except KeyboardInterrupt:
        return FAILED


def read_serve(options: argparse.Namespace) -> bool:
    """Tell whether the servers alone are wanted; raises WrongCommandLine."""
    if options.serve:
        given = _of_an_edit(options) | _of_a_page(options)
        _refuse("--serve makes no edit and shows no page", given | {"--api real": _real(options)})
    return options.serve


def read_page(options: argparse.Namespace) -> bool:
    """Tell whether the page is wanted; raises WrongCommandLine."""
    if options.page:
        _refuse("On the page edits are made by hand", _of_an_edit(options))
    else:
        _refuse("Without --page there is no page", _of_a_page(options))
    return options.page


def read_wish(options: argparse.Namespace) -> Wish:
    """Return the edit that is wanted; raises WrongCommandLine."""
    path, prompt = options.edit or (DEMO, DEMO_PROMPT)
    source = Path(path)
    try:
        with source.open("rb"):
            pass
    except OSError as error:
        raise WrongCommandLine(f"{source} cannot be read: {error.strerror}") from error
    out: Path = options.out
    if out.exists() and not out.is_dir():
        raise WrongCommandLine(f"--out {out} is no folder")
    given = {"quality": options.quality, "size": options.size, "count": options.count}
    chosen: dict[str, Given] = {name: value for name, value in given.items() if value is not None}
    if options.private:
        chosen["private"] = True
    return Wish(source, prompt, chosen, out, read_key(options))


def read_key(options: argparse.Namespace) -> str | None:
    """Return the real edit API's key if that is wanted; raises WrongCommandLine."""
    if not _real(options):
        return None
    key = os.environ.get("EDIT_API_KEY")
    if not key:
        raise WrongCommandLine("--api real needs EDIT_API_KEY in the environment")
    return key


def _refuse(why: str, given: Mapping[str, object]) -> None:
    senseless = [name for name, value in given.items() if value]
    if senseless:
        raise WrongCommandLine(f"{why}, so {', '.join(senseless)} has no sense")


def _of_an_edit(options: argparse.Namespace) -> dict[str, object]:
    return {
        "--edit": options.edit,
        "--quality": options.quality,
        "--size": options.size,
        "--count": options.count,
        "--private": options.private,
        "--out": options.out != RESULTS,
    }


def _of_a_page(options: argparse.Namespace) -> dict[str, object]:
    return {"--port": options.port != FIRST_PORT, "--open": options.open}


def _real(options: argparse.Namespace) -> bool:
    return options.api == "real"


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {LAST_PORT}, not {text}")
    return int(text)


async def show_page(
    options: argparse.Namespace, real_key: str | None, console: Console, errors: Console
) -> int:
    """Run the page until told to end."""
    task = asyncio.current_task()
    with _on_signals(task.cancel if task is not None else lambda: None):
        try:
            async with running_page(port=options.port, real_key=real_key) as page:
                page.sandbox.edit_api.delay = SECONDS_FOR_AN_EDIT
                _say(console, _about(real_key))
                _say(console, f"The page is at {page.address}")
                _say(console, "Ctrl-C ends it.")
                console.file.flush()
                if options.open:
                    _open(page.address)
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            return DONE
        except BotEnded as ended:
            # A terminal's Ctrl-C is the bot's, too, and may end it first.
            if task is not None and task.cancelling():
                return DONE
            _say(errors, str(ended))
        except TimeoutError:
            _say(errors, SILENT_BOT)
        except OSError as error:
            _say(
                errors, f"The page cannot listen at port {options.port} or after: {error.strerror}."
            )
    return FAILED


def _open(address: str) -> None:
    """Open the browser; some return only when they are closed."""
    threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()


def _about(real_key: str | None) -> str:
    if real_key is None:
        return "A sandbox: no account is used, and its edit API only imitates edits."
    return "A sandbox with the real edit API, which charges your key."


async def serve(console: Console) -> int:
    """Run the servers until told to end."""
    stopped = asyncio.Event()
    with _on_signals(stopped.set):
        async with Sandbox() as sandbox:
            for name, value in sandbox.environment().items():
                _say(console, f"{name}={value}")
            console.file.flush()
            await stopped.wait()
    return DONE


async def edit(wish: Wish, console: Console, errors: Console) -> int:
    """Let a member make the edit, show its steps, save what was posted."""
    task = asyncio.current_task()
    with _on_signals(task.cancel if task is not None else lambda: None):
        try:
            return await _edit(wish, console, errors)
        except asyncio.CancelledError:
            _say(errors, "Stopped.")
            return FAILED
        except BotEnded as ended:
            _say(errors, str(ended))
            return FAILED
        except TimeoutError:
            _say(errors, SILENT_BOT)
            return FAILED


async def _edit(wish: Wish, console: Console, errors: Console) -> int:
    _say(console, _about(wish.real_key))
    async with Sandbox() as sandbox:
        environment = child_environment(sandbox.environment(), wish.real_key)
        async with BotProcess(environment) as bot:
            with console.status("Starting the bot"):
                await bot.connected(sandbox.discord)
            guild = sandbox.discord.guilds[0]
            member = sandbox.discord.add_member(guild, "You")
            given = {
                "image": Upload(wish.source.name, wish.source.resolve()),
                "prompt": wish.prompt,
                **wish.options,
            }
            try:
                interaction = await sandbox.discord.invoke(guild.channels[0], member, "edit", given)
            except InvalidInvocation as invalid:
                raise WrongCommandLine(f"Discord would not send this: {invalid}") from invalid
            charged = await _follow(bot, interaction, console)
            try:
                message = await interaction.settled(timeout=SECONDS_TO_TELL)
            except TimeoutError:
                _say(errors, "The member was told nothing.")
                return FAILED
        if not charged:
            _say(errors, message.text)
            return FAILED
        for file in message.files:
            saved = save(file, wish.source.stem, wish.out)
            _say(console, f"Saved {saved}")
    return DONE


async def _follow(bot: BotProcess, interaction: Interaction, console: Console) -> bool:
    """Show each step of an edit as it happens, and tell whether it was charged."""
    shown = 0
    mine = str(interaction.id)

    def next_event() -> Event | None:
        nonlocal shown
        while shown < len(bot.events):
            event = bot.events[shown]
            shown += 1
            if text_at(event.fields, "edit") == mine and event.name in STEPS:
                return event
        bot.check()
        return None

    with console.status("Editing"):
        while True:
            event = await bot.changed.until(next_event, timeout=LONGEST_EDIT)
            _say(console, STEPS[event.name](event))
            if event.name in LAST_STEPS:
                return event.name == "edit.charged"


STEPS: dict[str, Callable[[Event], str]] = {
    "edit.held": lambda event: f"Held          {_number(event, 'credits', 'credit')}",
    "edit.acknowledged": lambda _: "Acknowledged  the member sees that it is taken",
    "edit.sent": lambda event: f"Sent          {_order(event)}",
    "edit.rendered": lambda event: f"Rendered      {_number(event, 'pictures', 'image')}",
    "edit.posted": lambda event: f"Posted        {_number(event, 'pictures', 'image')}",
    "edit.charged": lambda event: f"Charged       {_number(event, 'credits', 'credit')}",
    "edit.voided": lambda event: f"Voided        {_number(event, 'credits', 'credit')} given back",
    "edit.refused": lambda _: "Refused       nothing was held",
}
LAST_STEPS = frozenset({"edit.charged", "edit.voided", "edit.refused"})


def _number(event: Event, field: str, unit: str) -> str:
    number = integer_at(event.fields, field)
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _order(event: Event) -> str:
    quality, ratio = text_at(event.fields, "quality"), text_at(event.fields, "ratio")
    return f"{quality} quality, {ratio}, {_number(event, 'count', 'image')}"


def save(file: StoredFile, stem: str, folder: Path) -> Path:
    """Save the very bytes that were posted, under the first name that is free."""
    folder.mkdir(parents=True, exist_ok=True)
    suffix = Path(file.name).suffix or ".png"
    number = 1
    while True:
        path = folder / f"{stem}-{number}{suffix}"
        try:
            with path.open("xb") as out:
                out.write(file.path.read_bytes())
        except FileExistsError:
            number += 1
        else:
            return path


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


@contextmanager
def _on_signals(stop: Callable[[], object]) -> Generator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP do this; on Windows Ctrl-C raises KeyboardInterrupt."""
    loop = asyncio.get_running_loop()
    numbers: list[signal.Signals] = []
    if sys.platform != "win32":
        # A terminal that is closed hangs up.
        numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
    for number in numbers:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
