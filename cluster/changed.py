"""A record with some of its fields changed: `dataclasses.replace`, at a small part of its cost.

A cluster's tasks are written anew by the thousand, and each has thirty fields that `replace` would pass by name through
an `__init__` which sets each around what keeps the record frozen. Here a twin of the class that is not frozen is made
and written, and then becomes a record of the class itself. A type checker sees `replace`, and so every field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, make_dataclass
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["changed"]

if TYPE_CHECKING:
    from dataclasses import replace as changed
else:

    def changed(record: Any, /, **values: Any) -> Any:
        """A new record of the same class, which is slotted and has no `__post_init__`.

        Raises TypeError for a field that it has not, and for another class.
        """
        cls = record.__class__
        read, twin = _ways(cls)
        new = twin(*read(record))
        for name, value in values.items():
            try:
                setattr(new, name, value)
            except AttributeError:
                raise TypeError(f"{cls.__name__} has no field {name}") from None
        new.__class__ = cls
        return new


@cache
def _ways(cls: Any) -> tuple[Callable[[Any], tuple[Any, ...]], type]:
    """How the fields of a class are read, all at once, and its twin with the same slots."""
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} works something out when it is made: use dataclasses.replace")
    names = [field.name for field in fields(cls)]
    return attrgetter(*names), make_dataclass(cls.__name__, names, slots=True, eq=False)
