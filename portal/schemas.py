"""JSON Schemas of what the API takes and answers, made of the very types that validate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

Schema = Mapping[str, Any]
Use = Literal["answer", "body"]

MODES: Mapping[Use, JsonSchemaMode] = {"answer": "serialization", "body": "validation"}
REFERENCE = "#/components/schemas/{model}"


class Schemas:
    """The schemas of types, those with a name under that among `components`, each once."""

    def __init__(self, types: Iterable[tuple[Any, Use]]) -> None:
        """Of these types and of all that they are made of, as they are used."""
        adapters = [((_key(kind), use), MODES[use], TypeAdapter(kind)) for kind, use in types]
        found, kept = TypeAdapter.json_schemas(adapters, ref_template=REFERENCE, schema_generator=_Generator)
        self.components: Schema = dict(sorted(kept["$defs"].items()))
        self._found = found

    def of(self, kind: Any, use: Use) -> Schema:
        """The schema of one of the types, most often a reference to a component."""
        return self._found[(_key(kind), use), MODES[use]]


def _key(kind: Any) -> str:
    """Types such as `dict[str, str]` are made anew where they are written."""
    return f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else str(kind)


class _Generator(GenerateJsonSchema):
    """Pydantic's own, for a reader: no titles that repeat names, and what a body may not have is said."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        # Answers hold the same dataclasses, and have no other keys either.
        return {**super().dataclass_schema(schema), "additionalProperties": False}

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        return {**super().int_schema(schema), "format": "int64"}
