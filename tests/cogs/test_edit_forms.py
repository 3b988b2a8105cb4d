"""Forms as data: within Discord's limits whatever is in them, and read whatever is sent."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.discord_io.message_images import MAX_IMAGES
from bot.discord_io.modals import SubmittedForm, read_form
from bot.domain.images import ImageLink
from bot.domain.refusals import MAX_PROMPT
from bot.domain.server_settings import ServerSettings
from bot.ledger.drafts import Draft
from cogs.ui.edit_forms import edit_form, guided_form
from sandbox.discord.interactions.modals import read_modal
from sandbox.values import object_at, objects_at

MOST_FIELDS = 5


def link(number: int, name: str = "a.png") -> ImageLink:
    return ImageLink(f"https://cdn.discordapp.com/{number}", name, width=640, height=480)


@given(
    names=st.lists(st.text(min_size=1, max_size=300), max_size=MAX_IMAGES),
    prompt=st.text(max_size=MAX_PROMPT + 10),
    max_count=st.integers(1, 4),
    count=st.integers(1, 4),
)
def test_discord_takes_the_form_whatever_is_filled_in(
    names: list[str], prompt: str, max_count: int, count: int
) -> None:
    draft = Draft(
        id=2**63 - 1,
        guild_id=1,
        member_id=1,
        sources=tuple(link(number, name) for number, name in enumerate(names)),
        prompt=prompt,
        count=count,
    )
    shown = read_modal(
        dict(edit_form(draft, ServerSettings(max_count=max_count), "Title").to_json())
    )
    fields = [object_at(label, "component") for label in objects_at(shown, "components")]
    assert len(fields) <= MOST_FIELDS
    counts = [option["value"] for option in objects_at(fields[-1], "options")]
    assert counts == [str(each + 1) for each in range(max_count)]


def test_a_files_name_is_one_line_in_one_direction() -> None:
    sources = (link(1, "a\u202egnp.\n\u2028b\u200b.png"), link(2))
    form: Any = edit_form(Draft(1, 2, 3, sources=sources), ServerSettings(), "Title").to_json()
    first, second = form["components"][0]["component"]["options"]
    assert first["label"] == "1 · 640 × 480 · agnp. b.png"
    assert second["label"] == "2 · 640 × 480 · a.png"


def test_the_fields_are_named_and_ordered_as_promised() -> None:
    def names(form: Any) -> list[object]:
        return [label["component"]["custom_id"] for label in form.to_json()["components"]]

    def of(*sources: ImageLink) -> list[object]:
        return names(edit_form(Draft(1, 2, 3, sources=sources), ServerSettings(), "Title"))

    assert of(link(1)) == ["prompt", "quality", "size", "count"]
    assert of(link(1), link(2)) == ["picture", "prompt", "quality", "size", "count"]
    assert of() == ["image", "prompt", "quality", "size", "count"]
    assert names(guided_form(Draft(1, 2, 3))) == ["keep", "change", "look", "text"]


def test_a_sent_form_is_read_by_its_fields_names() -> None:
    file = {"id": "7", "url": "https://cdn.discordapp.com/7", "filename": "a.png"}
    data: dict[str, Any] = {
        "custom_id": "x",
        "components": [
            {"type": 18, "component": {"type": 4, "custom_id": "prompt", "value": "blue"}},
            {"type": 18, "component": {"type": 3, "custom_id": "size", "values": ["1:1", "2:1"]}},
            {"type": 18, "component": {"type": 19, "custom_id": "image", "values": ["7"]}},
            {"type": 1, "components": [{"type": 4, "custom_id": "old", "value": "row"}]},
            {"type": 18, "component": {"type": 3, "custom_id": "none", "values": []}},
        ],
        "resolved": {"attachments": {"7": file}},
    }
    assert read_form(data) == SubmittedForm(
        {"prompt": "blue", "size": "1:1", "old": "row"}, {"image": file}
    )


anything = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["components", "component", "custom_id", "values", "value", "type", "resolved"]
            ),
            inner,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["components", "resolved", "custom_id"]), anything))
def test_whatever_is_sent_is_read(data: dict[str, Any]) -> None:
    assert all(isinstance(value, str) for value in read_form(data).values.values())
