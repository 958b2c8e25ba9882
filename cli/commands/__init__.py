"""The commands, a module for each word after `gbnt`; each has a click command `app`."""
