"""The page by the keyboard alone: everything is reached, seen where one is, and left again."""

from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from sandbox.discord.interactions.interactions import CallbackType
from sandbox.page.running import RunningPage
from sandbox.values import JsonObject, object_at
from tests.page.browser import Tab
from tests.page.conftest import OpenTab, Sent
from tests.page.samples import BOXES, BUTTONS, SPOILERS, gallery
from tests.page.stand_in import StandIn

pytestmark = pytest.mark.asyncio(loop_scope="package")

MOST_STOPS = 80

LOOK_AT_FOCUS = """wanted => {
    const here = document.activeElement;
    const ringed = [here, ...["box"].map((name) => here.closest(`.${name}`))]
        .filter(Boolean)
        .some((element) => {
            const { outlineStyle, outlineWidth } = getComputedStyle(element);
            return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
        });
    const { width, height, right, bottom } = here.getBoundingClientRect();
    // After the last stop comes the browser's own window.
    const window = here === document.body;
    const seen = window || (ringed && width > 0 && height > 0 && right > 0 && bottom > 0);
    return { there: here === wanted, seen, html: here.outerHTML.slice(0, 120) };
}"""


async def tab_to(tab: Tab, wanted: Locator, key: str = "Tab") -> None:
    """Go on from stop to stop until one is there; each stop on the way has to be seen."""
    element = await wanted.element_handle()
    for _ in range(MOST_STOPS):
        await tab.press(key)
        here = await tab.page.evaluate(LOOK_AT_FOCUS, element)
        assert here["seen"], here
        if here["there"]:
            return
    pytest.fail(f"{wanted} is not reached by {key}")


async def test_an_edit_is_made_by_keys_alone(live: RunningPage, open_tab: OpenTab, photo: Path):
    tab = await open_tab(live)
    await tab.type("/edit")
    await tab.press("Enter")
    async with tab.page.expect_file_chooser() as chooser:
        await tab.press("Enter")
    await (await chooser.value).set_files(photo)
    await expect(tab.page.locator(".pill.active")).to_contain_text("prompt")
    await tab.type("make it blue")
    await tab.press("Tab")
    await tab.type("qual")
    await tab.press("Tab", "ArrowDown", "ArrowUp", "Enter", "Enter")
    await expect(tab.message("make it blue")).to_contain_text("Low")
    await expect(tab.writing).to_be_focused()


async def test_a_command_is_walked_through_by_tab_and_left_by_it(
    live: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(live)
    await tab.type("/edit")
    await tab.press("Tab")
    active = tab.page.locator(".pill.active .name")
    await expect(active).to_have_text("image*")
    await tab.press("Tab")
    await expect(active).to_have_text("prompt*")
    await tab.press("Shift+Tab")
    await expect(active).to_have_text("image*")
    await tab.press("Shift+Tab")
    await expect(tab.page.get_by_role("button", name="Choose a file")).to_be_focused()


async def test_people_channels_and_the_panel_are_reached_by_tab(
    live: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(live)
    ben = tab.page.get_by_role("button", name="Ben")
    await tab_to(tab, ben, "Shift+Tab")
    await tab.press("Enter")
    await expect(ben).to_have_attribute("aria-pressed", "true")
    await expect(ben).to_be_focused()
    thread = tab.page.get_by_role("button", name="Harbour at dawn")
    await tab_to(tab, thread, "Shift+Tab")
    await tab.press("Enter")
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("↳ Harbour at dawn")
    await expect(thread).to_be_focused()
    await tab_to(tab, tab.writing)
    await tab.type("ahoy")
    await tab.press("Enter")
    await expect(tab.message("ahoy")).to_contain_text("Ben")
    troubles = tab.panel.locator("summary")
    await tab_to(tab, troubles)
    await tab.press("Enter")
    fails = tab.panel.get_by_role("switch", name="Fails (500)")
    await tab_to(tab, fails)
    await tab.press("Space")
    await expect(fails).to_have_attribute("aria-checked", "true")
    await tab.press("Enter")
    await expect(fails).to_have_attribute("aria-checked", "false")


async def test_a_messages_menu_is_opened_and_its_command_run_by_keys(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, sent: Sent
):
    path = f"/applications/{stage.sandbox.application_id}/commands"
    command: JsonObject = {"name": "Look closer", "type": 3}
    made = await bot.send("POST", path, command)
    tab = await open_tab(stage, "Mona")
    await tab.type("ahoy")
    await expect(tab.writing).to_have_value("ahoy")
    await tab.press("Enter")
    more = tab.message("ahoy").get_by_role("button", name="More")
    await expect(more).to_be_attached()
    await tab_to(tab, more, "Shift+Tab")
    await tab.press("Enter")
    items = tab.page.get_by_role("menuitem")
    await expect(items).to_have_text(["Edit image", "Look closer", "Delete Message"])
    await expect(items.first).to_be_focused()
    await tab.press("ArrowUp")
    await expect(items.last).to_be_focused()
    await tab.press("ArrowDown")
    await expect(items.first).to_be_focused()
    await tab.press("Escape")
    await expect(items).to_have_count(0)
    await expect(more).to_be_focused()

    await tab.press("Enter", "ArrowDown", "Enter")
    data = await sent.data()
    world = stage.sandbox.world
    (message,) = world.history(world.guilds[0].channels[0])
    assert (data["name"], data["type"], data["target_id"]) == ("Look closer", 3, str(message))
    assert str(message) in object_at(object_at(data, "resolved"), "messages")
    await expect(more).to_be_focused()
    await bot.send("DELETE", f"{path}/{made['id']}", {})


async def test_a_button_is_pressed_and_its_form_filled_in_by_keys(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, sent: Sent, photo: Path
):
    tab = await open_tab(stage)
    await BUTTONS.post(bot, stage.sandbox.world.guilds[0].channels[0])
    button = tab.messages.get_by_role("button", name="Success")
    await tab_to(tab, button, "Shift+Tab")
    await tab.press("Space")
    await bot.answer(await sent.next(), CallbackType.MODAL, BOXES)
    form = tab.form
    await expect(form.get_by_role("radio", name="Small")).to_be_focused()
    await tab.press("Space", "ArrowDown")
    await expect(form.get_by_role("radio", name="Large")).to_be_checked()
    await tab_to(tab, form.get_by_role("checkbox", name="B", exact=True))
    await tab.press("Space")
    await tab_to(tab, form.get_by_role("checkbox", name="Agreed"))
    await tab.press("Space")
    await tab_to(tab, form.get_by_role("button", name="Proofs: choose files"))
    async with tab.page.expect_file_chooser() as chooser:
        await tab.press("Enter")
    await (await chooser.value).set_files(photo)
    await expect(form.get_by_text("photo.png")).to_be_visible()
    await tab_to(tab, form.get_by_role("combobox", name="Where"))
    await tab.press("Enter")
    await tab.type("imag")
    await tab.press("Enter")
    await tab_to(tab, form.get_by_role("button", name="Submit"))
    await tab.press("Enter")
    data = await sent.data()
    assert data["custom_id"] == "boxes"
    # Nothing behind the form is reached meanwhile.
    await tab_to(tab, form.get_by_role("button", name="Cancel"))
    interaction = stage.sandbox.discord.interactions[-1]
    await bot.answer(interaction, CallbackType.DEFERRED_UPDATE)
    await expect(form).to_have_count(0)
    await expect(button).to_be_focused()


async def test_images_and_spoilers_are_opened_by_keys(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn
):
    tab = await open_tab(stage)
    channel = stage.sandbox.world.guilds[0].channels[0]
    await gallery(3).post(bot, channel)
    await SPOILERS.post(bot, channel)
    image = tab.messages.get_by_role("button", name="Image 2.png")
    await tab_to(tab, image, "Shift+Tab")
    await tab.press("Enter", "ArrowRight")
    large = tab.page.get_by_role("dialog")
    await expect(large.get_by_role("img")).to_have_attribute("alt", "Image 3.png")
    await tab_to(tab, large.get_by_role("button", name="Close"))
    await tab.press("Enter")
    await expect(large).to_have_count(0)
    await expect(image).to_be_focused()
    covers = tab.messages.get_by_role("button", name="Spoiler: show it")
    for left in range(4, 0, -1):
        await expect(covers).to_have_count(left)
        await tab_to(tab, covers.first)
        await tab.press("Enter")
        # What lay under it is where one goes on from.
        await expect(tab.page.locator("body")).not_to_be_focused()
