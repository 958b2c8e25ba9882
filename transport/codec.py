"""Messages as bytes: a tag, and a body in JSON. A plain JSON value has the empty tag.

The tag travels outside the body, so that who reads it knows the class and parses the JSON once, into that class.

CodecError
├── Unencodable   the sender's fault: the value would not arrive as it is
├── TooLarge      longer than this codec carries
├── UnknownTag    a message of another release, or of nobody
└── Undecodable   not what a codec of ours writes
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NewType

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from supervisor.message import class_of, tag_of

MAX_BYTES = 16 * 1024 * 1024

# NaN and the infinities are written as what is no JSON, and not read: null could pass for an absent number.
_CONFIG = ConfigDict(
    ser_json_bytes="base64",
    val_json_bytes="base64",
    ser_json_inf_nan="constants",
    allow_inf_nan=False,
)


class CodecError(Exception):
    """The base of all of them."""


class Unencodable(CodecError):
    """The value is no registered message whose fields hold what they declare, and no plain JSON value."""


class TooLarge(CodecError):
    """The encoded value is longer than the codec carries."""


class UnknownTag(CodecError):
    """No class is registered under the tag."""


class Undecodable(CodecError):
    """The bytes are no JSON, or no such message."""


class JsonCodec:
    """Encodes registered messages and plain JSON values (None, bool, int, float, str, list, dict by str).

    What `decode` returns is equal to what `encode` was given. To tell, fields are checked against their declared types
    on both sides, without coercion. Fields that a class does not know are ignored, so that a later release may add
    some.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes

    def encode(self, value: object) -> bytes:
        """Return tag and body in one, with a space between. Raises Unencodable or TooLarge."""
        tag, body = self.pack(value)
        return b"%s %s" % (tag.encode(), body)

    def decode(self, data: bytes) -> object:
        """Return the value. Raises TooLarge, UnknownTag or Undecodable."""
        tag, space, body = data.partition(b" ")
        if not space:
            raise Undecodable(f"these {len(data)} bytes are no message: they lack the space after the tag")
        return self.unpack(tag.decode(errors="replace"), body)

    def pack(self, value: object) -> tuple[str, bytes]:
        """Return the tag, empty for a plain value, and the body. Raises Unencodable or TooLarge."""
        cls: Any = type(value)
        try:
            known = _writers.get(cls)
            if known is not None:
                tag, write = known
                body = write(value, warnings="error")
            else:
                tag, body = _first(value)
        except (PydanticSerializationError, orjson.JSONEncodeError) as error:
            raise Unencodable(f"{cls.__name__} would not arrive as it is: {error}") from error
        if len(body) > self.max_bytes:
            raise self._too_large(body)
        return tag, body

    def unpack(self, tag: str, body: bytes) -> object:
        """Return the value. Raises TooLarge, UnknownTag or Undecodable."""
        if len(body) > self.max_bytes:
            raise self._too_large(body)
        if not tag:
            return _decode_plain(body)
        try:
            cls = class_of(tag)
        except KeyError:
            raise UnknownTag(f"no message has the tag {tag!r}: it may come from another release") from None
        try:
            return _adapter(cls).validator.validate_json(body, strict=True)
        except ValidationError as error:
            raise Undecodable(f"this is no {tag}: {error}") from error

    def _too_large(self, body: bytes) -> TooLarge:
        return TooLarge(f"{len(body)} bytes are more than the {self.max_bytes} that one message may have")


# Tag and serializer of the classes that were encoded before: what a message costs is decided by this one look-up.
_writers: dict[type, tuple[str, Callable[..., bytes]]] = {}


_named: Any = NewType


@cache
def _adapter(cls: type[Any]) -> TypeAdapter[Any]:
    # By another name, since an adapter of a dataclass itself takes no settings.
    return TypeAdapter(_named("Body", cls), config=_CONFIG)


def _first(value: object) -> tuple[str, bytes]:
    cls: Any = type(value)
    if not hasattr(value, "__dataclass_fields__"):
        return "", _encode_plain(value)
    try:
        tag = tag_of(cls)
    except KeyError:
        raise Unencodable(f'{cls.__name__} has no tag: decorate it with @message("name/1")') from None
    _writers[cls] = tag, _adapter(cls).serializer.to_json
    return tag, _adapter(cls).serializer.to_json(value, warnings="error")


def _decode_plain(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"these {len(body)} bytes are no JSON: {error}") from error


def _encode_plain(value: object) -> bytes:
    if not _is_plain(value):
        raise Unencodable(f"{value!r} is no registered message and no plain JSON value")
    return orjson.dumps(value)


def _is_plain(value: object) -> bool:
    # By exact type: a tuple, an enum or a subclass would arrive as something else. NaN is unequal to itself.
    if type(value) is list:
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(type(key) is str for key in value) and all(map(_is_plain, value.values()))
    if type(value) is float:
        return value - value == 0.0
    return value is None or type(value) in (bool, int, str)
