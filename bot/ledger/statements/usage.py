"""Sums of what was spent, and the rows of exports."""

DAILY = """
SELECT day, quality, count(*) FILTER (WHERE posted > 0), sum(posted), sum(charged)
FROM edit
WHERE guild_id = $1 AND day >= $2 AND day < $3 AND ended_at IS NOT NULL
GROUP BY day, quality
ORDER BY day, quality
"""

TOP = """
SELECT member_id, sum(posted), sum(charged) AS credits, (
    SELECT member_name
    FROM edit AS named
    JOIN edit_private ON edit_id = named.id
    WHERE named.guild_id = $1 AND named.member_id = edit.member_id
    ORDER BY named.held_at DESC
    LIMIT 1
)
FROM edit
WHERE guild_id = $1 AND day >= $2 AND day < $3 AND ended_at IS NOT NULL
GROUP BY member_id
HAVING sum(charged) > 0
ORDER BY credits DESC, member_id
LIMIT $4
"""

FAILURES = """
SELECT reason, count(*)
FROM edit
WHERE guild_id = $1 AND day >= $2 AND day < $3 AND ended_at IS NOT NULL AND reason IS NOT NULL
GROUP BY reason
ORDER BY count(*) DESC, reason
"""

# The sum keeps the engine from sorting all edits of the server anew for every page.
ROWS = """
SELECT
    edit.held_at, id, member_id, member_name, channel_id,
    quality, size, count, posted, charged, state, ended_at
FROM edit
LEFT JOIN edit_private ON edit_id = id
WHERE id > $1 AND day >= $3 AND day < $4 AND guild_id + 0 = $5
ORDER BY id
LIMIT $2
"""

SERVERS = "SELECT DISTINCT guild_id FROM account WHERE guild_id <> 0 ORDER BY guild_id"

DELIVERED = """
SELECT count(*), coalesce(sum(posted), 0)
FROM edit
WHERE guild_id = $1 AND day >= $2 AND day < $3 AND ended_at IS NOT NULL AND posted > 0
"""
