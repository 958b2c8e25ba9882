"""What a person calls a thing by: its id, its name, or a beginning of its id that no other has.

A beginning of a name will not do: who removes `shop-web-1` a second time does not mean `shop-web-10`.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster.decide.decision import Refusal
from cluster.nearness import nearest

NAMED = 5


def meant(noun: str, reference: str, known: Mapping[str, str], listing: str) -> str | Refusal:
    """The id of what a reference means. `known` are names by ids; `listing` is the command that shows them.

    The refusal says which it may be, where that is not certain.
    """
    if reference in known:
        return reference
    found = [id for id, name in known.items() if name and name == reference]
    if not found and reference:
        found = [id for id in known if id.startswith(reference)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(sorted(found)[:NAMED]) + (", ..." if len(found) > NAMED else "")
        return Refusal("conflict", f'{len(found)} {noun}s are called "{reference}": give the id of one ({ids})')
    near = nearest(reference, {name or id for id, name in known.items()})
    hint = f'did you mean "{near}"?' if near else f"`{listing}` shows what is there"
    return Refusal("not_found", f'there is no {noun} "{reference}"; {hint}')
