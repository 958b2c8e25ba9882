"""The actor runtime: mailboxes, refs, supervision trees, timers. Runs on asyncio and on trio."""
