"""A server's settings, and changes to them, for moderators."""

from collections.abc import Collection, Iterable, Sequence

from bot.discord_io.log_channel import Trial
from bot.domain.pricing import MAX_COUNT, SOURCE_SIZE, Quality
from bot.domain.server_settings import FALSE, MAX_LISTED, TRUE, Setting, SettingName
from bot.ledger.quota_rules import SettingChange
from cogs.text.formats import all_of, channel_links
from cogs.text.markdown import as_plain

NOTHING_GIVEN = (
    "Pick at least one setting to change. Nothing changed. To see them all, use `/settings show`."
)
ALREADY_RESET = "That setting was already reset."
RESET_NOT_LOADED = "Done. Couldn't load the other settings. Try `/settings show` in a minute."

ALLOW_ALONE = "`allow` only works together with `channel`. Pick a channel too."

_TO_BLOCK = (
    "To block a channel, add the channels where edits are allowed. Edits only work in those."
)

_MAX_PHRASE = 200
"""Characters of a blocked phrase, after escaping."""

Named = tuple[SettingName, str]

_CHANGED = {
    SettingName.QUALITY: "Default quality is now **{after}** (was {before}).",
    SettingName.SIZE: "Default aspect ratio is now **{after}** (was {before}).",
    SettingName.MAX_COUNT: "Max images per edit is now **{after}** (was {before}).",
    SettingName.LOG_CHANNEL: "The log channel is now {after} (was {before}).",
    SettingName.SPOILER: "Spoilers are now **{after}** (was {before}).",
    SettingName.PRIVATE: "Private edits are now **{after}** (was {before}).",
}
_ADDED = {
    SettingName.CHANNEL: "Added {value} to the allowed channels.",
    SettingName.REFUSE: "Prompts with {value} are now blocked.",
}
_REMOVED = {
    SettingName.CHANNEL: "Removed {value} from the allowed channels.",
    SettingName.REFUSE: "Prompts with {value} are no longer blocked.",
}
_ALREADY = {
    SettingName.QUALITY: "Default quality is already {value}.",
    SettingName.SIZE: "Default aspect ratio is already {value}.",
    SettingName.MAX_COUNT: "Max images per edit is already {value}.",
    SettingName.CHANNEL: "{value} is already an allowed channel.",
    SettingName.LOG_CHANNEL: "The log channel is already {value}.",
    SettingName.REFUSE: "{value} is already blocked.",
    SettingName.SPOILER: "Spoilers are already {value}.",
    SettingName.PRIVATE: "Private edits are already {value}.",
}
_LOG_REFUSED = (
    "Darkroom can't post in {channel}. Give it View Channel and Send Messages there, then try "
    "again. Nothing changed."
)
_LOG_NOT_CHECKED = "Couldn't check {channel} right now. Nothing changed. Try again in a minute."


def settings_heading(rows: Sequence[Setting], note: str = "") -> str:
    """Show what just changed, if anything, and the defaults of what isn't set."""
    names = {row.name for row in rows}
    lines = [note, ""] if note else []
    lines.append("**Server settings**")
    defaults = [f"- `{name}`: {_DEFAULTS[name]}" for name in SettingName if name not in names]
    if defaults:
        lines += ["Defaults:", *defaults]
    return "\n".join(lines)


def setting_line(setting: Setting) -> str:
    """Show one setting."""
    return f"`{setting.name}`: {value_text(setting.name, setting.value)}"


def changes_text(
    changes: Sequence[SettingChange],
    put: Iterable[Named],
    removed: Iterable[Named],
    channel_ids: Collection[int],
) -> str:
    """Tell what changed, what didn't, and where edits are allowed now."""
    changed = {(change.name, change.after or change.before) for change in changes}
    lines = [_changed(change) for change in changes]
    lines += [
        _ALREADY[name].format(value=value_text(name, value))
        for name, value in put
        if (name, value) not in changed
    ]
    lines += [
        f"{value_text(name, value)} wasn't on the allowed list."
        for name, value in removed
        if (name, value) not in changed
    ]
    if any(change.name is SettingName.CHANNEL for change in changes):
        lines.append(_allowed(channel_ids))
    elif removed:
        lines.append(f"{_allowed(channel_ids)} {_TO_BLOCK}")
    return "\n".join(lines)


def reset_text(setting: Setting, channel_ids: Collection[int]) -> str:
    """Tell what was reset, and what applies instead."""
    change = SettingChange(setting.name, before=setting.value, after=None)
    return changes_text([change], [], [], channel_ids)


def list_full_text(name: SettingName, value: str) -> str:
    """Tell why one more channel or phrase can't be added."""
    return (
        f"Couldn't add {value_text(name, value)}. You've reached the limit of {MAX_LISTED}. Remove "
        "one in `/settings show` first."
    )


def log_refusal_text(channel_id: int, trial: Trial) -> str | None:
    """Tell why a channel can't be the log channel."""
    match trial:
        case Trial.TAKEN:
            return None
        case Trial.REFUSED:
            return _LOG_REFUSED.format(channel=_channel(channel_id))
        case Trial.UNANSWERED:
            return _LOG_NOT_CHECKED.format(channel=_channel(channel_id))


def _changed(change: SettingChange) -> str:
    name, before, after = change.name, change.before, change.after
    if name in _ADDED:
        sentence = _REMOVED[name] if after is None else _ADDED[name]
        return sentence.format(value=value_text(name, after or before or ""))
    return _CHANGED[name].format(before=_value(name, before), after=_value(name, after))


def _value(name: SettingName, value: str | None) -> str:
    if value is not None:
        return value_text(name, value)
    default = _DEFAULTS[name]
    return default if name is SettingName.LOG_CHANNEL else f"{default}, the default"


def value_text(name: SettingName, value: str) -> str:
    """Show a setting's value."""
    match name:
        case SettingName.QUALITY:
            return value.capitalize()
        case SettingName.MAX_COUNT:
            return value
        case SettingName.SIZE:
            return "same as the image" if value == SOURCE_SIZE else value
        case SettingName.CHANNEL | SettingName.LOG_CHANNEL:
            return _channel(int(value))
        case SettingName.REFUSE:
            return f"“{as_plain(value, _MAX_PHRASE)}”"
        case SettingName.SPOILER | SettingName.PRIVATE:
            return "on" if value == TRUE else "off"


def _allowed(channel_ids: Collection[int]) -> str:
    if not channel_ids:
        return "Edits are allowed in every channel."
    return f"Edits are allowed in {all_of(channel_links(sorted(channel_ids)))}."


def _channel(channel_id: int) -> str:
    return f"<#{channel_id}>"


_DEFAULTS = {
    SettingName.QUALITY: value_text(SettingName.QUALITY, Quality.MEDIUM),
    SettingName.SIZE: value_text(SettingName.SIZE, SOURCE_SIZE),
    SettingName.MAX_COUNT: str(MAX_COUNT),
    SettingName.CHANNEL: "edits are allowed in every channel",
    SettingName.LOG_CHANNEL: "not set",
    SettingName.REFUSE: "no blocked words",
    SettingName.SPOILER: value_text(SettingName.SPOILER, FALSE),
    SettingName.PRIVATE: value_text(SettingName.PRIVATE, TRUE),
}
