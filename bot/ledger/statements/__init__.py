"""The stores' SQL, in the words that SQLite and PostgreSQL share; parameters are `$1`, `$2`, ....

Rows of `account` with member 0 are the server's own; those of server 0 are the whole bot's.
"""
