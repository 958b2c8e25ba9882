"""The aqueducts: names, published ports and what carries traffic between containers."""
