"""Rules, settings and the trail of changes."""

RULES = "SELECT scope, subject_id, credits FROM rule WHERE guild_id = $1"

SET_PERIOD = """
INSERT INTO server (guild_id, period) VALUES ($1, $2)
ON CONFLICT (guild_id) DO UPDATE SET period = excluded.period
"""

RULE = "SELECT credits FROM rule WHERE guild_id = $1 AND scope = $2 AND subject_id = $3"

SET_RULE = """
INSERT INTO rule (guild_id, scope, subject_id, credits) VALUES ($1, $2, $3, $4)
ON CONFLICT (guild_id, scope, subject_id) DO UPDATE SET credits = excluded.credits
"""

DROP_RULE = "DELETE FROM rule WHERE guild_id = $1 AND scope = $2 AND subject_id = $3"

GRANT = """
INSERT INTO account (guild_id, member_id, day, granted) VALUES ($1, $2, $3, $4)
ON CONFLICT (guild_id, member_id, day) DO UPDATE SET granted = account.granted + excluded.granted
"""

NOTE_CHANGE = """
INSERT INTO change (guild_id, made_at, author_id, topic, subject_id, setting, before, after, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

_CHANGES = """
SELECT id, made_at, author_id, topic, subject_id, setting, before, after, reason
FROM change
WHERE guild_id = $1 {about}
ORDER BY id DESC
LIMIT $3 OFFSET $2
"""

CHANGES = _CHANGES.format(about="")

CHANGES_ABOUT = _CHANGES.format(about="AND subject_id = $4 AND topic IN ('member', 'grant')")

SETTINGS = "SELECT id, name, value FROM setting WHERE guild_id = $1 ORDER BY name, id"

SETTING = "SELECT id, name, value FROM setting WHERE guild_id = $1 AND id = $2"

VALUES_OF = "SELECT value FROM setting WHERE guild_id = $1 AND name = $2"

PUT_SETTING = "INSERT INTO setting (guild_id, name, value) VALUES ($1, $2, $3)"

DROP_SETTING = "DELETE FROM setting WHERE guild_id = $1 AND name = $2 AND value = $3"
