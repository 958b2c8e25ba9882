"""The commands, a module for each word after `gbnt`; each has a typer `app`."""
