"""A guard that a test's batch may carry, for what the store does where one does not hold."""

from store.contract import Statement


def at_version(key: str, version: int) -> Statement:
    """Holds only where that task is at that version, 0 being its absence. Changes nothing."""
    found = "COALESCE((SELECT version FROM tasks WHERE key = ?), 0)"
    return Statement(f"UPDATE revision SET rev = rev WHERE {found} = ?", (key, version), expect_rows=1)
