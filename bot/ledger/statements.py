"""The ledger's SQL, in the words that SQLite and PostgreSQL share; parameters are `$1`, `$2`, ....

Rows of `account` with member 0 are the server's own.
"""

BALANCE = """
SELECT coalesce(sum(granted), 0), coalesce(sum(held), 0), coalesce(sum(spent), 0)
FROM account
WHERE guild_id = $1 AND member_id = $2 AND day >= $3 AND day < $4
"""

HOLD_WITHIN_QUOTA = """
INSERT INTO account (guild_id, member_id, day, held)
SELECT $1, $2, $3, $4
WHERE $5 IS NULL OR $4 + (
    SELECT coalesce(sum(spent + held - granted), 0)
    FROM account
    WHERE guild_id = $1 AND member_id = $2 AND day >= $6 AND day < $7
) <= $5
ON CONFLICT (guild_id, member_id, day) DO UPDATE SET held = account.held + excluded.held
RETURNING held
"""

HOLD_FOR_SERVER = """
INSERT INTO account (guild_id, member_id, day, held) VALUES ($1, 0, $2, $3)
ON CONFLICT (guild_id, member_id, day) DO UPDATE SET held = account.held + excluded.held
"""

INSERT_EDIT = """
INSERT INTO edit (
    id, application_id, guild_id, channel_id, member_id, day,
    quality, size, count, private, upload_limit, price, owner, held_at, state
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'held')
ON CONFLICT (id) DO NOTHING
RETURNING id
"""

INSERT_PRIVATE = """
INSERT INTO edit_private (edit_id, member_name, source_url, source_name, prompt)
VALUES ($1, $2, $3, $4, $5)
"""

INSERT_TOKEN = "INSERT INTO edit_token (edit_id, token) VALUES ($1, $2)"

ACKNOWLEDGE = """
UPDATE edit SET message_id = $2, acknowledged_at = $3 WHERE id = $1 AND acknowledged_at IS NULL
"""

SUBMIT = """
UPDATE edit SET state = 'submitted', ratio = $2, submitted_at = $3
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
UPDATE edit SET state = 'delivered', posted = $2, charged = price * $2, ended_at = $3
WHERE id = $1 AND state = 'rendered'
RETURNING guild_id, member_id, day, price * count, charged
"""

VOID = """
UPDATE edit SET state = $2, reason = $3, ended_at = $4
WHERE id = $1 AND state IN ($5, $6, $7)
RETURNING guild_id, member_id, day, price * count, charged
"""

SETTLE = """
UPDATE account SET held = held - $4, spent = spent + $5
WHERE guild_id = $1 AND member_id IN (0, $2) AND day = $3
"""

KEEP_DETAIL = "UPDATE edit_private SET detail = $2 WHERE edit_id = $1"

FORGET_TOKEN = "DELETE FROM edit_token WHERE edit_id = $1"

TOKENS = "SELECT edit_id, token FROM edit_token"

FORGET_ALL_TOKENS = "DELETE FROM edit_token"

EDIT_COLUMNS = (
    *("id", "application_id", "guild_id", "channel_id", "member_id", "message_id"),
    *("quality", "size", "ratio", "count", "private", "upload_limit"),
    *("state", "reason", "posted", "charged"),
    *("held_at", "acknowledged_at", "submitted_at", "rendered_at", "ended_at"),
    *("member_name", "token", "source_url", "source_name", "prompt", "detail", "results"),
)

EDIT = f"""
SELECT {", ".join(EDIT_COLUMNS)}
FROM edit
JOIN edit_private ON edit_private.edit_id = id
LEFT JOIN edit_token ON edit_token.edit_id = id
"""

EDIT_BY_ID = f"{EDIT} WHERE id = $1"

UNFINISHED = f"{EDIT} WHERE id IN (SELECT edit_id FROM edit_token) ORDER BY held_at, id"

PAST_EDITS = """
SELECT held_at, state, quality, count, posted, charged
FROM edit
WHERE guild_id = $1 AND member_id = $2
ORDER BY held_at DESC, id DESC
LIMIT $3
"""
