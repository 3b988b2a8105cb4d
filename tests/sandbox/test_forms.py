"""Forms: what a bot may show in one, what people may fill in, and what the bot is sent of it."""

from collections.abc import AsyncGenerator
from typing import cast

import pytest

from sandbox.discord.guilds import Guild, Role
from sandbox.discord.interactions.interactions import Interaction
from sandbox.discord.interactions.invocation import Filled
from sandbox.sandbox import InvalidInvocation, RawId, Upload
from sandbox.values import JsonObject, object_at, objects_at
from tests.sandbox.client import PICTURE, Answer, Client, button, connection, row, text

INPUT, STRING, USER, ROLE, MENTIONABLE, CHANNEL, UPLOAD = 4, 3, 5, 6, 7, 8, 19
RADIO, BOXES, BOX = 21, 22, 23


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    async with connection() as made:
        await made.register({"name": "ask", "description": "d"})
        yield made


@pytest.fixture
def painters(client: Client, guild: Guild) -> Role:
    return client.sandbox.discord.add_role(guild, "Painters")


def options(*names: str, default: str = "") -> list[JsonObject]:
    return [{"label": each, "value": each, "default": each == default} for each in names]


def field(kind: int, custom_id: str = "what", **fields: object) -> JsonObject:
    """A component that asks for something, as small as Discord takes it."""
    body: JsonObject = {"type": kind, "custom_id": custom_id}
    match kind:
        case 4:
            body["style"] = 1
        case 3 | 21 | 22:
            body["options"] = options("red", "blue")
        case _:
            pass
    return body | fields


def label(component: JsonObject, words: str = "What") -> JsonObject:
    return {"type": 18, "label": words, "component": component}


def form(*components: JsonObject) -> JsonObject:
    return {"custom_id": "form", "title": "Questions", "components": list(components)}


async def show(client: Client, *components: JsonObject) -> tuple[Interaction, Answer]:
    """Answer a command with a form."""
    asked = await client.sandbox.discord.invoke(client.channel, client.member, "ask")
    return asked, await client.acknowledge(asked, 9, form(*components))


async def fill(client: Client, component: JsonObject, given: Filled) -> JsonObject:
    """Fill in a form of one component; what the bot is sent."""
    asked, answer = await show(client, label(component))
    assert answer.status == 200, answer.body
    sent = await client.sandbox.discord.submit(asked, {"what": given})
    return object_at(sent.payload, "data")


def answered(data: JsonObject) -> JsonObject:
    (labelled,) = objects_at(data, "components")
    return object_at(labelled, "component")


# What a form may show.


async def test_a_form_is_shown_with_numbers_and_defaults(client: Client):
    asked, _ = await show(
        client,
        text("Tell us"),
        label(field(INPUT)),
        label(field(BOXES, "boxes")) | {"description": "Any"},
        label(field(USER, "who", id=9, required=False, min_values=0)),
    )
    shown = (await asked.acknowledged()).data
    assert (shown["title"], shown["custom_id"]) == ("Questions", "form")
    words, typed, boxes, who = objects_at(shown, "components")
    assert words == {"type": 10, "id": 1, "content": "Tell us"}
    assert (typed["id"], object_at(typed, "component")["id"]) == (2, 3)
    assert object_at(typed, "component")["required"] is True
    assert boxes["description"] == "Any"
    ticked = object_at(boxes, "component")
    assert (ticked["min_values"], ticked["max_values"]) == (1, 2)
    chosen = object_at(who, "component")
    assert (chosen["id"], chosen["min_values"], chosen["required"]) == (9, 0, False)


LONG = "x" * 101
WRONG: list[tuple[JsonObject, tuple[str, ...], str]] = [
    (field(INPUT, style=3), ("style",), "BASE_TYPE_CHOICES"),
    (field(INPUT, style=None), ("style",), "BASE_TYPE_REQUIRED"),
    (field(INPUT, custom_id=""), ("custom_id",), "BASE_TYPE_REQUIRED"),
    (field(INPUT, placeholder=LONG), ("placeholder",), "BASE_TYPE_MAX_LENGTH"),
    (field(INPUT, value="x" * 4001), ("value",), "BASE_TYPE_MAX_LENGTH"),
    (field(INPUT, value="xx", max_length=1), ("value",), "BASE_TYPE_MAX_LENGTH"),
    (field(INPUT, min_length=4001), ("min_length",), "NUMBER_TYPE_MAX"),
    (field(INPUT, max_length=0), ("max_length",), "NUMBER_TYPE_MIN"),
    (field(INPUT, min_length=5, max_length=4), ("min_length",), "NUMBER_TYPE_MAX"),
    (field(INPUT, required="yes"), ("required",), "BOOLEAN_TYPE_CONVERT"),
    (field(STRING, options=[]), ("options",), "BASE_TYPE_BAD_LENGTH"),
    (field(STRING, options=None), ("options",), "BASE_TYPE_REQUIRED"),
    (
        field(STRING, options=options(*map(str, range(26)))),
        ("options",),
        "BASE_TYPE_BAD_LENGTH",
    ),
    (
        field(STRING, options=options("red", "red")),
        ("options", "1", "value"),
        "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
    ),
    (
        field(STRING, options=[{"label": LONG, "value": "x"}]),
        ("options", "0", "label"),
        "BASE_TYPE_BAD_LENGTH",
    ),
    (
        field(STRING, options=[{"label": "x", "value": LONG}]),
        ("options", "0", "value"),
        "BASE_TYPE_BAD_LENGTH",
    ),
    (
        field(STRING, options=[{"label": "x", "value": "x", "description": LONG}]),
        ("options", "0", "description"),
        "BASE_TYPE_MAX_LENGTH",
    ),
    (
        field(STRING, options=[*options("red", default="red"), *options("blue", default="blue")]),
        ("options",),
        "SELECT_COMPONENT_DEFAULT_VALUES_OUT_OF_RANGE",
    ),
    (field(STRING, max_values=3), ("options",), "BASE_TYPE_BAD_LENGTH"),
    (field(STRING, min_values=2), ("min_values",), "NUMBER_TYPE_MAX"),
    (field(STRING, min_values=0), ("min_values",), "SELECT_COMPONENT_REQUIRED_ZERO_MIN_VALUES"),
    (field(STRING, max_values=26), ("max_values",), "NUMBER_TYPE_MAX"),
    (field(STRING, placeholder="x" * 151), ("placeholder",), "BASE_TYPE_MAX_LENGTH"),
    (field(STRING, disabled=True), ("disabled",), "MODAL_COMPONENT_DISABLED"),
    (
        field(USER, default_values=[{"id": "1", "type": "role"}]),
        ("default_values", "0", "type"),
        "BASE_TYPE_CHOICES",
    ),
    (
        field(ROLE, default_values=[{"id": "1", "type": "role"}, {"id": "2", "type": "role"}]),
        ("default_values",),
        "SELECT_COMPONENT_DEFAULT_VALUES_OUT_OF_RANGE",
    ),
    (
        field(MENTIONABLE, default_values=[{"type": "role"}]),
        ("default_values", "0", "id"),
        "BASE_TYPE_REQUIRED",
    ),
    (field(CHANNEL, channel_types=[0, 99]), ("channel_types",), "BASE_TYPE_CHOICES"),
    (field(UPLOAD, max_values=11), ("max_values",), "NUMBER_TYPE_MAX"),
    (field(UPLOAD, min_values=0), ("min_values",), "SELECT_COMPONENT_REQUIRED_ZERO_MIN_VALUES"),
    (field(RADIO, options=options("one")), ("options",), "BASE_TYPE_BAD_LENGTH"),
    (
        field(RADIO, options=options(*map(str, range(11)))),
        ("options",),
        "BASE_TYPE_BAD_LENGTH",
    ),
    (
        field(RADIO, options=[*options("red", default="red"), *options("blue", default="blue")]),
        ("options",),
        "SELECT_COMPONENT_DEFAULT_VALUES_OUT_OF_RANGE",
    ),
    (
        field(BOXES, options=options(*map(str, range(11)))),
        ("options",),
        "BASE_TYPE_BAD_LENGTH",
    ),
    (field(BOXES, max_values=11), ("max_values",), "NUMBER_TYPE_MAX"),
    (field(BOXES, min_values=3), ("min_values",), "NUMBER_TYPE_MAX"),
    (field(BOX, default="yes"), ("default",), "BOOLEAN_TYPE_CONVERT"),
    (button("what"), ("type",), "UNION_TYPE_CHOICES"),
    (text("what"), ("type",), "UNION_TYPE_CHOICES"),
]


@pytest.mark.parametrize(("component", "path", "code"), WRONG)
async def test_a_field_that_breaks_a_rule_is_refused_at_its_place(
    client: Client, component: JsonObject, path: tuple[str, ...], code: str
):
    _, answer = await show(client, label(component))
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.wrong("data", "components", "0", "component", *path) == code


@pytest.mark.parametrize(
    ("components", "path", "code"),
    [
        ([], (), "BASE_TYPE_BAD_LENGTH"),
        ([text("x")] * 6, (), "BASE_TYPE_BAD_LENGTH"),
        ([field(INPUT)], ("0", "type"), "UNION_TYPE_CHOICES"),
        ([row(button("x"))], ("0", "components", "0", "type"), "UNION_TYPE_CHOICES"),
        ([row(field(INPUT))], ("0", "components", "0", "label"), "BASE_TYPE_REQUIRED"),
        (
            [row(field(INPUT, label="A"), field(INPUT, "b", label="B"))],
            ("0", "components"),
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
        ),
        ([label(field(INPUT), "x" * 46)], ("0", "label"), "BASE_TYPE_BAD_LENGTH"),
        ([label(field(INPUT)) | {"label": None}], ("0", "label"), "BASE_TYPE_REQUIRED"),
        (
            [label(field(INPUT)) | {"description": LONG}],
            ("0", "description"),
            "BASE_TYPE_BAD_LENGTH",
        ),
        ([{"type": 18, "label": "What"}], ("0", "component"), "BASE_TYPE_REQUIRED"),
        (
            [label(field(INPUT)), label(field(BOX))],
            ("1", "component", "custom_id"),
            "COMPONENT_CUSTOM_ID_DUPLICATED",
        ),
        (
            [text("x") | {"id": 4}, label(field(BOX, id=4))],
            ("1", "component", "id"),
            "COMPONENT_ID_DUPLICATED",
        ),
        ([text("x" * 4001)], ("0", "content"), "BASE_TYPE_BAD_LENGTH"),
    ],
)
async def test_a_form_that_breaks_a_rule_is_refused_at_its_place(
    client: Client, components: list[JsonObject], path: tuple[str, ...], code: str
):
    _, answer = await show(client, *components)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.wrong("data", "components", *path) == code


# What a bot is sent.


async def test_texts_are_sent_in_their_labels_and_rows(client: Client):
    asked, _ = await show(
        client,
        text("Tell us"),
        label(field(INPUT, style=2)),
        row(field(INPUT, "old", label="Old")),
    )
    values = {"what": "one\ntwo", "old": "three"}
    sent = await client.sandbox.discord.submit(asked, values)
    assert sent.payload["type"] == 5
    assert sent.payload["data"] == {
        "custom_id": "form",
        "components": [
            {"type": 10, "id": 1},
            {
                "type": 18,
                "id": 2,
                "component": {"type": 4, "id": 3, "custom_id": "what", "value": "one\ntwo"},
            },
            {
                "type": 1,
                "id": 4,
                "components": [{"type": 4, "id": 5, "custom_id": "old", "value": "three"}],
            },
        ],
    }


@pytest.mark.parametrize(
    ("component", "given", "sent"),
    [
        (field(STRING), ["blue"], {"values": ["blue"]}),
        (field(STRING, required=False), [], {"values": []}),
        (field(STRING, required=False, min_values=2, max_values=2), [], {"values": []}),
        (field(RADIO), "blue", {"value": "blue"}),
        (field(RADIO, required=False), None, {"value": None}),
        (field(BOXES), ["blue", "red"], {"values": ["blue", "red"]}),
        (field(BOXES, required=False), [], {"values": []}),
        (field(BOX), True, {"value": True}),
        (field(BOX), None, {"value": False}),
        (field(ROLE), [RawId(5)], {"values": ["5"]}),
        (field(UPLOAD, required=False), [], {"values": []}),
        (field(INPUT, required=False, min_length=5), "", {"value": ""}),
    ],
)
async def test_each_kind_of_field_is_sent_in_its_own_shape(
    client: Client, component: JsonObject, given: Filled, sent: JsonObject
):
    data = await fill(client, component, given)
    head = {"type": component["type"], "id": 2, "custom_id": "what"}
    assert answered(data) == head | sent
    assert "resolved" not in data


async def test_files_are_sent_by_their_ids_and_resolved(client: Client):
    uploads = [Upload("a.png", PICTURE), Upload("b.txt", b"words")]
    data = await fill(client, field(UPLOAD, max_values=2), uploads)
    attachments = object_at(object_at(data, "resolved"), "attachments")
    assert answered(data)["values"] == list(attachments)
    told = [cast("JsonObject", each) for each in attachments.values()]
    assert [(each["filename"], each["ephemeral"]) for each in told] == [
        ("a.png", True),
        ("b.txt", True),
    ]


async def test_people_roles_and_channels_are_resolved_for_a_whole_form(
    client: Client, painters: Role
):
    asked, _ = await show(
        client,
        label(field(USER, "who")),
        label(field(ROLE, "role")),
        label(field(MENTIONABLE, "whatever", max_values=2)),
        label(field(CHANNEL, "where")),
    )
    sent = await client.sandbox.discord.submit(
        asked,
        {
            "who": [client.member],
            "role": [painters],
            "whatever": [painters, client.member],
            "where": [client.channel],
        },
    )
    data = object_at(sent.payload, "data")
    member, role = str(client.member.id), str(painters.id)
    components = [object_at(each, "component") for each in objects_at(data, "components")]
    assert [each["values"] for each in components] == [
        [member],
        [role],
        [role, member],
        [str(client.channel.id)],
    ]
    resolved = object_at(data, "resolved")
    assert resolved.keys() == {"users", "members", "roles", "channels"}
    assert object_at(resolved, "users").keys() == object_at(resolved, "members").keys() == {member}
    assert object_at(resolved, "roles") == {role: painters.to_json()}


async def test_what_is_left_out_is_sent_as_the_form_shows_it(client: Client, painters: Role):
    default = [{"id": str(painters.id), "type": "role"}]
    components = [
        field(INPUT, "text", value="as before"),
        field(STRING, "one", options=options("red", "blue", default="blue")),
        field(RADIO, "either", options=options("red", "blue", default="red")),
        field(BOX, "yes", default=True),
        field(ROLE, "role", default_values=default),
    ]
    asked, answer = await show(client, *map(label, components))
    assert answer.status == 200, answer.body
    sent = await client.sandbox.discord.submit(asked, {"text": None})
    data = object_at(sent.payload, "data")
    filled = [object_at(each, "component") for each in objects_at(data, "components")]
    assert [each.get("value", each.get("values")) for each in filled] == [
        "as before",
        ["blue"],
        "red",
        True,
        [str(painters.id)],
    ]
    assert object_at(data, "resolved") == {"roles": {str(painters.id): painters.to_json()}}


# What people may fill in.


@pytest.mark.parametrize(
    ("component", "given", "words"),
    [
        (field(INPUT), None, "What: this field is required"),
        (field(INPUT), "", "What: this field is required"),
        (field(INPUT), True, "What: takes text"),
        (field(INPUT), "a\nb", "What: takes one line"),
        (field(INPUT, min_length=3), "ab", "What: takes 3 to 4000 characters, not 2"),
        (field(INPUT, max_length=1), "ab", "What: takes 0 to 1 characters, not 2"),
        (field(STRING), None, "What: this field is required"),
        (field(STRING), ["green"], "What: 'green' is not one of red, blue"),
        (field(STRING), ["red", "blue"], "What: takes 1 of what is offered, not 2"),
        (field(STRING), "red", "What: takes a list"),
        (field(USER), ["red"], "What: takes no str"),
        (field(UPLOAD), [], "What: this field is required"),
        (field(UPLOAD), ["red"], "What: takes no str"),
        (field(UPLOAD), [Upload("a", b"x")] * 2, "What: takes 1 of what is offered, not 2"),
        (field(RADIO), None, "What: this field is required"),
        (field(RADIO), "green", "What: 'green' is not one of red, blue"),
        (field(BOXES), [], "What: this field is required"),
        (field(BOXES, max_values=1), ["red", "blue"], "What: takes 1 of what is offered, not 2"),
        (field(BOXES), ["red", "red"], "What: nothing can be chosen twice"),
        (field(BOX), "yes", "What: takes true or false"),
    ],
)
async def test_what_a_form_does_not_take_cannot_be_sent(
    client: Client, component: JsonObject, given: Filled, words: str
):
    with pytest.raises(InvalidInvocation, match=words):
        await fill(client, component, given)


async def test_what_a_form_does_not_ask_for_cannot_be_sent(client: Client):
    asked, _ = await show(client, label(field(BOX)))
    with pytest.raises(InvalidInvocation, match="asks for no mood"):
        await client.sandbox.discord.submit(asked, {"mood": "sad"})


async def test_a_form_is_sent_once_unless_the_bot_does_not_answer(client: Client):
    discord = client.sandbox.discord
    asked, _ = await show(client, label(field(INPUT)))
    with pytest.raises(InvalidInvocation, match="required"):
        await discord.submit(asked, {})
    first = await discord.submit(asked, {"what": "x"})
    with pytest.raises(InvalidInvocation, match="sent already"):
        await discord.submit(asked, {"what": "x"})
    first.too_late()
    again = await discord.submit(asked, {"what": "x"})
    assert (await client.acknowledge(again, 4, {"content": "ok"})).status == 200
    again.too_late()
    with pytest.raises(InvalidInvocation, match="sent already"):
        await discord.submit(asked, {"what": "x"})


async def test_a_form_is_sent_by_whom_it_was_shown_to(client: Client, guild: Guild):
    bob = client.sandbox.discord.add_member(guild, "Bob")
    asked, _ = await show(client, label(field(BOX)))
    with pytest.raises(InvalidInvocation, match="shown to Ada alone"):
        await client.sandbox.discord.submit(asked, {}, bob)
    sent = await client.sandbox.discord.submit(asked, {}, client.member)
    assert sent.member is client.member


async def test_a_command_answered_otherwise_has_no_form(client: Client):
    asked = await client.sandbox.discord.invoke(client.channel, client.member, "ask")
    await client.acknowledge(asked, 4, {"content": "no"})
    with pytest.raises(InvalidInvocation, match="no form to send"):
        await client.sandbox.discord.submit(asked, {})
