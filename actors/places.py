"""Where the actors of a manager live that others speak to by name, whatever node these are on."""

SENATE = "senate"
KEYRING = "keyring"
DISPATCHER = "control/dispatcher"
MEMBERSHIP = "control/membership"
