"""The canonical form: each key read, checked, and written in its one long form, as Compose itself writes it."""
