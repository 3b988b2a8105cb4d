"""Members' data: handing out and erasing."""

ACCOUNTS = """
SELECT day, granted, held, spent, sent FROM account
WHERE guild_id = $1 AND member_id = $2
ORDER BY day
"""

COUNT_EDITS = "SELECT count(*) FROM edit WHERE guild_id = $1 AND member_id = $2"

KEPT = (
    *("id", "held_at", "acknowledged_at", "submitted_at", "rendered_at", "ended_at"),
    *("channel_id", "message_id", "message_channel_id"),
    *("quality", "size", "ratio", "count", "private", "price"),
    *("state", "reason", "posted", "charged", "source_changes"),
    *("member_name", "prompt", "source_name", "source_url", "results", "detail", "roles"),
)

# What was run again has its own member's original, or nothing.
_OWN_SOURCE = """
CASE WHEN source_edit_id IS NULL THEN edit_private.{column} ELSE (
    SELECT original.{column}
    FROM edit AS first JOIN edit_private AS original ON original.edit_id = first.id
    WHERE first.id = edit_private.source_edit_id AND first.member_id = edit.member_id
) END
"""

_SELECTED_AS = {
    "held_at": "edit.held_at",
    **{column: _OWN_SOURCE.format(column=column) for column in ("source_url", "source_name")},
}

_KEPT_OF_MEMBER = f"""
SELECT {", ".join(_SELECTED_AS.get(column, column) for column in KEPT)}
FROM edit
LEFT JOIN edit_private ON edit_id = id
WHERE guild_id = $1 AND member_id = $2
"""

_NEWEST_FIRST = "ORDER BY edit.held_at DESC, id DESC"

EDITS = f"{_KEPT_OF_MEMBER} AND (edit.held_at, id) < ($3, $4) {_NEWEST_FIRST} LIMIT $5"

PAGE = f"{_KEPT_OF_MEMBER} {_NEWEST_FIRST} LIMIT $4 OFFSET $3"

_OF_MEMBER = """
SELECT edit_id FROM edit JOIN edit_private ON edit_id = id
WHERE guild_id = $1 AND member_id = $2 AND edit_id {untold} (SELECT edit_id FROM edit_token)
"""

ERASE_ENDED = f"""
DELETE FROM edit_private
WHERE edit_id IN ({_OF_MEMBER.format(untold="NOT IN")} LIMIT $3)
RETURNING edit_id
"""

ERASE_AT_THEIR_END = f"""
UPDATE edit_private SET doomed = 1
WHERE edit_id IN ({_OF_MEMBER.format(untold="IN")})
RETURNING edit_id
"""

ERASE_OWN_ORIGINAL = """
UPDATE edit_private SET source_url = '', source_name = ''
WHERE edit_id = (
    SELECT first.id
    FROM edit AS again
    JOIN edit_private AS kept ON kept.edit_id = again.id
    JOIN edit AS first ON first.id = kept.source_edit_id
    WHERE again.id = $1 AND first.member_id = again.member_id
)
"""

ERASE_LINKS = """
UPDATE edit_private SET source_url = '', source_name = '', source_edit_id = NULL, results = '[]'
WHERE edit_id = $1
"""

ERASE_OLDER = """
DELETE FROM edit_private
WHERE edit_id IN (
    SELECT edit_id FROM edit_private
    WHERE held_at < $1 AND edit_id NOT IN (SELECT edit_id FROM edit_token)
    ORDER BY held_at
    LIMIT $2
)
RETURNING edit_id
"""
