"""`gbnt doctor`: probes look at the machine, judges say what it means, each fault with what mends it."""
