"""The rules for Components V2."""

import pytest

from sandbox.values import JsonObject, object_at, objects_at, text_at
from tests.sandbox.client import (
    PICTURE,
    V2,
    Client,
    button,
    gallery,
    row,
    text,
)


async def test_images_of_components_stand_in_them_and_not_in_attachments(client: Client):
    """Components V2 messages have no `attachments` (discord-api-docs issue 8277)."""
    components = [{"type": 17, "components": [gallery("attachment://a.png"), text("Teal")]}]
    body = {"flags": V2, "components": components}
    answer = await client.send("POST", client.messages, body, files={"a.png": PICTURE})
    assert answer.body["attachments"] == []
    (container,) = objects_at(answer.body, "components")
    shown = objects_at(container, "components")[0]
    media = object_at(objects_at(shown, "items")[0], "media")
    assert (media["width"], media["height"], media["content_type"]) == (64, 48, "image/png")
    assert media["attachment_id"] == media["id"]
    assert all(value in text_at(media, "url") for value in ("?ex=", "&is=", "&hm="))


async def test_the_components_flag_is_set_by_an_edit_and_never_cleared(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction)
    path = client.answer(interaction)
    await client.send("PATCH", path, {"flags": V2, "components": [text("card")]})
    answer = await client.send("PATCH", path, {"flags": 0, "content": "plain"})
    assert answer.wrong("content") == "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    message = await interaction.settled()
    assert message.text == "card"
    assert message.flags == V2


async def test_the_components_flag_needs_content_to_be_taken_away(client: Client):
    await client.send("POST", client.messages, {"content": "plain"})
    (message,) = client.sandbox.discord.messages(client.channel)
    path = f"{client.messages}/{message.id}"
    card: JsonObject = {"flags": V2, "components": [text("card")]}
    assert (await client.send("PATCH", path, card)).status == 400
    assert (await client.send("PATCH", path, card | {"content": None})).status == 200


CARD = {"type": 17, "components": [text("x")]}


@pytest.mark.parametrize(
    ("components", "path", "code"),
    [
        ([text("x" * 4001)], ("components", "0", "content"), "BASE_TYPE_BAD_LENGTH"),
        (
            [text("x" * 2500), text("y" * 2500)],
            ("components",),
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
        ),
        (
            [{"type": 17, "components": [text("x")] * 20}] * 2,
            ("components",),
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
        ),
        ([gallery()], ("components", "0", "items"), "BASE_TYPE_BAD_LENGTH"),
        (
            [gallery("attachment://none.png")],
            ("components", "0", "items", "0", "media", "url"),
            "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
        ),
        (
            [gallery("https://example.com/a.png", description="d" * 1025)],
            ("components", "0", "items", "0", "description"),
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            [{"type": 17, "components": [CARD]}],
            ("components", "0", "components", "0", "type"),
            "UNION_TYPE_CHOICES",
        ),
        ([button("bare")], ("components", "0", "type"), "UNION_TYPE_CHOICES"),
        (
            [row(button("same"), button("same"))],
            ("components", "0", "components", "1", "custom_id"),
            "COMPONENT_CUSTOM_ID_DUPLICATED",
        ),
        (
            [row(button("c" * 101))],
            ("components", "0", "components", "0", "custom_id"),
            "BASE_TYPE_BAD_LENGTH",
        ),
        ([row()], ("components", "0", "components"), "BASE_TYPE_BAD_LENGTH"),
        (
            [{"type": 9, "components": [text("x")]}],
            ("components", "0", "accessory"),
            "BASE_TYPE_REQUIRED",
        ),
        (
            [{"type": 13, "file": {"url": "https://example.com/a"}}],
            ("components", "0", "file", "url"),
            "URL_TYPE_INVALID_SCHEME",
        ),
        (
            [{"type": 14, "spacing": 3}],
            ("components", "0", "spacing"),
            "BASE_TYPE_CHOICES",
        ),
    ],
)
async def test_a_component_that_breaks_a_rule_is_refused_at_its_place(
    client: Client, components: list[JsonObject], path: tuple[str, ...], code: str
):
    body = {"flags": V2, "components": components}
    answer = await client.send("POST", client.messages, body)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.wrong(*path) == code


async def test_a_file_that_no_component_shows_is_refused(client: Client):
    body = {"flags": V2, "components": [text("no image")]}
    answer = await client.send("POST", client.messages, body, files={"a.png": PICTURE})
    assert (answer.status, answer.code) == (400, 50035)


async def test_new_components_need_their_flag(client: Client):
    answer = await client.send("POST", client.messages, {"components": [text("x")]})
    assert answer.wrong("components", "0", "type") == "UNION_TYPE_CHOICES"
