"""Reading one value after another: where it is, the keys that it may have, and the files that it names."""
