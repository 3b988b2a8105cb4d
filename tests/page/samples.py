"""One of each kind of what an application may send, and how the page has to draw it.

To look at them all: `python -m tests.page.samples`.
"""

import asyncio
import io
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.discord.guilds import Channel
from sandbox.discord.messages import Message
from sandbox.page.running import running_page
from sandbox.values import JsonObject
from tests.images_made import make_image
from tests.page.stand_in import StandIn, put

V2 = 1 << 15
SUPPRESS_EMBEDS, SILENT = 1 << 2, 1 << 12
EVERY_PICTURE = 10
ELSEWHERE = "https://elsewhere.example/image.png"


@dataclass(frozen=True, slots=True)
class Sample:
    """A message as it is sent, or put in place where no request makes it, and as it is drawn.

    How it is drawn is an ARIA snapshot: what a screen reader would find in it, in order.
    https://playwright.dev/python/docs/aria-snapshots
    """

    name: str
    drawn: str
    body: JsonObject = field(default_factory=dict[str, object])
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    more: JsonObject = field(default_factory=dict[str, object])
    elements: tuple[str, ...] = ()
    """Selectors of what is to be seen beside, as screen readers' trees have no films and sounds."""

    async def post(self, bot: StandIn, channel: Channel) -> Message:
        """Post it."""
        if self.more:
            return put(bot.sandbox, channel, self.more)
        return await bot.post(channel, self.body, self.files)


def image(seed: int = 0) -> bytes:
    return make_image(width=120 + 20 * seed, height=90)


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes([128]) * 800)
    return out.getvalue()


def text(content: str) -> JsonObject:
    return {"type": 10, "content": content}


def row(*components: JsonObject) -> JsonObject:
    return {"type": 1, "components": list(components)}


def button(style: int, label: str, **fields: object) -> JsonObject:
    named = {} if style > 4 else {"custom_id": label.lower()}
    return {"type": 2, "style": style, "label": label} | named | fields


def select(kind: int, custom_id: str, **fields: object) -> JsonObject:
    return row({"type": kind, "custom_id": custom_id, "placeholder": f"Pick {custom_id}"} | fields)


def option(label: str, **fields: object) -> JsonObject:
    return {"label": label, "value": label.lower()} | fields


def attached(name: str, **fields: object) -> JsonObject:
    return {"media": {"url": f"attachment://{name}"}} | fields


def v2(*components: JsonObject) -> JsonObject:
    return {"flags": V2, "components": list(components)}


def gallery(number: int) -> Sample:
    names = [f"{each}.png" for each in range(1, number + 1)]
    items = [attached(name, description=f"Image {name}") for name in names]
    drawn = "\n".join(f'- button "Image {name}":\n  - img "Image {name}"' for name in names)
    return Sample(
        f"a gallery of {number}",
        drawn,
        v2({"type": 12, "items": items}),
        {name: image(index) for index, name in enumerate(names)},
    )


BUTTONS = Sample(
    "buttons",
    """
    - paragraph: Buttons
    - button "Primary"
    - button "Secondary"
    - button "Success"
    - button "Danger"
    - link "Link opens in a new tab":
      - /url: https://example.com/
    - button /Shop item/ [disabled]
    - button "Off" [disabled]
    - button "🎨"
    - button /Paint/
    - button ":party:"
    """,
    {
        "content": "Buttons",
        "components": [
            row(
                button(1, "Primary"),
                button(2, "Secondary"),
                button(3, "Success"),
                button(4, "Danger"),
                button(5, "Link", url="https://example.com/"),
            ),
            row(
                {"type": 2, "style": 6, "sku_id": "123"},
                button(1, "Off", disabled=True),
                {"type": 2, "style": 2, "custom_id": "emoji", "emoji": {"name": "🎨"}},
                button(2, "Paint", emoji={"name": "🖌️"}),
                {
                    "type": 2,
                    "style": 2,
                    "custom_id": "own",
                    "emoji": {"id": "5", "name": "party"},
                },
            ),
        ],
    },
)

SELECTS = Sample(
    "selects",
    """
    - combobox "Pick colours"
    - combobox "Pick user"
    - combobox "Pick role"
    - combobox "Pick mentionable"
    - combobox "Pick channel"
    """,
    {
        "content": "Selects",
        "components": [
            select(
                3,
                "colours",
                min_values=2,
                max_values=3,
                options=[
                    option("Red", emoji={"name": "🍎"}, description="As apples"),
                    option("Green"),
                    option("Blue"),
                    option("White"),
                ],
            ),
            select(5, "user"),
            select(6, "role", min_values=0),
            select(7, "mentionable", max_values=5),
            select(8, "channel", channel_types=[0]),
        ],
    },
)

SELECTS_SET = Sample(
    "selects with something chosen, and one that is off",
    """
    - combobox "Pick colour": Green
    - combobox "Pick nothing" [disabled]
    """,
    {
        "content": "Selects",
        "components": [
            select(3, "colour", options=[option("Red"), option("Green", default=True)]),
            select(3, "nothing", options=[option("Red")], disabled=True),
        ],
    },
)

SECTIONS = Sample(
    "sections",
    """
    - paragraph: One
    - paragraph: Two
    - button "A lighthouse":
      - img "A lighthouse"
    - paragraph: With a button
    - button "Open"
    - paragraph: With a link
    - link "Read opens in a new tab"
    """,
    v2(
        {
            "type": 9,
            "components": [text("One"), text("Two")],
            "accessory": {"type": 11} | attached("small.png", description="A lighthouse"),
        },
        {"type": 9, "components": [text("With a button")], "accessory": button(1, "Open")},
        {
            "type": 9,
            "components": [text("With a link")],
            "accessory": button(5, "Read", url="https://example.com/"),
        },
    ),
    {"small.png": image()},
)

CONTAINER = Sample(
    "a container with everything in it",
    """
    - heading "Card" [level=3]
    - separator
    - button "Sunrise":
      - img "Sunrise"
    - link "notes.txt"
    - button "Again"
    - combobox "Pick a size"
    """,
    v2(
        {
            "type": 17,
            "accent_color": 0x3BA55D,
            "components": [
                text("# Card"),
                {"type": 14, "spacing": 2},
                {"type": 12, "items": [attached("sun.png", description="Sunrise")]},
                {"type": 14, "divider": False},
                {"type": 13, "file": {"url": "attachment://notes.txt"}},
                row(button(2, "Again")),
                select(3, "a size", options=[option("Small")]),
            ],
        },
    ),
    {"sun.png": image(), "notes.txt": b"words"},
)

SPOILERS = Sample(
    "spoilers",
    """
    - 'button "Spoiler: show it"'
    - 'button "Spoiler: show it"'
    - 'button "Spoiler: show it"'
    - paragraph:
      - 'button "Spoiler: show it"'
    """,
    v2(
        {"type": 17, "spoiler": True, "components": [text("hidden words")]},
        {"type": 12, "items": [attached("hidden.png", description="Hidden", spoiler=True)]},
        {"type": 13, "file": {"url": "attachment://hidden.txt"}, "spoiler": True},
        text("||a secret||"),
    ),
    {"hidden.png": image(), "hidden.txt": b"words"},
)

EMBED = Sample(
    "an embed with all that it may have",
    """
    - text: Weather office
    - link "The keeper":
      - /url: https://example.com/keeper
    - link "Tonight":
      - /url: https://example.com/tonight
    - paragraph:
      - strong: Fog
    - text: Wind
    - paragraph: North
    - text: Sea
    - paragraph: Calm
    - text: Note
    - paragraph: All ships
    - text: "Not loaded: the page loads nothing from elsewhere."
    - link "https://elsewhere.example/small.png"
    - text: "Not loaded: the page loads nothing from elsewhere."
    - link "https://elsewhere.example/image.png"
    - text: "Not loaded: the page loads nothing from elsewhere."
    - link "https://elsewhere.example/film.mp4"
    - text: /The lamp • 5.1.24/
    """,
    {
        "embeds": [
            {
                "title": "Tonight",
                "url": "https://example.com/tonight",
                "description": "**Fog**",
                "color": 0x3BA55D,
                "timestamp": "2024-05-01T12:00:00+00:00",
                "author": {
                    "name": "The keeper",
                    "url": "https://example.com/keeper",
                    "icon_url": ELSEWHERE,
                },
                "provider": {"name": "Weather office"},
                "fields": [
                    {"name": "Wind", "value": "North", "inline": True},
                    {"name": "Sea", "value": "Calm", "inline": True},
                    {"name": "Note", "value": "All ships"},
                ],
                "image": {"url": ELSEWHERE},
                "thumbnail": {"url": "https://elsewhere.example/small.png"},
                "video": {"url": "https://elsewhere.example/film.mp4"},
                "footer": {"text": "The lamp", "icon_url": ELSEWHERE},
            }
        ]
    },
)

FILES = Sample(
    "attachments of every kind",
    """
    - button "Sea and sky":
      - img "Sea and sky"
    - 'button "Spoiler: show it"'
    - link "sound.wav"
    - text: 844 bytes
    - link "words.txt"
    - text: 5 bytes
    """,
    {
        "content": "Files",
        "attachments": [{"id": 0, "description": "Sea and sky"}],
    },
    {
        "sea.png": image(),
        "film.mp4": b"no film",
        "SPOILER_end.png": image(),
        "sound.wav": sound(),
        "words.txt": b"words",
    },
    elements=("video[controls][aria-label='film.mp4']", "audio[controls][aria-label='sound.wav']"),
)

MARKDOWN = Sample(
    "text with Discord's markdown",
    """
    - heading "Heading" [level=3]
    - paragraph:
      - strong: bold
      - text: ","
      - emphasis: slanted
      - text: ","
      - code: code
    - blockquote:
      - paragraph: quoted
    - list:
      - listitem: one
      - listitem: two
    - code: "print(1)"
    - paragraph:
      - link "a link":
        - /url: https://example.com/
    - text: small
    """,
    {
        "content": "# Heading\n**bold**, *slanted*, `code`\n> quoted\n- one\n- two\n"
        "```py\nprint(1)\n```[a link](https://example.com/)\n-# small"
    },
)

SENT = (
    BUTTONS,
    SELECTS,
    SELECTS_SET,
    SECTIONS,
    CONTAINER,
    SPOILERS,
    EMBED,
    FILES,
    MARKDOWN,
    Sample(
        "a silent message", "- text: Sent without a notification", {"content": "x", "flags": SILENT}
    ),
    Sample(
        "a message with its embeds suppressed",
        "- paragraph: only this",
        {"content": "only this", "embeds": [{"title": "not this"}], "flags": SUPPRESS_EMBEDS},
    ),
    *(gallery(number) for number in range(1, EVERY_PICTURE + 1)),
)
"""What a request can send."""

FORWARDED: JsonObject = {
    "message": {
        "type": 0,
        "content": "from afar",
        "embeds": [],
        "attachments": [],
        "components": [text("and more")],
        "flags": 0,
    }
}

PUT = (
    Sample(
        "a message that is read aloud",
        "- text: Read aloud (text to speech)",
        more={"content": "ahoy", "tts": True},
    ),
    Sample(
        "a forwarded message",
        """
        - text: ↱ Forwarded
        - paragraph: from afar
        - paragraph: and more
        """,
        more={
            "message_reference": {"type": 1, "channel_id": "1", "message_id": "2"},
            "message_snapshots": [FORWARDED],
        },
    ),
    Sample(
        "a reply to a message that is gone",
        "- emphasis: Original message was deleted",
        more={
            "type": 19,
            "content": "yes",
            "message_reference": {"type": 0, "channel_id": "1", "message_id": "2"},
            "referenced_message": None,
        },
    ),
    Sample(
        "components of types that nobody knows",
        """
        - text: /type 99.* not drawn here.* type 98.* not drawn here.* type 97.* not drawn here/
        - text: "Component of type 96: not drawn here"
        """,
        more={
            "flags": V2,
            "components": [
                {"type": 99, "id": 1},
                {"type": 17, "id": 2, "components": [{"type": 98, "id": 3}]},
                row({"type": 97, "id": 5}),
                {
                    "type": 9,
                    "id": 6,
                    "components": [text("x")],
                    "accessory": {"type": 96, "id": 7},
                },
            ],
        },
    ),
    Sample(
        "fields that nobody knows",
        "- text: /brand_new.*not drawn here/",
        more={"content": "x", "brand_new": {"a": 1}},
    ),
    Sample(
        "a message of a type that nobody knows",
        "- text: /Message of type 61.*not drawn here/",
        more={"type": 61},
    ),
    Sample("a message that holds nothing", "- text: /holds nothing/", more={"content": ""}),
    Sample(
        "reactions",
        "- text: /🌊 3/",
        more={
            "content": "x",
            "reactions": [
                {"emoji": {"id": None, "name": "🌊"}, "count": 3, "me": False},
                {"emoji": {"id": "5", "name": "party"}, "count": 1, "me": True},
            ],
        },
    ),
    Sample(
        "an invitation to an activity",
        "- text: /activity.*not drawn here/",
        more={
            "activity": {"type": 1, "party_id": "p"},
            "application": {"id": "1", "name": "Chess"},
        },
    ),
    Sample(
        "a call",
        "- text: /Call with 2 participants.*not drawn here/",
        more={"type": 3, "call": {"participants": ["1", "2"], "ended_timestamp": None}},
    ),
    Sample(
        "a thread that was begun from a message",
        "- text: Thread “Fog”",
        more={"content": "x", "thread": {"id": "1", "name": "Fog", "type": 11}},
    ),
    Sample(
        "what somebody pays for",
        """
        - text: /role_subscription_data.*not drawn here.*purchase_notification.*not drawn here/
        """,
        more={
            "content": "x",
            "role_subscription_data": {"tier_name": "Gold"},
            "purchase_notification": {"type": 0},
        },
    ),
)
"""What no request to the sandbox makes, but Discord's message object may have."""


def label(words: str, component: JsonObject, description: str = "") -> JsonObject:
    said: JsonObject = {"description": description} if description else {}
    return {"type": 18, "label": words, "component": component} | said


def ask(kind: int, custom_id: str, **fields: object) -> JsonObject:
    return {"type": kind, "custom_id": custom_id} | fields


TEXTS: JsonObject = {
    "custom_id": "texts",
    "title": "Words and choices",
    "components": [
        text("Tell us **all**."),
        label("Name", ask(4, "name", style=1, min_length=3, max_length=10), "As you are called"),
        label("Story", ask(4, "story", style=2, required=False, value="Once", placeholder="Long")),
        label(
            "Colours",
            ask(
                3,
                "colours",
                min_values=2,
                max_values=2,
                options=[option("Red"), option("Green"), option("Blue")],
            ),
        ),
        label("Friends", ask(5, "friends", required=False, min_values=0, max_values=3)),
    ],
}
"""A form: a text, both text inputs, two selects."""

BOXES: JsonObject = {
    "custom_id": "boxes",
    "title": "Boxes and files",
    "components": [
        label(
            "Size", ask(21, "size", options=[option("Small", description="A cup"), option("Large")])
        ),
        label("Extras", ask(22, "extras", max_values=2, options=[option(x) for x in "ABC"])),
        label("Agreed", ask(23, "agreed")),
        label("Proofs", ask(19, "proofs", min_values=1, max_values=2)),
        label("Where", ask(8, "where", channel_types=[0])),
    ],
}
"""A form: a radio group, a checkbox group, a checkbox, files, a channel."""

PLAIN: JsonObject = {
    "custom_id": "plain",
    "title": "As of old",
    "components": [
        row(ask(4, "subject", style=1, label="Subject")),
        label("Role", ask(6, "role")),
        label("Anybody", ask(7, "anybody", required=False)),
    ],
}
"""A form: a text input in a row, and the selects that are left."""

FORMS = (TEXTS, BOXES, PLAIN)


async def show() -> None:
    """Show all samples on a page until Ctrl-C."""
    async with running_page() as page, StandIn.at(page.sandbox) as bot:
        for sample in (*SENT, *PUT):
            await sample.post(bot, page.sandbox.world.guilds[0].channels[0])
        print(f"The samples are at {page.address}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(show())
