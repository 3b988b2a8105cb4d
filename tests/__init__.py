"""The tests: real sockets to the sandbox, real SQLite on disk."""
