"""Writing: the command picker, options of every kind, messages and files."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from bot.domain.pricing import Quality
from sandbox.discord.interactions.interactions import CallbackType
from sandbox.page.running import RunningPage
from sandbox.values import JsonObject, object_at, objects_at
from tests.images_made import make_image
from tests.page.browser import Tab
from tests.page.conftest import OpenTab, Sent
from tests.page.stand_in import StandIn

pytestmark = pytest.mark.asyncio(loop_scope="package")

ALL = [
    *("/edit", "/edit-guided", "/credits", "/privacy export", "/privacy delete"),
    *("/history", "/help"),
]
PRICES = [f"{each.capitalize()} · {each.price} credits each" for each in Quality]
CHOICES: list[JsonObject] = [{"name": "Red", "value": "r"}, {"name": "Dark red", "value": "dr"}]
KINDS: list[JsonObject] = [
    {"type": 3, "name": "colour", "description": "d", "required": True, "choices": CHOICES},
    {"type": 4, "name": "number", "description": "d", "min_value": 1, "max_value": 9},
    {"type": 10, "name": "share", "description": "d"},
    {"type": 5, "name": "loud", "description": "d"},
    {"type": 6, "name": "who", "description": "d"},
    {"type": 7, "name": "where", "description": "d", "channel_types": [0]},
    {"type": 8, "name": "role", "description": "d"},
    {"type": 9, "name": "anybody", "description": "d"},
    {"type": 11, "name": "file", "description": "d"},
    {"type": 3, "name": "words", "description": "d"},
]


@pytest_asyncio.fixture(loop_scope="package")
async def every_kind(stage: RunningPage, bot: StandIn) -> AsyncGenerator[None]:
    """A command with an option of every kind."""
    path = f"/applications/{stage.sandbox.application_id}/commands"
    command: JsonObject = {
        "name": "every-kind",
        "description": "Takes everything",
        "options": KINDS,
    }
    made = await bot.send("POST", path, command)
    yield
    await bot.send("DELETE", f"{path}/{made['id']}", {})


def options_of(data: JsonObject) -> dict[str, object]:
    """What the options of a command were given."""
    return {str(each["name"]): each["value"] for each in objects_at(data, "options")}


# The picker.


async def test_the_picker_filters_as_one_types_and_is_walked_by_arrows(
    stage: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(stage)
    await tab.writing.focus()
    await tab.type("/")
    items = tab.picker.get_by_role("option")
    await expect(tab.page.get_by_role("listbox", name="Darkroom")).to_be_visible()
    await expect(items.locator("strong")).to_have_text(ALL)
    await expect(items.nth(0)).to_have_attribute("aria-selected", "true")
    for key, marked in (
        ("ArrowDown", 1),
        ("ArrowUp", 0),
        ("ArrowUp", len(ALL) - 1),
        ("ArrowDown", 0),
    ):
        await tab.press(key)
        await expect(items.nth(marked)).to_have_attribute("aria-selected", "true")
        identity = await items.nth(marked).get_attribute("id")
        await expect(tab.writing).to_have_attribute("aria-activedescendant", identity or "")
    await tab.type("DIT")
    await expect(items.locator("strong")).to_have_text(["/edit", "/edit-guided", "/credits"])
    await tab.press("Escape")
    await expect(tab.picker).to_have_count(0)
    await expect(tab.writing).to_have_value("/DIT")
    await tab.press("Escape", "Backspace")
    await expect(items.locator("strong")).to_have_text(["/edit", "/edit-guided", "/credits"])
    await tab.press("Tab")
    await expect(tab.page.locator(".line.command > strong")).to_have_text("/edit")


async def test_the_picker_offers_what_the_person_may_do_where_they_are(
    stage: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(stage)
    await tab.writing.fill("/quota")
    await expect(tab.picker).to_have_count(0)
    await tab.become("Mona")
    await tab.writing.fill("/quota")
    await expect(tab.choice("/quota user")).to_be_visible()
    await tab.go("Direct messages")
    await tab.writing.fill("/")
    await expect(tab.picker).to_have_count(0)


async def test_options_are_marked_as_required_and_missed_in_words(
    stage: RunningPage, open_tab: OpenTab, sent: Sent
):
    tab = await open_tab(stage)
    await tab.command("/edit ")
    names = tab.page.locator(".pill .name")
    await expect(names).to_have_text(["image*", "prompt*"])
    await expect(tab.picker).to_contain_text(
        "image The image to edit: PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP, or GIF, up to 100 MB"
    )
    await expect(tab.picker.get_by_text("required")).to_be_visible()
    await expect(tab.picker).to_contain_text("Drop a file here, paste one, or press Enter")
    await tab.page.get_by_role("button", name="Send").click()
    alert = tab.page.locator(".composer").get_by_role("alert")
    await expect(alert).to_have_text("image: This option is required. Specify a value.")
    await expect(tab.writing).to_be_focused()
    await tab.type("make it blue")
    await tab.press("Enter")
    await expect(alert).to_have_text("image: This option is required. Specify a value.")
    await expect(tab.page.locator(".pill .value")).to_have_text("make it blue")
    assert sent.nothing


async def test_choices_are_shown_with_their_prices_and_filtered(
    live: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(live)
    await tab.command("/edit quality:")
    items = tab.picker.get_by_role("option")
    await expect(items.locator("strong")).to_have_text(PRICES)
    await tab.type("hi")
    await expect(items.locator("strong")).to_have_text(PRICES[2:])
    await tab.press("Enter")
    await expect(tab.page.locator(".pill .value")).to_contain_text([PRICES[2]])


async def test_backspace_takes_a_command_apart_and_esc_leaves_it(
    stage: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(stage)
    await tab.command("/edit prompt:ab")
    await tab.press("Backspace", "Backspace", "Backspace")
    await expect(tab.page.locator(".pill.active .name")).to_have_text("image*")
    await tab.press("Backspace")
    await expect(tab.writing).to_have_value("/edit")
    await expect(tab.writing).to_be_focused()
    await tab.press("Enter", "Escape", "Escape")
    await expect(tab.page.locator(".line.command")).to_have_count(0)
    await expect(tab.writing).to_have_value("")
    await expect(tab.writing).to_be_focused()


# Whole commands.


@pytest.mark.parametrize("file_comes", ["before", "after", "between"])
async def test_a_whole_command_is_typed_in_one_go_with_its_file(
    stage: RunningPage, open_tab: OpenTab, sent: Sent, photo: Path, file_comes: str
):
    tab = await open_tab(stage)
    if file_comes == "before":
        await tab.choose(photo)
    await tab.writing.focus()
    await tab.type("/edit prompt:make it blue: all of it ")
    if file_comes == "between":
        await tab.drop(tab.writing, photo)
    await tab.type("quality:high count:2")
    if file_comes == "after":
        await tab.choose(photo)
    await tab.press("Enter", "Enter", "Enter")
    data = await sent.data()
    given = options_of(data)
    (image,) = object_at(object_at(data, "resolved"), "attachments").values()
    assert given.pop("image") == object_at({"": image}, "")["id"]
    assert given == {"prompt": "make it blue: all of it", "quality": "high", "count": 2}
    await expect(tab.page.get_by_text("Sending command…")).to_be_visible()
    await expect(tab.writing).to_have_value("")
    assert sent.nothing


async def test_options_of_every_kind_are_picked_or_typed(
    stage: RunningPage, open_tab: OpenTab, sent: Sent, every_kind: None, photo: Path
):
    tab = await open_tab(stage, "Ben")
    await tab.writing.fill("/every")
    await tab.press("Enter")
    await expect(tab.picker.get_by_role("option").locator("strong")).to_have_text(
        ["Red", "Dark red"]
    )
    await tab.type("dark")
    await tab.press("Enter")
    picked = {"loud": "Tr", "who": "mo", "where": "imag", "role": "paint", "anybody": "oliv"}
    for name, typed in picked.items():
        await tab.choice(name).click()
        await tab.type(typed)
        await expect(tab.picker.get_by_role("option")).to_have_count(1)
        await tab.press("Enter")
    await tab.choice("file").click()
    await tab.drop(tab.writing, photo)
    await tab.type("number:7 share:0.5 words:a b")
    await tab.press("Enter")
    data = await sent.data()
    given, resolved = options_of(data), object_at(data, "resolved")
    for key, kind in (("who", "users"), ("where", "channels"), ("anybody", "users")):
        assert given.pop(key) in object_at(resolved, kind)
    assert given.pop("role") in object_at(resolved, "roles")
    assert given.pop("file") in object_at(resolved, "attachments")
    assert given == {"colour": "dr", "loud": True, "number": 7, "share": 0.5, "words": "a b"}


async def test_what_an_option_does_not_take_is_said_and_can_be_put_right(
    stage: RunningPage, open_tab: OpenTab, sent: Sent, every_kind: None
):
    tab = await open_tab(stage)
    alert = tab.page.locator(".composer").get_by_role("alert")
    wrong = {
        "number:many": "number: This takes a number.",
        "number:10": "number: This takes 9 or less.",
        "share:half": "share: This takes a number.",
        "loud:perhaps": "loud: Choose one from the list.",
        "who:nobody": "who: Choose one from the list.",
        "where:nowhere": "where: Choose one from the list.",
    }
    for typed, words in wrong.items():
        await tab.command(f"/every-kind colour:Red {typed}")
        await tab.press("Enter")
        await expect(alert).to_contain_text(words)
        await expect(tab.page.locator(".pill .value").first).to_have_text("Red")
        await tab.press("Escape", "Escape")
        await expect(alert).to_have_count(0)
    assert sent.nothing


async def test_a_command_that_nobody_answers_fails_and_can_be_dismissed(
    stage: RunningPage, open_tab: OpenTab, sent: Sent, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sandbox.page.mirror.SECONDS_TO_ACKNOWLEDGE", 0.1)
    tab = await open_tab(stage)
    await tab.command("/credits ")
    await tab.press("Enter")
    failed = tab.message("Ada used /credits")
    await expect(failed).to_contain_text("The application did not respond")
    await sent.next()
    await failed.get_by_role("button", name="Dismiss message").click()
    await expect(failed).to_have_count(0)


async def test_an_answer_thinks_first_and_is_then_put_in_place(
    stage: RunningPage, open_tab: OpenTab, sent: Sent, bot: StandIn
):
    tab = await open_tab(stage)
    await tab.command("/credits ")
    await tab.press("Enter")
    asked = await sent.next()
    await bot.answer(asked, CallbackType.DEFERRED_MESSAGE)
    thinking = tab.message("Ada used /credits")
    await expect(thinking).to_contain_text("Darkroom is thinking…")
    path = f"/webhooks/{stage.sandbox.application_id}/{asked.token}/messages/@original"
    await bot.send("PATCH", path, {"content": "A fortune"})
    await expect(thinking).to_contain_text("A fortune")
    await expect(thinking).not_to_contain_text("edited")
    await bot.send("PATCH", path, {"content": "A small fortune"})
    await expect(thinking).to_contain_text("A small fortune(edited)")


# Messages.


async def test_a_message_with_several_files_is_read_by_others(
    stage: RunningPage, open_tab: OpenTab, photo: Path, tmp_path: Path
):
    notes = tmp_path / "my notes.txt"
    notes.write_text("words")
    ada, ben = await open_tab(stage), await open_tab(stage, "Ben")
    await ada.drop(ada.writing, photo, notes)
    await ada.choose(photo)
    files = ada.page.get_by_role("list", name="Files to send").get_by_role("listitem")
    await expect(files).to_have_count(3)
    await files.first.get_by_role("button", name="Remove photo.png").click()
    await expect(files).to_have_count(2)
    await ada.writing.focus()
    await ada.type("**look**")
    await ada.press("Shift+Enter")
    await ada.type("at this")
    await ada.press("Enter", "Enter")
    for tab in (ada, ben):
        message = tab.message("look")
        await expect(message.locator(".content")).to_have_text("look\nat this")
        await expect(message.locator("strong")).to_have_text("look")
        await expect(message.get_by_role("img", name="photo.png")).to_be_visible()
        await expect(message.get_by_role("link", name="my_notes.txt")).to_be_visible()
        await expect(tab.messages).to_have_count(1)
    await expect(ada.writing).to_have_value("")
    await expect(files).to_have_count(0)


async def test_an_image_is_pasted_from_the_clipboard(
    stage: RunningPage, open_tab: OpenTab, sent: Sent
):
    tab = await open_tab(stage)
    await copy_image(tab)
    await tab.writing.fill("/edit ")
    await tab.press("Control+V")
    await tab.type("make it blue")
    await tab.press("Enter")
    data = await sent.data()
    (image,) = object_at(object_at(data, "resolved"), "attachments").values()
    assert object_at({"": image}, "")["content_type"] == "image/png"


async def copy_image(tab: Tab) -> None:
    """Let the clipboard hold an image."""
    await tab.page.evaluate(
        """async (bytes) => {
            const image = new Blob([new Uint8Array(bytes)], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": image })]);
        }""",
        list(make_image(width=8, height=8)),
    )


async def test_a_file_that_is_too_large_is_refused_in_words_and_nothing_is_lost(
    stage: RunningPage, open_tab: OpenTab, photo: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sandbox.page.uploads.LARGEST_UPLOAD", 9)
    tab = await open_tab(stage)
    tab.expected = ("413",)
    await tab.choose(photo)
    await tab.writing.fill("look")
    await tab.press("Enter")
    alert = tab.page.locator(".composer").get_by_role("alert")
    await expect(alert).to_have_text("photo.png is too large: 500 MiB at most.")
    await expect(tab.writing).to_have_value("look")
    monkeypatch.undo()
    await tab.press("Enter")
    await expect(tab.message("look").get_by_role("img", name="photo.png")).to_be_visible()


async def test_a_message_that_is_too_long_is_refused_and_kept(
    stage: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(stage)
    await tab.writing.fill("x" * 2001)
    await tab.press("Enter")
    alert = tab.page.locator(".composer").get_by_role("alert")
    await expect(alert).to_have_text("A message may have 2000 characters, not 2001.")
    await tab.press("Backspace", "Enter")
    await expect(tab.message("xxx")).to_be_visible()
    await expect(alert).to_have_count(0)


async def test_what_is_typed_with_nothing_in_focus_goes_to_the_composer(
    stage: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(stage)
    await tab.log.click()
    await tab.type("ahoy")
    await expect(tab.writing).to_have_value("ahoy")


async def test_leaving_in_the_middle_of_a_command_sends_nothing(
    stage: RunningPage, open_tab: OpenTab, sent: Sent, photo: Path
):
    tab = await open_tab(stage)
    await tab.choose(photo)
    await tab.command("/edit prompt:make it blue")
    await tab.become("Ben")
    await expect(tab.writing).to_have_value("")
    await tab.writing.fill("ahoy")
    await tab.press("Enter")
    await expect(tab.message("ahoy")).to_contain_text("Ben")
    await tab.command("/edit prompt:make it red")
    await tab.go("Sketch Club")
    await expect(tab.writing).to_have_value("")
    assert sent.nothing


async def test_an_upload_goes_where_it_was_sent_whatever_is_looked_at_meanwhile(
    stage: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(stage)
    await tab.choose(photo)
    await tab.writing.fill("for the lighthouse")
    async with tab.page.expect_request("**/uploads*"):
        await tab.press("Enter")
    await tab.go("Sketch Club")
    await tab.become("Ben")
    lighthouse = stage.sandbox.world.guilds[0].channels[0]
    message = await stage.sandbox.discord.posted(lighthouse)
    assert (message.author.name, len(message.files)) == ("Ada", 1)
    await expect(tab.messages).to_have_count(0)
    await expect(tab.writing).to_have_value("")
    await tab.go("Lighthouse")
    await expect(tab.message("for the lighthouse")).to_be_visible()
