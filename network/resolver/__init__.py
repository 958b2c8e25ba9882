"""gbnt's own DNS resolver: a process with a life of its own, which goes on answering while gbnt is down.

It imports the standard library, dnslib and `cluster.zones` alone, so that it stays small next to the containers
that it serves.
"""
