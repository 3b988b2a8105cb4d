"""Responding to interactions: deadlines, tokens, updates and follow-ups."""

import asyncio

import pytest

from sandbox.discord.interactions.interactions import Interaction
from sandbox.sandbox import InvalidInvocation
from sandbox.values import JsonObject, object_at, objects_at
from tests.sandbox.client import (
    EPHEMERAL,
    PICTURE,
    V2,
    Client,
    button,
    gallery,
    row,
    text,
)

# The first answer.


async def test_a_deferred_answer_shows_thinking_until_it_is_edited(client: Client):
    await client.register()
    interaction = await client.invoke()
    answer = await client.acknowledge(interaction, 5, {"flags": EPHEMERAL})
    told = object_at(answer.body, "interaction")
    assert told["response_message_loading"] is True
    assert told["response_message_ephemeral"] is True
    acknowledgement = await interaction.acknowledged()
    assert acknowledgement.ephemeral
    assert acknowledgement.seconds < 3
    await client.send("PATCH", client.answer(interaction), {"content": "done"})
    message = await interaction.settled()
    assert (message.content, message.flags, message.ephemeral) == ("done", EPHEMERAL, True)
    assert client.sandbox.discord.messages(client.channel) == []


async def test_without_with_response_an_acknowledgement_is_answered_204(client: Client):
    await client.register()
    interaction = await client.invoke()
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    answer = await client.send("POST", path, {"type": 4, "data": {"content": "hi"}})
    assert (answer.status, answer.body) == (204, {})
    assert (await interaction.settled()).content == "hi"


async def test_after_three_seconds_an_acknowledgement_is_too_late(client: Client):
    await client.register()
    interaction = await client.invoke()
    client.sandbox.clock.advance(3.1)
    answer = await client.acknowledge(interaction)
    assert (answer.status, answer.code) == (404, 10062)
    assert interaction.failed


async def test_a_second_acknowledgement_is_refused(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction)
    answer = await client.acknowledge(interaction)
    assert (answer.status, answer.code) == (400, 40060)


async def test_an_acknowledgement_with_a_wrong_token_is_unknown(client: Client):
    await client.register()
    interaction = await client.invoke()
    path = f"/interactions/{interaction.id}/wrong/callback"
    answer = await client.send("POST", path, {"type": 5})
    assert (answer.status, answer.code) == (404, 10062)


@pytest.mark.parametrize("kind", [1, 6, 7, 8, 99])
async def test_a_command_cannot_be_answered_as_a_button_or_a_search(client: Client, kind: int):
    await client.register()
    answer = await client.acknowledge(await client.invoke(), kind)
    assert (answer.status, answer.wrong("type")) == (400, "BASE_TYPE_CHOICES")


async def test_a_wrong_first_answer_leaves_the_interaction_open(client: Client):
    await client.register()
    interaction = await client.invoke()
    refused = await client.acknowledge(interaction, 4, {"content": "x" * 2001})
    assert refused.wrong("data", "content") == "BASE_TYPE_MAX_LENGTH"
    assert (await client.acknowledge(interaction, 4, {"content": "x"})).status == 200


async def test_before_it_was_acknowledged_an_answer_is_unknown(client: Client):
    await client.register()
    interaction = await client.invoke()
    answer = await client.send("GET", client.answer(interaction))
    assert (answer.status, answer.code) == (404, 10015)


async def test_after_fifteen_minutes_the_token_is_dead_but_the_channels_route_is_not(
    client: Client,
):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction)
    client.sandbox.clock.advance(15 * 60 + 1)
    answer = await client.send("PATCH", client.answer(interaction), {"content": "late"})
    assert (answer.status, answer.code) == (401, 50027)
    message = interaction.message
    assert message is not None
    answer = await client.send("PATCH", f"{client.messages}/{message.id}", {"content": "late"})
    assert answer.status == 200
    assert message.content == "late"


async def test_a_private_answer_cannot_be_reached_by_its_channel(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction, 4, {"content": "psst", "flags": EPHEMERAL})
    message = await interaction.settled()
    answer = await client.send("PATCH", f"{client.messages}/{message.id}", {"content": "x"})
    assert (answer.status, answer.code) == (404, 10008)


async def test_a_deleted_answer_is_an_unknown_message(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction, 4, {"content": "x"})
    client.sandbox.discord.delete(await interaction.settled())
    answer = await client.send("PATCH", client.answer(interaction), {"content": "y"})
    assert (answer.status, answer.code) == (404, 10008)


async def test_the_first_follow_up_of_a_deferred_answer_takes_its_place(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction)
    path = f"/webhooks/{client.sandbox.application_id}/{interaction.token}"
    await client.send("POST", path, {"content": "first"})
    await client.send("POST", path, {"content": "second"})
    assert (await interaction.settled()).content == "first"
    assert [message.content for message in interaction.followups] == ["second"]


async def test_a_button_is_pressed_and_its_message_updated(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction, 4, {"content": "x", "components": [row(button("more"))]})
    message = await interaction.settled()
    pressed = await client.sandbox.discord.press(message, client.member, "more")
    answer = await client.acknowledge(pressed, 7, {"content": "pressed", "components": []})
    assert answer.status == 200
    assert message.content == "pressed"
    with pytest.raises(InvalidInvocation, match="nothing to press"):
        await client.sandbox.discord.press(message, client.member, "more")


# Private answers, and their buttons.


NO_FILES: JsonObject = {"attachments": []}


def page(name: str, words: str) -> JsonObject:
    """A card with an image and a button, as an answer's data."""
    inner = [text(words), gallery(f"attachment://{name}"), row(button("next"))]
    return {"flags": EPHEMERAL | V2, "components": [{"type": 17, "components": inner}]}


async def show_page(client: Client) -> Interaction:
    """Answer `/edit` with a card that the member alone sees."""
    await client.register()
    interaction = await client.invoke()
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    body = {"type": 4, "data": page("first.png", "first")}
    assert (await client.send("POST", path, body, files={"first.png": PICTURE})).status == 204
    return interaction


async def test_a_press_tells_the_private_message_and_whom_it_was_shown_to(client: Client):
    shown = await show_page(client)
    pressed = await client.sandbox.discord.press(await shown.settled(), client.member, "next")
    told = object_at(pressed.payload, "message")
    assert told["flags"] == EPHEMERAL | V2
    metadata = object_at(told, "interaction_metadata")
    assert object_at(metadata, "user")["id"] == str(client.member.id)
    assert metadata["id"] == str(shown.id)
    (container,) = objects_at(told, "components")
    (pressable,) = objects_at(objects_at(container, "components")[2], "components")
    data = object_at(pressed.payload, "data")
    assert (data["custom_id"], data["id"]) == (pressable["custom_id"], pressable["id"])


async def test_somebody_else_can_be_let_press_a_private_message(client: Client):
    message = await (await show_page(client)).settled()
    bob = client.sandbox.discord.add_member(client.sandbox.discord.guilds[0], "Bob")
    pressed = await client.sandbox.discord.press(message, bob, "next")
    assert object_at(object_at(pressed.payload, "member"), "user")["id"] == str(bob.id)
    metadata = object_at(object_at(pressed.payload, "message"), "interaction_metadata")
    assert object_at(metadata, "user")["id"] == str(client.member.id)


async def test_a_private_message_is_updated_with_other_files_by_a_press(client: Client):
    shown = await show_page(client)
    message = await shown.settled()
    turned = asyncio.create_task(shown.until(lambda message: message.text == "second"))
    pressed = await client.sandbox.discord.press(message, client.member, "next")
    path = f"/interactions/{pressed.id}/{pressed.token}/callback?with_response=1"
    data = page("second.png", "second") | {"attachments": [{"id": 0, "description": "teal"}]}
    body = {"type": 7, "data": data}
    answer = await client.send("POST", path, body, files={"second.png": PICTURE})
    resource = object_at(answer.body, "resource")
    assert (resource["type"], object_at(resource, "message")["id"]) == (7, str(message.id))
    assert await turned is await pressed.settled() is message
    assert [(file.name, file.description) for file in message.files] == [("second.png", "teal")]
    assert message.flags == EPHEMERAL | V2
    assert client.sandbox.discord.messages(client.channel) == []


async def test_an_update_keeps_the_files_that_it_names(client: Client):
    message = await (await show_page(client)).settled()
    (kept,) = message.files
    pressed = await client.sandbox.discord.press(message, client.member, "next")
    data = page("first.png", "again") | {"attachments": [{"id": str(kept.id)}]}
    assert (await client.acknowledge(pressed, 7, data)).status == 200
    assert (message.text, [file.id for file in message.files]) == ("again", [kept.id])
    pressed = await client.sandbox.discord.press(message, client.member, "next")
    answer = await client.acknowledge(pressed, 7, page("first.png", "gone") | NO_FILES)
    assert (answer.status, answer.code) == (400, 50035)
    assert message.text == "again"


async def test_a_deferred_update_shows_nothing_until_its_answer_is_edited(client: Client):
    message = await (await show_page(client)).settled()
    pressed = await client.sandbox.discord.press(message, client.member, "next")
    assert (await client.acknowledge(pressed, 6)).status == 200
    acknowledgement = await pressed.acknowledged()
    assert (acknowledgement.message, message.text, message.loading) == (message, "first", False)
    again = await client.sandbox.discord.press(message, client.member, "next")
    assert (await client.acknowledge(again, 6)).status == 200
    turned = asyncio.create_task(again.until(lambda message: message.text == "second"))
    body = page("second.png", "second") | NO_FILES
    answer = await client.send("PATCH", client.answer(pressed), body, files={"second.png": PICTURE})
    assert answer.status == 200
    assert await turned is message
    assert [file.name for file in message.files] == ["second.png"]


async def test_a_private_message_is_followed_up_with_files(client: Client):
    shown = await show_page(client)
    path = f"/webhooks/{client.sandbox.application_id}/{shown.token}"
    answer = await client.send("POST", path, page("more.png", "more"), files={"more.png": PICTURE})
    assert answer.status == 200
    (more,) = shown.followups
    assert (more.ephemeral, more.text) == (True, "more")
    assert [file.name for file in more.files] == ["more.png"]
    first = await shown.settled()
    metadata = object_at(answer.body, "interaction_metadata")
    assert metadata["original_response_message_id"] == str(first.id)
    pressed = await client.sandbox.discord.press(more, client.member, "next")
    assert (await client.acknowledge(pressed, 7, {"components": [text("done")]})).status == 200
    assert more.text == "done"


async def test_a_form_tells_what_it_was_shown_for(client: Client):
    shown = await show_page(client)
    pressed = await client.sandbox.discord.press(await shown.settled(), client.member, "next")
    field = {"type": 4, "custom_id": "what", "style": 2}
    labelled = {"type": 18, "label": "What", "component": field}
    form: JsonObject = {"custom_id": "form", "title": "Edit", "components": [labelled]}
    assert (await client.acknowledge(pressed, 9, form)).status == 200
    sent = await client.sandbox.discord.submit(pressed, {"what": "bluer"})
    answer = await client.acknowledge(sent, 4, {"content": "ok"})
    message = object_at(object_at(answer.body, "resource"), "message")
    cause = object_at(object_at(message, "interaction_metadata"), "triggering_interaction_metadata")
    assert cause["id"] == str(pressed.id)
    assert cause["interacted_message_id"] == str((await shown.settled()).id)


async def test_a_form_is_shown_and_sent(client: Client):
    await client.register()
    interaction = await client.invoke()
    field = {"type": 4, "custom_id": "what", "style": 2}
    form: JsonObject = {
        "custom_id": "form",
        "title": "Edit",
        "components": [{"type": 18, "label": "What", "component": field}],
    }
    assert (await client.acknowledge(interaction, 9, form)).status == 200
    sent = await client.sandbox.discord.submit(interaction, {"what": "bluer"})
    (label,) = objects_at(object_at(sent.payload, "data"), "components")
    assert object_at(label, "component")["value"] == "bluer"
    assert (await client.acknowledge(sent, 4, {"content": "ok"})).status == 200


async def test_a_form_with_too_long_a_title_is_refused(client: Client):
    await client.register()
    form: JsonObject = {"custom_id": "f", "title": "t" * 46, "components": [text("x")]}
    answer = await client.acknowledge(await client.invoke(), 9, form)
    assert answer.wrong("data", "title") == "BASE_TYPE_BAD_LENGTH"


# Many at once.


async def test_a_hundred_interactions_at_once_keep_their_answers_apart(client: Client):
    await client.register()
    interactions = await asyncio.gather(
        *(client.invoke(prompt=f"prompt {number}") for number in range(100))
    )

    async def answer(number: int, interaction: Interaction) -> None:
        assert (await client.acknowledge(interaction)).status == 200
        body = {"flags": V2, "components": [gallery("attachment://a.png"), text(str(number))]}
        path = client.answer(interaction)
        assert (await client.send("PATCH", path, body, files={"a.png": PICTURE})).status == 200

    await asyncio.gather(*(answer(*each) for each in enumerate(interactions)))
    settled = [await interaction.settled() for interaction in interactions]
    assert [message.text for message in settled] == [str(number) for number in range(100)]
