"""Messages as bytes: `{"t": tag, "b": body}` in JSON for a registered message, `{"b": value}` for a plain JSON value.

CodecError
├── Unencodable   the sender's fault: the value would not arrive as it is
├── TooLarge      longer than this codec carries
├── UnknownTag    a message of another release, or of nobody
└── Undecodable   not what a codec of ours writes
"""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import PydanticSerializationError

from supervisor.message import class_of, tag_of

MAX_BYTES = 16 * 1024 * 1024

# NaN and the infinities are written as no JSON parser of ours reads them: null could pass for an absent number.
_CONFIG = ConfigDict(
    ser_json_bytes="base64",
    val_json_bytes="base64",
    ser_json_inf_nan="constants",
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
        """Return the bytes. Raises Unencodable or TooLarge."""
        try:
            data = _encode_message(value) if hasattr(value, "__dataclass_fields__") else _encode_plain(value)
        except (PydanticSerializationError, orjson.JSONEncodeError) as error:
            raise Unencodable(f"{type(value).__name__} would not arrive as it is: {error}") from error
        self._check_size(data)
        return data

    def decode(self, data: bytes) -> object:
        """Return the value. Raises TooLarge, UnknownTag or Undecodable."""
        self._check_size(data)
        try:
            frame = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise Undecodable(f"these {len(data)} bytes are no JSON: {error}") from error
        if not isinstance(frame, dict) or "b" not in frame:
            raise Undecodable("this is no message: it lacks the body, b")
        if "t" not in frame:
            return frame["b"]
        return _decode_message(frame["t"], data)

    def _check_size(self, data: bytes) -> None:
        if len(data) > self.max_bytes:
            raise TooLarge(f"{len(data)} bytes are more than the {self.max_bytes} that one message may have")


@cache
def _frame_of(cls: type[Any]) -> type[BaseModel]:
    return create_model("Frame", __config__=_CONFIG, t=(str, ...), b=(cls, ...))


def _encode_message(value: object) -> bytes:
    cls: Any = type(value)
    try:
        tag = tag_of(cls)
    except KeyError:
        raise Unencodable(f'{cls.__name__} has no tag: decorate it with @message("name/1")') from None
    frame = _frame_of(cls)
    body: Any = frame.model_construct(t=tag, b=value)
    return frame.__pydantic_serializer__.to_json(body, warnings="error")


def _decode_message(tag: object, data: bytes) -> object:
    try:
        cls = class_of(str(tag))
    except KeyError:
        raise UnknownTag(f"no message has the tag {tag!r}: it may come from another release") from None
    try:
        frame: Any = _frame_of(cls).model_validate_json(data, strict=True)
    except ValidationError as error:
        raise Undecodable(f"this is no {tag}: {error}") from error
    return frame.b


def _encode_plain(value: object) -> bytes:
    if not _is_plain(value):
        raise Unencodable(f"{value!r} is no registered message and no plain JSON value")
    return orjson.dumps({"b": value})


def _is_plain(value: object) -> bool:
    # By exact type: a tuple, an enum or a subclass would arrive as something else. NaN is unequal to itself.
    if type(value) is list:
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(type(key) is str for key in value) and all(map(_is_plain, value.values()))
    if type(value) is float:
        return value - value == 0.0
    return value is None or type(value) in (bool, int, str)
