"""Where a message's pictures are found, and from which addresses one may be taken."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bot.discord_io.message_images import MAX_IMAGES, TrustedHosts, find_images, walk_components

HOSTS = TrustedHosts(URL("http://127.0.0.1:9000"))
CDN = "https://cdn.discordapp.com/attachments/1/2"
PROXY = "https://images-ext-1.discordapp.net/external/x/https/example.org/cat.png"


def urls(message: dict[str, Any]) -> list[str]:
    return [picture.url for picture in find_images(message, HOSTS)]


def attachment(name: str, **more: Any) -> dict[str, Any]:
    return {"filename": name, "url": f"{CDN}/{name}", "content_type": "image/png", **more}


def gallery(*names: str, **more: Any) -> dict[str, Any]:
    return {"type": 12, "items": [{"media": {"url": f"{CDN}/{name}"}, **more} for name in names]}


@pytest.mark.parametrize(
    "message",
    [
        {"attachments": [attachment("a.png")]},
        {"attachments": [attachment("a.png", content_type=None, width=10, height=10)]},
        {"attachments": [attachment("a.png", content_type=None)]},
        {"components": [gallery("a.png")]},
        {"components": [{"type": 17, "components": [{"type": 10}, gallery("a.png")]}]},
        {"components": [{"type": 9, "accessory": {"type": 11, "media": {"url": f"{CDN}/a.png"}}}]},
        {"components": [{"type": 13, "file": {"url": f"{CDN}/a.png"}}]},
        {
            "components": [
                {"type": 11, "media": {"url": "https://x.org/1", "proxy_url": f"{CDN}/a.png"}}
            ]
        },
        {
            "embeds": [
                {"image": {"url": "https://example.org/cat.png", "proxy_url": f"{CDN}/a.png"}}
            ]
        },
        {"embeds": [{"thumbnail": {"proxy_url": f"{CDN}/a.png"}}]},
        {"message_snapshots": [{"message": {"attachments": [attachment("a.png")]}}]},
        {"message_snapshots": [{"message": {"components": [gallery("a.png")]}}]},
        {
            "message_snapshots": [
                {"message": {"embeds": [{"image": {"proxy_url": f"{CDN}/a.png"}}]}}
            ]
        },
    ],
)
def test_a_picture_is_found_wherever_it_stands(message: dict[str, Any]) -> None:
    assert urls(message) == [f"{CDN}/a.png"]


NONE: list[dict[str, Any]] = [
    {},
    {"attachments": [attachment("notes.txt", content_type="text/plain")]},
    {"attachments": [attachment("notes", content_type=None)]},
    {"attachments": [attachment("notes.txt", content_type=None)]},
    {"attachments": [attachment("film.mp4", content_type="video/mp4", width=9, height=9)]},
    {"components": [gallery("film.mp4")]},
    {"components": [{"type": 13, "file": {"url": f"{CDN}/report.pdf"}}]},
    {"components": [{"type": 11, "media": {"url": "https://example.org/a.png"}}]},
    {"embeds": [{"image": {"url": f"{CDN}/a.png"}}]},
    {"embeds": [{"image": {"proxy_url": "https://example.org/a.png"}}]},
    {"embeds": [{"author": {"proxy_icon_url": f"{CDN}/a.png"}}]},
    {"attachments": "x", "components": 3, "embeds": None, "message_snapshots": [None, {}]},
]


@pytest.mark.parametrize("message", NONE)
def test_what_is_no_picture_or_not_at_discord_is_none(message: dict[str, Any]) -> None:
    assert urls(message) == []


@pytest.mark.parametrize(
    ("address", "is_discords"),
    [
        (f"{CDN}/a.png?ex=1&hm=2", True),
        ("https://media.discordapp.net/attachments/1/2/a.png", True),
        (PROXY, True),
        ("http://127.0.0.1:9000/attachments/1/2/a.png", True),
        ("http://127.0.0.1:9001/a.png", False),
        ("http://cdn.discordapp.com/a.png", False),
        ("https://cdn.discordapp.com:8443/a.png", False),
        ("https://cdn.discordapp.com.evil.example/a.png", False),
        ("https://evil.example/cdn.discordapp.com/a.png", False),
        ("https://cdn.discordapp.com@evil.example/a.png", False),
        ("https://me:secret@cdn.discordapp.com/a.png", False),
        ("attachment://a.png", False),
        ("//cdn.discordapp.com/a.png", False),
        ("https://[::1/a.png", False),
        ("file:///etc/passwd", False),
        (f"{CDN}/{'a' * 3_000}.png", False),
        ("", False),
        ("https://[]@", False),
    ],
)
def test_only_discords_own_addresses_may_become_a_source(address: str, is_discords: bool) -> None:
    assert HOSTS.has(address) is is_discords


def test_each_picture_is_found_once_from_top_to_bottom_and_25_at_most() -> None:
    message = {
        "components": [gallery("1.png", "2.png"), gallery("1.png")],
        "attachments": [attachment("3.png"), attachment("2.png", url=f"{CDN}/2.png?ex=9")],
        "embeds": [{"image": {"proxy_url": f"{CDN}/{n}.png"}} for n in range(4, 60)],
    }
    assert urls(message) == [f"{CDN}/{number}.png" for number in range(1, MAX_IMAGES + 1)]


def test_what_discord_says_of_a_picture_is_kept() -> None:
    (found,) = find_images(
        {"attachments": [attachment("SPOILER_a b.png", size=5, width=3, height=4)]}, HOSTS
    )
    assert (found.name, found.size, found.width, found.height) == ("SPOILER_a b.png", 5, 3, 4)
    assert found.content_type == "image/png"
    assert found.spoiler
    (hidden,) = find_images({"components": [gallery("a%20b.png", spoiler=True)]}, HOSTS)
    assert (hidden.name, hidden.spoiler) == ("a b.png", True)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(f"{CDN}/a.png"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "components",
                        "attachments",
                        "embeds",
                        "message_snapshots",
                        "message",
                        "items",
                    ),
                    *(
                        "media",
                        "file",
                        "url",
                        "proxy_url",
                        "type",
                        "accessory",
                        "image",
                        "filename",
                    ),
                    *("content_type", "width", "size", "spoiler"),
                ]
            ),
            inner | st.sampled_from([9, 11, 12, 13, 17]),
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(message=st.dictionaries(st.sampled_from(["components", "attachments", "embeds"]), json))
def test_whatever_a_message_is_only_discords_pictures_come_of_it(message: dict[str, Any]) -> None:
    found = find_images(message, HOSTS)
    assert len(found) <= MAX_IMAGES
    assert all(HOSTS.has(picture.url) and picture.name for picture in found)


def test_components_are_walked_however_deep_they_are() -> None:
    deep: dict[str, Any] = gallery("a.png")
    for _ in range(5_000):
        deep = {"type": 17, "components": [deep]}
    assert sum(1 for _ in walk_components({"components": [deep]})) == 5_001
    assert urls({"components": [deep]}) == [f"{CDN}/a.png"]
