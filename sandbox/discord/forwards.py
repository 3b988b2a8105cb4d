"""What a forwarded message keeps of its original.

The rules are those of https://discord.com/developers/docs/resources/message#message-snapshot-object.
"""

from sandbox.values import JsonObject, objects_at

SNAPSHOT = (
    *("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags"),
    *("mentions", "mention_roles", "components"),
)
FORWARDABLE = frozenset({0, 19, 20, 23})


def snapshots_of(message: JsonObject) -> tuple[JsonObject, ...] | None:
    """Return what a forward keeps of a message, or None for one that cannot be forwarded."""
    if message["type"] not in FORWARDABLE:
        return None
    nested = objects_at(message, "message_snapshots")
    if nested:
        return tuple(nested)
    return ({"message": {key: message[key] for key in SNAPSHOT if key in message}},)
