"""What a bot may put into a message: Discord's rules for posting one and for editing it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sandbox.discord.cdn import StoredFile
from sandbox.discord.components.message_components import (
    ATTACHMENT,
    LONGEST_ALT_TEXT,
    MessageReader,
)
from sandbox.discord.interactions.forms import DiscordError, Form, Problems
from sandbox.discord.messages import (
    EMBED_MEDIA,
    NOBODY,
    Flag,
    Mentions,
    Message,
    Revision,
    texts_of,
)
from sandbox.discord.uploads import Received
from sandbox.discord.world import World, safe_name
from sandbox.values import JsonObject, object_at, snowflake, text_at

LONGEST_CONTENT = 2000
MOST_FILES = 10
MOST_EMBEDS = 10
MOST_EMBED_TEXT = 6000
EMBED_LIMITS = {"title": 256, "description": 4096}
EMPTY_MESSAGE = 50006

SETTABLE = {
    "create": Flag.SUPPRESS_EMBEDS | Flag.SUPPRESS_NOTIFICATIONS | Flag.COMPONENTS_V2,
    "edit": Flag.SUPPRESS_EMBEDS | Flag.COMPONENTS_V2,
}

MENTIONABLE = ("everyone", "roles", "users")
USER = re.compile(r"<@!?(\d+)>")
ROLE = re.compile(r"<@&(\d+)>")
EVERYONE = re.compile(r"@(?:everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Payload:
    """The body of a request that posts or edits a message."""

    fields: JsonObject
    files: Mapping[int, Received]
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes: its files' folder, and what it has whatever is asked."""

    folder: str
    flags: int = 0
    snapshots: tuple[JsonObject, ...] = ()


def compose(world: World, payload: Payload, place: Place, old: Message | None = None) -> Revision:
    """Return what a message will show after a request; raises DiscordError for a wrong one."""
    problems = Problems()
    form = Form(payload.fields, problems, payload.path)
    base = None if old is None else old.now
    asked = form.integer("flags") or 0
    kept = place.flags if base is None else base.flags & ~Flag.LOADING
    flags = kept | asked & SETTABLE["create" if base is None else "edit"]
    v2 = bool(flags & Flag.COMPONENTS_V2)

    content = form.string("content", longest=LONGEST_CONTENT) or ""
    if base is not None and "content" not in form:
        content = base.content
    embeds = _embeds(form)
    if base is not None and "embeds" not in form:
        embeds = base.embeds
    snapshots = place.snapshots or (() if base is None else base.snapshots)
    tts = _reads_aloud(form, base)
    if v2:
        _refuse_legacy_fields(form, content=content, embeds=embeds)

    files, fresh = _files(world, form, payload, place, base)
    names: dict[str, StoredFile] = {}
    for file in reversed(files):
        names[file.name] = file
    embeds = tuple(_with_files(embed, names) for embed in embeds)
    reader = MessageReader(problems, names)
    components = reader.read(form, v2=v2)
    if base is not None and "components" not in form:
        components = base.components
    elif v2:
        _refuse_unused(form, fresh, reader.used)
    mentions = _mentions(form, "\n".join([content, *texts_of(components)]))
    try:
        _accept(problems, content, embeds, components, snapshots, files)
    except DiscordError:
        for file in fresh:
            world.cdn.forget(file)
        raise
    described = tuple(
        replace(file, description=reader.alt_texts.get(file.id, file.description)) for file in files
    )
    return Revision(
        at=world.clock.now(),
        content=content,
        embeds=embeds,
        components=components,
        files=described,
        flags=flags,
        mentions=mentions,
        snapshots=snapshots,
        tts=tts,
    )


def _accept(problems: Problems, *shown: object) -> None:
    problems.check()
    if not any(shown):
        raise DiscordError(400, EMPTY_MESSAGE, "Cannot send an empty message")


def _reads_aloud(form: Form, base: Revision | None) -> bool:
    """Tell whether a message is text to speech, which only a new or loading one can become."""
    if base is None or base.flags & Flag.LOADING:
        return bool(form.boolean("tts"))
    return base.tts


def _refuse_legacy_fields(form: Form, **used: object) -> None:
    for key, value in used.items():
        if value:
            form.wrong(
                key,
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
            )


def _refuse_unused(form: Form, fresh: Iterable[StoredFile], used: set[int]) -> None:
    for index, file in enumerate(fresh):
        if file.id not in used:
            form.problems.add(
                (*form.path, "attachments", index),
                "MESSAGE_ATTACHMENT_NOT_REFERENCED",
                f"Attachment {file.name} is not shown by any component",
            )


def _files(
    world: World, form: Form, payload: Payload, place: Place, base: Revision | None
) -> tuple[list[StoredFile], list[StoredFile]]:
    old = {} if base is None else {file.id: file for file in base.files}
    described: dict[int, Form] = {}
    kept: dict[int, StoredFile] = {} if "attachments" in form else dict(old)
    for entry in form.objects("attachments", most=MOST_FILES) or []:
        number = entry.snowflake("id", required=True)
        description = entry.string("description", longest=LONGEST_ALT_TEXT)
        entry.string("filename", shortest=1, longest=1024)
        if number is None:
            continue
        if number in old:
            file = old[number]
            changed = "description" in entry
            kept[number] = replace(file, description=description) if changed else file
        elif number in payload.files:
            described[number] = entry
        else:
            words = f"Attachment data of id {number} not found."
            entry.wrong("id", "ATTACHMENT_NOT_FOUND", words)
    fresh: list[StoredFile] = []
    for index, received in sorted(payload.files.items()):
        entry = described.get(index)
        shown = None if entry is None else entry.fields.get("description")
        renamed = None if entry is None else entry.fields.get("filename")
        name = renamed if isinstance(renamed, str) and renamed else received.name
        fresh.append(
            world.store(
                StoredFile(
                    id=0,
                    name=safe_name(name),
                    path=received.path,
                    size=received.size,
                    content_type=None,
                    width=None,
                    height=None,
                    folder=place.folder,
                    url="",
                    description=shown if isinstance(shown, str) else None,
                    spoiler=name.startswith("SPOILER_"),
                    ephemeral=bool(place.flags & Flag.EPHEMERAL),
                )
            )
        )
    files = [*kept.values(), *fresh]
    if len(files) > MOST_FILES:
        words = f"Must be between 0 and {MOST_FILES} in length."
        form.wrong("attachments", "BASE_TYPE_BAD_LENGTH", words)
    return files, fresh


def _embeds(form: Form) -> tuple[JsonObject, ...]:
    total = 0
    read: list[JsonObject] = []
    for embed in form.objects("embeds", most=MOST_EMBEDS) or []:
        for key, longest in EMBED_LIMITS.items():
            total += len(embed.string(key, longest=longest) or "")
        footer, author = embed.object("footer"), embed.object("author")
        total += len((footer and footer.string("text", longest=2048)) or "")
        total += len((author and author.string("name", longest=256)) or "")
        for each in embed.objects("fields", most=25) or []:
            total += len(each.string("name", shortest=1, longest=256, required=True) or "")
            total += len(each.string("value", shortest=1, longest=1024, required=True) or "")
        embed.integer("color", most=0xFFFFFF)
        read.append({"type": "rich"} | embed.fields)
    if total > MOST_EMBED_TEXT:
        words = f"Embed size exceeds maximum size of {MOST_EMBED_TEXT}"
        form.wrong("embeds", "MAX_EMBED_SIZE_EXCEEDED", words)
    return tuple(read)


def _with_files(embed: JsonObject, names: Mapping[str, StoredFile]) -> JsonObject:
    """Return an embed with the message's own files at their addresses.

    https://discord.com/developers/docs/reference#editing-message-attachments-using-attachments-within-embeds
    """
    shown = dict(embed)
    for part, key in EMBED_MEDIA:
        fields = object_at(embed, part)
        file = names.get(text_at(fields, key).removeprefix(ATTACHMENT))
        if file is not None and text_at(fields, key).startswith(ATTACHMENT):
            size: JsonObject = {"width": file.width, "height": file.height} if key == "url" else {}
            shown[part] = fields | {key: file.url, f"proxy_{key}": file.url} | size
    return shown


def _mentions(form: Form, text: str) -> Mentions:
    rules = form.object("allowed_mentions")
    found = mentions_in(text)
    if rules is None:
        return found
    parsed = rules.array("parse", most=3) or []
    if any(each not in MENTIONABLE for each in parsed):
        words = f"Value must be one of {{{', '.join(MENTIONABLE)}}}."
        rules.wrong("parse", "BASE_TYPE_CHOICES", words)
    for key in ("users", "roles"):
        if key in parsed and rules.fields.get(key):
            words = f'parse:["{key}"] and {key}: [ids...] are mutually exclusive.'
            rules.wrong("parse", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", words)
    if not text:
        return NOBODY
    named_users = {snowflake(each) for each in rules.array("users", most=100) or []}
    named_roles = {snowflake(each) for each in rules.array("roles", most=100) or []}
    return Mentions(
        found.users if "users" in parsed else found.users & named_users,
        found.roles if "roles" in parsed else found.roles & named_roles,
        found.everyone and "everyone" in parsed,
    )


def mentions_in(text: str) -> Mentions:
    """Return whom a text mentions, allowed or not."""
    return Mentions(
        frozenset(int(found) for found in USER.findall(text)),
        frozenset(int(found) for found in ROLE.findall(text)),
        EVERYONE.search(text) is not None,
    )
