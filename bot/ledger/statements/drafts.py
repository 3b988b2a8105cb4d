"""Drafts: keeping, finding, erasing."""

KEEP = """
INSERT INTO draft (id, guild_id, member_id, made_at, content) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET made_at = excluded.made_at, content = excluded.content
"""

FIND = "SELECT id, guild_id, member_id, content FROM draft WHERE id = $1 AND made_at > $2"

TAKE = """
DELETE FROM draft WHERE id = $1 AND made_at > $2 RETURNING id, guild_id, member_id, content
"""

OF_MEMBER = """
SELECT id, guild_id, member_id, content FROM draft
WHERE guild_id = $1 AND member_id = $2
ORDER BY made_at, id
"""

ERASE_OLDER = "DELETE FROM draft WHERE made_at < $1 RETURNING id"

ERASE_OF_MEMBER = "DELETE FROM draft WHERE guild_id = $1 AND member_id = $2"
