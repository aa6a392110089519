"""The two encodings of anywire.v1. Both carry the same messages, with the same member names."""

from __future__ import annotations

import base64
import json
from typing import Any, Protocol, Sequence

import msgpack  # type: ignore[import-untyped]

#: A message as it is on the wire, decoded.
Wire = dict[str, Any]


class Codec(Protocol):
    """Turns messages into frames and back.

    Messages are encoded one by one and put together afterwards, so that whoever fills a frame
    knows how large it will be.
    """

    subprotocol: str

    def encode(self, message: Wire) -> bytes:
        """One message; raises ValueError or TypeError for what the encoding cannot express."""

    def frame(self, parts: Sequence[bytes]) -> str | bytes:
        """A frame of one or more encoded messages."""

    def decode(self, frame: str | bytes) -> list[Wire]:
        """The messages of a frame, in order; raises ValueError for anything else."""


class JsonCodec:
    """Text frames. `binary` is base64: RFC 4648's standard alphabet, with padding."""

    subprotocol = "anywire.v1.json"

    def encode(self, message: Wire) -> bytes:
        if isinstance(message.get("binary"), bytes):
            message = {**message, "binary": base64.b64encode(message["binary"]).decode()}
        text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()

    def frame(self, parts: Sequence[bytes]) -> str:
        return (parts[0] if len(parts) == 1 else b"[" + b",".join(parts) + b"]").decode()

    def decode(self, frame: str | bytes) -> list[Wire]:
        return _messages(json.loads(frame))


class MessagePackCodec:
    """Binary frames. `binary` is bin; everything else is what JSON has, too."""

    subprotocol = "anywire.v1.msgpack"

    def encode(self, message: Wire) -> bytes:
        packed: bytes = msgpack.packb(message)
        return packed

    def frame(self, parts: Sequence[bytes]) -> bytes:
        if len(parts) == 1:
            return parts[0]
        header: bytes = msgpack.Packer().pack_array_header(len(parts))
        return header + b"".join(parts)

    def decode(self, frame: str | bytes) -> list[Wire]:
        if isinstance(frame, str):
            raise ValueError("a text frame under the MessagePack subprotocol")
        return _messages(msgpack.unpackb(frame, strict_map_key=False))


def _messages(value: Any) -> list[Wire]:
    messages = value if isinstance(value, list) else [value]
    if not all(isinstance(message, dict) for message in messages):
        raise ValueError("a message is not an object")
    return messages
