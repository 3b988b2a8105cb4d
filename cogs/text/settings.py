"""Puts a server's settings, and the changes to them, into words for its moderators."""

from collections.abc import Collection, Iterable, Sequence

from bot.discord_io.log_channel import Trial
from bot.domain.pricing import MAX_COUNT, SOURCE_SIZE, Quality
from bot.domain.server_settings import FALSE, TRUE, Setting, SettingName
from bot.ledger.quota_rules import SettingChange
from cogs.text.markdown import as_plain
from cogs.text.outcomes import listed_channels

NOTHING_GIVEN = (
    "Nothing was given, so nothing was changed. `/settings set` takes one or more of `quality`, "
    "`size`, `max_count`, `channel` (with `allow`), `log_channel`, `refuse`, `spoiler` and "
    "`private`. `/settings show` shows what is set."
)
NO_LONGER_SET = "That was not set any more, so there was nothing to take back."
TAKEN_BACK_UNSEEN = (
    "It was taken back. The bot cannot reach its ledger just now to show the rest; "
    "run `/settings show` in a minute."
)

_TO_KEEP_OUT = "To keep edits out of a channel, put those on the list in which they may be made."

_LONGEST_PHRASE_SHOWN = 200
"""Characters, after escaping."""

Named = tuple[SettingName, str]


def settings_heading(rows: Sequence[Setting], note: str = "") -> str:
    """What was just done, if anything, and what holds where nothing was set."""
    there = {row.name for row in rows}
    lines = [note, ""] if note else []
    lines.append("**The settings of this server**")
    if not rows:
        lines.append("Nothing was set here yet.")
    unset = [f"- {_name(name)}: {_DEFAULTS[name]}" for name in SettingName if name not in there]
    if unset:
        lines += ["Where nothing is set, this holds:", *unset]
    return "\n".join(lines)


def setting_line(setting: Setting) -> str:
    """One thing that was set."""
    return f"{_name(setting.name)}: {value_text(setting.name, setting.value)}"


def changes_text(
    changes: Sequence[SettingChange],
    put: Iterable[Named],
    removed: Iterable[Named],
    channel_ids: Collection[int],
) -> str:
    """Before and after of each change, what was so already, and where edits may be made now."""
    changed = {(change.name, change.after or change.before) for change in changes}
    lines = [_changed(change) for change in changes]
    lines += [_already(*each) for each in put if each not in changed]
    lines += [_never_there(*each) for each in removed if each not in changed]
    if any(change.name is SettingName.CHANNEL for change in changes):
        lines.append(_where(channel_ids))
    elif removed:
        lines.append(f"{_where(channel_ids)} {_TO_KEEP_OUT}")
    return "\n".join(lines)


def taken_back_text(setting: Setting, channel_ids: Collection[int]) -> str:
    """What was taken back, and what holds instead."""
    change = SettingChange(setting.name, before=setting.value, after=None)
    return changes_text([change], [], [], channel_ids)


def log_refusal_text(channel_id: int, trial: Trial) -> str | None:
    """Why a channel cannot be the log, if it cannot."""
    got = f"{_name(SettingName.LOG_CHANNEL)}: got {_channel(channel_id)}"
    takes = "it takes a channel in which the bot may view and send messages"
    match trial:
        case Trial.TAKEN:
            return None
        case Trial.REFUSED:
            return f"{got}, where the bot cannot write; {takes}. Nothing was changed."
        case Trial.UNANSWERED:
            return (
                f"{got}, and Discord did not say in time whether the bot can write there; {takes}. "
                "Nothing was changed. Try again in a minute."
            )


def _changed(change: SettingChange) -> str:
    name, before, after = change.name, change.before, change.after
    if name is SettingName.CHANNEL:
        subject = value_text(name, after or before or "")
        states = ("not on the list", "on the list")
    elif name is SettingName.REFUSE:
        subject = value_text(name, after or before or "")
        states = ("taken", "refused")
    else:
        return f"{_name(name)}: {_held(name, before)} → {_held(name, after)}."
    return f"{_name(name)}: {subject}: {states[before is not None]} → {states[after is not None]}."


def _already(name: SettingName, value: str) -> str:
    return f"{_name(name)}: {value_text(name, value)}, as it was already."


def _never_there(name: SettingName, value: str) -> str:
    return f"{_name(name)}: {value_text(name, value)} was not on the list."


def _held(name: SettingName, value: str | None) -> str:
    return f"not set ({_DEFAULTS[name]})" if value is None else value_text(name, value)


def _name(name: SettingName) -> str:
    return f"`{name}`"


def value_text(name: SettingName, value: str) -> str:
    """What a setting is set to."""
    match name:
        case SettingName.QUALITY | SettingName.MAX_COUNT:
            return value
        case SettingName.SIZE:
            return "source, the nearest to the picture's own" if value == SOURCE_SIZE else value
        case SettingName.CHANNEL | SettingName.LOG_CHANNEL:
            return _channel(int(value))
        case SettingName.REFUSE:
            return f"“{as_plain(value, _LONGEST_PHRASE_SHOWN)}”"
        case SettingName.SPOILER:
            return "on" if value == TRUE else "off"
        case SettingName.PRIVATE:
            return "allowed" if value == TRUE else "not allowed"


def _where(channel_ids: Collection[int]) -> str:
    if not channel_ids:
        return "Edits may be made in every channel, for none is on the list."
    return f"Edits may be made in {listed_channels(sorted(channel_ids), 'and')}."


def _channel(channel_id: int) -> str:
    return f"<#{channel_id}>"


_DEFAULTS = {
    SettingName.QUALITY: Quality.MEDIUM.value,
    SettingName.SIZE: value_text(SettingName.SIZE, SOURCE_SIZE),
    SettingName.MAX_COUNT: str(MAX_COUNT),
    SettingName.CHANNEL: "edits may be made in every channel",
    SettingName.LOG_CHANNEL: "none",
    SettingName.REFUSE: "no prompt is refused for its words",
    SettingName.SPOILER: value_text(SettingName.SPOILER, FALSE),
    SettingName.PRIVATE: value_text(SettingName.PRIVATE, TRUE),
}
"""What holds where it was not set."""
