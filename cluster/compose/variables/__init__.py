"""Variables: what `${NAME}` stands for, and the files that say so."""
