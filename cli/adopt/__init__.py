"""`gbnt stack adopt`: what `docker compose` runs on this machine becomes a stack."""
