"""Accounts and edits: holding, moving from state to state, settling."""

RULES = """
SELECT scope, subject_id, credits FROM rule
WHERE guild_id = $1 AND (scope <> 'member' OR subject_id = $2)
"""

PERIOD = "SELECT period FROM server WHERE guild_id = $1"

SUMS = """
SELECT
    coalesce(sum(granted), 0), coalesce(sum(held), 0),
    coalesce(sum(spent), 0), coalesce(sum(sent), 0)
FROM account
WHERE guild_id = $1 AND member_id = $2 AND day >= $3 AND day < $4
"""

_HOLD_WITHIN = """
INSERT INTO account (guild_id, member_id, day, held)
SELECT $1, $2, $3, $4
WHERE $5 IS NULL OR $4 + (
    SELECT coalesce(sum({used}), 0)
    FROM account
    WHERE guild_id = $1 AND member_id = $2 AND day >= $6 AND day < $7
) <= $5
ON CONFLICT (guild_id, member_id, day) DO UPDATE SET held = account.held + excluded.held
RETURNING held
"""

HOLD_WITHIN_LIMIT = _HOLD_WITHIN.format(used="spent + held - granted")

HOLD_WITHIN_OPERATOR_BUDGET = _HOLD_WITHIN.format(used="sent + held")

INSERT_EDIT = """
INSERT INTO edit (
    id, application_id, guild_id, channel_id, member_id, day,
    quality, size, count, private, upload_limit, source_public, price, owner, held_at, state
)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'held'
WHERE $16 IS NULL OR (SELECT count(*) FROM edit WHERE member_id = $5 AND ended_at IS NULL) < $16
ON CONFLICT (id) DO NOTHING
RETURNING id
"""

INSERT_PRIVATE = """
INSERT INTO edit_private (
    edit_id, member_name, source_url, source_name, prompt, roles, held_at, source_edit_id
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

INSERT_TOKEN = "INSERT INTO edit_token (edit_id, token) VALUES ($1, $2)"

ACKNOWLEDGE = """
UPDATE edit SET message_id = $2, acknowledged_at = $3 WHERE id = $1 AND acknowledged_at IS NULL
"""

SUBMIT = """
UPDATE edit SET state = 'submitted', ratio = $2, submitted_at = $3, source_changes = $4
WHERE id = $1 AND state = 'held'
RETURNING id
"""

RENDER = """
UPDATE edit SET state = 'rendered', rendered_at = $2
WHERE id = $1 AND state = 'submitted'
RETURNING id
"""

KEEP_RESULTS = "UPDATE edit_private SET results = $2 WHERE edit_id = $1"

CAPTURE = """
UPDATE edit SET
    state = 'delivered', posted = $2, charged = price * $2, ended_at = $3,
    message_id = coalesce($4, message_id),
    message_channel_id = coalesce(nullif($5, channel_id), message_channel_id)
WHERE id = $1 AND state = 'rendered'
RETURNING guild_id, member_id, day, price * count, charged, submitted_at
"""

VOID = """
UPDATE edit SET state = $2, reason = $3, ended_at = $4
WHERE id = $1 AND state IN ($5, $6, $7)
RETURNING guild_id, member_id, day, price * count, charged, submitted_at
"""

SETTLE = """
UPDATE account SET held = held - $4, spent = spent + $5, sent = sent + $6
WHERE (guild_id, member_id) IN (VALUES ($1, $2), ($1, 0), (0, 0)) AND day = $3
"""

FORGET_COPY = """
UPDATE edit_private SET source_url = '', source_name = ''
WHERE edit_id = $1 AND source_edit_id IS NOT NULL
"""

KEEP_DETAIL = "UPDATE edit_private SET detail = $2 WHERE edit_id = $1"

FORGET_TOKEN = "DELETE FROM edit_token WHERE edit_id = $1"

TOKENS = "SELECT edit_id, token FROM edit_token"

FORGET_ALL_TOKENS = "DELETE FROM edit_token"

ERASE_IF_ASKED = "DELETE FROM edit_private WHERE edit_id = $1 AND doomed = 1"

_ERASED_AS_EMPTY = {
    **dict.fromkeys(("member_name", "prompt"), "''"),
    **dict.fromkeys(("roles", "results"), "'[]'"),
    "doomed": "0",
}

# An edit that was run again keeps a copy of its source while it's open, and none after that.
_SOURCE = """
coalesce(nullif(edit_private.{column}, ''), (
    SELECT original.{column} FROM edit_private AS original
    WHERE original.edit_id = edit_private.source_edit_id
), '')
"""

_BORROWED = """
coalesce((
    SELECT first.member_id <> edit.member_id FROM edit AS first WHERE first.id = source_edit_id
), FALSE)
"""

_SELECTED_AS = {
    **{column: f"coalesce({column}, {empty})" for column, empty in _ERASED_AS_EMPTY.items()},
    **{column: _SOURCE.format(column=column) for column in ("source_url", "source_name")},
    "borrowed": _BORROWED,
}

EDIT_COLUMNS = (
    *("id", "application_id", "guild_id", "channel_id", "member_id"),
    *("message_id", "message_channel_id"),
    *("quality", "size", "ratio", "count", "private", "upload_limit", "source_public"),
    *("state", "reason", "posted", "charged", "source_changes"),
    *("held_at", "acknowledged_at", "submitted_at", "rendered_at", "ended_at"),
    *(*_SELECTED_AS, "source_edit_id", "detail", "token"),
)

_SELECTED = [_SELECTED_AS.get(column, column) for column in EDIT_COLUMNS]

EDIT = f"""
SELECT {", ".join(_SELECTED).replace("held_at", "edit.held_at")}
FROM edit
LEFT JOIN edit_private ON edit_private.edit_id = id
LEFT JOIN edit_token ON edit_token.edit_id = id
"""

EDIT_BY_ID = f"{EDIT} WHERE id = $1"

UNFINISHED = f"{EDIT} WHERE id IN (SELECT edit_id FROM edit_token) ORDER BY edit.held_at, id"

COUNT_OPEN = "SELECT count(*) FROM edit WHERE member_id = $1 AND ended_at IS NULL"

LATEST_TIMES = """
SELECT submitted_at, rendered_at, ended_at
FROM edit
WHERE quality = $1 AND state = 'delivered'
ORDER BY ended_at DESC
LIMIT $2
"""

PAST_EDITS = """
SELECT held_at, state, quality, count, posted, charged
FROM edit
WHERE guild_id = $1 AND member_id = $2
ORDER BY held_at DESC, id DESC
LIMIT $3
"""
