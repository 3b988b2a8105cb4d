"""Members' data: handing out and erasing."""

EXPORT_ACCOUNTS = """
SELECT day, granted, held, spent FROM account
WHERE guild_id = $1 AND member_id = $2
ORDER BY day
"""

EXPORTED = (
    *("id", "held_at", "ended_at", "channel_id", "message_id"),
    *("quality", "size", "ratio", "count", "private"),
    *("state", "reason", "posted", "charged"),
    *("member_name", "prompt", "source_name", "source_url", "results", "detail"),
)

EXPORT_EDITS = f"""
SELECT {", ".join(EXPORTED).replace("held_at", "edit.held_at")}
FROM edit
LEFT JOIN edit_private ON edit_id = id
WHERE guild_id = $1 AND member_id = $2
ORDER BY edit.held_at, id
"""

_OF_MEMBER = """
SELECT edit_id FROM edit JOIN edit_private ON edit_id = id
WHERE guild_id = $1 AND member_id = $2 AND edit_id {untold} (SELECT edit_id FROM edit_token)
"""

ERASE_ENDED = f"""
DELETE FROM edit_private
WHERE edit_id IN ({_OF_MEMBER.format(untold="NOT IN")})
RETURNING edit_id
"""

ERASE_AT_THEIR_END = f"""
UPDATE edit_private SET doomed = 1
WHERE edit_id IN ({_OF_MEMBER.format(untold="IN")})
RETURNING edit_id
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
