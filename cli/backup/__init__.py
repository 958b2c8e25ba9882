"""Backups: one sealed file with all that a lost manager's machine is rebuilt from."""
