"""Finds the images of a message in Discord's own JSON, wherever they are in it.

A Components V2 message has no attachments; its images are in its components. An embed's image can
be anywhere on the web, so only Discord's proxied copy is used. A forwarded message is a snapshot
inside another one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, cast
from urllib.parse import unquote

from yarl import URL

from bot.domain.images import ImageLink, has_image_name, looks_like_image

JSON = Mapping[str, Any]

MAX_IMAGES = 25
"""Of one message: the most options that a select takes."""

MAX_URL_LENGTH = 2_048

THUMBNAIL, MEDIA_GALLERY, FILE = 11, 12, 13
"""https://docs.discord.com/developers/components/reference#component-object-component-types"""

_UPLOADS = ("cdn.discordapp.com", "media.discordapp.net")
_PROXIES = ("images-ext-1.discordapp.net", "images-ext-2.discordapp.net")
_DISCORDS_ORIGINS = frozenset(URL(f"https://{host}") for host in (*_UPLOADS, *_PROXIES))


@dataclass(frozen=True, slots=True)
class TrustedHosts:
    """Discord's own hosts, and the REST API's: the sandbox serves images from there."""

    api_origin: URL

    def has(self, address: str) -> bool:
        """Whether an image may be downloaded from an address."""
        if len(address) > MAX_URL_LENGTH:
            return False
        try:
            url = URL(address)
            origin = url.origin()
        except (ValueError, IndexError):  # yarl raises the latter for empty brackets
            return False
        if url.user is not None or url.password is not None:
            return False
        return origin == self.api_origin or origin in _DISCORDS_ORIGINS


def find_images(message: JSON, hosts: TrustedHosts) -> list[ImageLink]:
    """Return the first `MAX_IMAGES` images of a message, from top to bottom, without repeats."""
    found: dict[str, ImageLink] = {}
    for image in _all_images(message, hosts):
        found.setdefault(image.url.partition("?")[0], image)
        if len(found) == MAX_IMAGES:
            break
    return list(found.values())


def _all_images(message: JSON, hosts: TrustedHosts) -> Iterator[ImageLink]:
    for part in (message, *_snapshots(message)):
        for component in walk_components(part):
            for media, spoiler in _media_of(component):
                yield from _from_media(media, hosts, "url", "proxy_url", spoiler=spoiler)
        for attachment in _objects(part.get("attachments")):
            yield from _from_attachment(attachment, hosts)
        for embed in _objects(part.get("embeds")):
            for key in ("image", "thumbnail"):
                yield from _from_media(_object(embed.get(key)), hosts, "proxy_url")


def walk_components(message: JSON) -> Iterator[JSON]:
    """Yield a message's components and all their children, from top to bottom."""
    stack = [iter(_objects(message.get("components")))]
    while stack:
        component = next(stack[-1], None)
        if component is None:
            stack.pop()
            continue
        yield component
        children = _objects(component.get("components"))
        stack.append(iter([*children, *filter(None, [_object(component.get("accessory"))])]))


def _snapshots(message: JSON) -> list[JSON]:
    snapshots = _objects(message.get("message_snapshots"))
    return [_object(snapshot.get("message")) for snapshot in snapshots]


def _media_of(component: JSON) -> list[tuple[JSON, bool]]:
    """Return a component's media items, each with whether it is a spoiler."""
    key = "media"
    match component.get("type"):
        case type_ if type_ == MEDIA_GALLERY:
            holders = _objects(component.get("items"))
        case type_ if type_ == THUMBNAIL:
            holders = [component]
        case type_ if type_ == FILE:
            holders, key = [component], "file"
        case _:
            return []
    return [(_object(holder.get(key)), holder.get("spoiler") is True) for holder in holders]


def _from_media(
    media: JSON, hosts: TrustedHosts, *keys: str, spoiler: bool = False
) -> Iterator[ImageLink]:
    url = _first_trusted(media, hosts, *keys)
    if url is not None:
        yield from _if_image(url, _name_in(url), media, spoiler=spoiler)


def _from_attachment(attachment: JSON, hosts: TrustedHosts) -> Iterator[ImageLink]:
    url = _first_trusted(attachment, hosts, "url", "proxy_url")
    name = attachment.get("filename")
    if url is None or not isinstance(name, str) or not name:
        return
    # Discord gives a type and size for files that it knows; others are judged by their names.
    unknown = _text(attachment, "content_type") is None and not _natural(attachment, "width")
    if unknown and not has_image_name(name):
        return
    yield from _if_image(url, name, attachment, spoiler=name.startswith("SPOILER_"))


def _if_image(url: str, name: str, metadata: JSON, *, spoiler: bool) -> Iterator[ImageLink]:
    content_type = _text(metadata, "content_type")
    if looks_like_image(name, content_type):
        yield ImageLink(
            url=url,
            name=name,
            content_type=content_type,
            size=_natural(metadata, "size") or 0,
            width=_natural(metadata, "width"),
            height=_natural(metadata, "height"),
            spoiler=spoiler,
        )


def _first_trusted(media: JSON, hosts: TrustedHosts, *keys: str) -> str | None:
    urls = (_text(media, key) for key in keys)
    return next((url for url in urls if url is not None and hosts.has(url)), None)


def _name_in(url: str) -> str:
    return unquote(PurePosixPath(url.partition("?")[0]).name, errors="replace") or "image"


def _objects(value: object) -> list[JSON]:
    if not isinstance(value, list | tuple):
        return []
    return list(filter(None, map(_object, cast("list[object]", value))))


def _object(value: object) -> JSON:
    return cast("JSON", value) if isinstance(value, Mapping) else {}


def _text(json: JSON, key: str) -> str | None:
    value = json.get(key)
    return value if isinstance(value, str) and value else None


def _natural(json: JSON, key: str) -> int | None:
    value = json.get(key)
    return value if type(value) is int and value > 0 else None
