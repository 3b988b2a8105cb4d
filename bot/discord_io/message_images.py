"""Finds the pictures of a message, in whatever of it they stand: pure, over Discord's own JSON.

A Components V2 message has no attachments; its pictures are in its components. An embed's picture
lies anywhere on the web, and only Discord's proxied copy of it is taken. A forwarded message is a
snapshot inside of another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, cast
from urllib.parse import unquote

from yarl import URL

from bot.domain.images import ImageLink, is_named_as_picture, looks_like_picture

JSON = Mapping[str, Any]

MOST = 25
"""Pictures of one message that are found: a select offers no more."""

LONGEST_ADDRESS = 2_048

THUMBNAIL, MEDIA_GALLERY, FILE = 11, 12, 13
"""https://docs.discord.com/developers/components/reference#component-object-component-types"""

DISCORDS_HOSTS = frozenset(
    {
        *("cdn.discordapp.com", "media.discordapp.net"),
        *("images-ext-1.discordapp.net", "images-ext-2.discordapp.net"),
    }
)
"""Where Discord keeps what was uploaded, and its copies of pictures on the web."""


_DISCORDS_ORIGINS = frozenset(URL(f"https://{host}") for host in DISCORDS_HOSTS)


@dataclass(frozen=True, slots=True)
class DiscordsPlaces:
    """Which addresses are Discord's own, or its stand-in's where the REST base is another's."""

    api_origin: URL

    def has(self, address: str) -> bool:
        """Whether a picture may be taken from there."""
        if len(address) > LONGEST_ADDRESS:
            return False
        try:
            url = URL(address)
            origin = url.origin()
        except ValueError:
            return False
        if url.user is not None or url.password is not None:
            return False
        return origin == self.api_origin or origin in _DISCORDS_ORIGINS


def find_images(message: JSON, places: DiscordsPlaces) -> list[ImageLink]:
    """The first `MOST` pictures of a message, from top to bottom, each once."""
    found: dict[str, ImageLink] = {}
    for picture in _all_pictures(message, places):
        found.setdefault(picture.url.partition("?")[0], picture)
        if len(found) == MOST:
            break
    return list(found.values())


def _all_pictures(message: JSON, places: DiscordsPlaces) -> Iterator[ImageLink]:
    for said in (message, *_snapshots(message)):
        for component in walk_components(said):
            for media, spoiler in _media_of(component):
                yield from _from_media(media, spoiler, places)
        for attachment in _objects(said.get("attachments")):
            yield from _from_attachment(attachment, places)
        for embed in _objects(said.get("embeds")):
            for key in ("image", "thumbnail"):
                yield from _from_embed(_object(embed.get(key)), places)


def walk_components(message: JSON) -> Iterator[JSON]:
    """A message's components and all that they hold, from top to bottom."""
    waiting = [iter(_objects(message.get("components")))]
    while waiting:
        component = next(waiting[-1], None)
        if component is None:
            waiting.pop()
            continue
        yield component
        inner = _objects(component.get("components"))
        waiting.append(iter([*inner, *filter(None, [_object(component.get("accessory"))])]))


def _snapshots(message: JSON) -> list[JSON]:
    snapshots = _objects(message.get("message_snapshots"))
    return [_object(snapshot.get("message")) for snapshot in snapshots]


def _media_of(component: JSON) -> list[tuple[JSON, bool]]:
    match component.get("type"):
        case type_ if type_ == MEDIA_GALLERY:
            holders, key = _objects(component.get("items")), "media"
        case type_ if type_ == THUMBNAIL:
            holders, key = [component], "media"
        case type_ if type_ == FILE:
            holders, key = [component], "file"
        case _:
            return []
    return [(_object(holder.get(key)), holder.get("spoiler") is True) for holder in holders]


def _from_media(media: JSON, spoiler: bool, places: DiscordsPlaces) -> Iterator[ImageLink]:
    url = _first_of_discords(media, places, "url", "proxy_url")
    if url is not None:
        yield from _if_picture(url, _name_in(url), media, spoiler=spoiler)


def _from_attachment(attachment: JSON, places: DiscordsPlaces) -> Iterator[ImageLink]:
    url = _first_of_discords(attachment, places, "url", "proxy_url")
    name = attachment.get("filename")
    if url is None or not isinstance(name, str) or not name:
        return
    # Discord says the type and the size of what it knows; of other files their names alone speak.
    unknown = _text(attachment, "content_type") is None and not _natural(attachment, "width")
    if unknown and not is_named_as_picture(name):
        return
    yield from _if_picture(url, name, attachment, spoiler=name.startswith("SPOILER_"))


def _from_embed(media: JSON, places: DiscordsPlaces) -> Iterator[ImageLink]:
    url = _first_of_discords(media, places, "proxy_url")
    if url is not None:
        yield from _if_picture(url, _name_in(url), media, spoiler=False)


def _if_picture(url: str, name: str, said: JSON, *, spoiler: bool) -> Iterator[ImageLink]:
    content_type = _text(said, "content_type")
    if looks_like_picture(name, content_type):
        yield ImageLink(
            url=url,
            name=name,
            content_type=content_type,
            size=_natural(said, "size") or 0,
            width=_natural(said, "width"),
            height=_natural(said, "height"),
            spoiler=spoiler,
        )


def _first_of_discords(media: JSON, places: DiscordsPlaces, *keys: str) -> str | None:
    addresses = (_text(media, key) for key in keys)
    return next((each for each in addresses if each is not None and places.has(each)), None)


def _name_in(url: str) -> str:
    return unquote(PurePosixPath(url.partition("?")[0]).name, errors="replace") or "picture"


def _objects(value: object) -> list[JSON]:
    if not isinstance(value, list | tuple):
        return []
    return list(filter(None, map(_object, cast("list[object]", value))))


def _object(value: object) -> JSON:
    return cast("JSON", value) if isinstance(value, Mapping) else {}


def _text(said: JSON, key: str) -> str | None:
    value = said.get(key)
    return value if isinstance(value, str) and value else None


def _natural(said: JSON, key: str) -> int | None:
    value = said.get(key)
    return value if type(value) is int and value > 0 else None
