"""What a subscription tells its application, and what commands answer."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Mapping, Union


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a channel's stream; as a cursor, that of the last message handled."""

    epoch: str
    offset: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a channel. Exactly one of `data`, `text` and `binary` was published."""

    channel: str
    offset: int
    #: Unix milliseconds.
    time: int
    #: Absent in pattern subscriptions, whose messages have no cursor.
    epoch: str | None = None
    data: Any = None
    text: str | None = None
    binary: bytes | None = None
    event: str | None = None
    id: str | None = None
    client: str | None = None
    user: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def position(self) -> Position | None:
        """Keep this to continue behind the message later: `subscribe(..., since=position)`."""
        return None if self.epoch is None else Position(self.epoch, self.offset)

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any], channel: str, epoch: str | None) -> Message:
        known = {
            name: wire[name]
            for name in ("data", "text", "event", "id", "client", "user", "tags")
            if name in wire
        }
        if "binary" in wire:
            value = wire["binary"]
            known["binary"] = base64.b64decode(value) if isinstance(value, str) else value
        if wire.get("json"):
            known["data"] = json.loads(known.pop("text"))  # MessagePack has no number for it.
        return cls(channel, wire["offset"], wire["time"], epoch, **known)


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages were lost; the stream goes on behind `position`.

    `reason` is the server's `evicted`, `epoch` or `slow`, or this client's own `disconnected`: a
    pattern missed what was published meanwhile, and nobody knows how much.
    """

    reason: str
    channel: str | None = None
    pattern: str | None = None
    first: int | None = None
    last: int | None = None
    missed: int | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A client that has entered a channel."""

    client: str
    user: str | None = None
    info: Any = None

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Member:
        return cls(wire["client"], wire.get("user"), wire.get("info"))


@dataclass(frozen=True, slots=True)
class Presence:
    """Who came, changed and went. With `complete` false the channel is so large that the server
    sends only the counts, and the three lists are empty."""

    channel: str
    count: int
    users: int
    complete: bool
    joined: tuple[Member, ...] = ()
    updated: tuple[Member, ...] = ()
    left: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How many subscribe to a channel; `count` and `users` are those of presence, if it has any."""

    channel: str
    subscribers: int
    count: int | None = None
    users: int | None = None

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any], channel: str) -> Occupancy:
        return cls(channel, wire["subscribers"], wire.get("count"), wire.get("users"))


Event = Union[Message, Gap, Presence, Occupancy]


@dataclass(frozen=True, slots=True)
class Published:
    """Where a publication went. `duplicate`: its idempotency key had been used, by this one."""

    position: Position
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class HistoryPage:
    messages: list[Message]
    epoch: str
    top: int
    oldest: int
    more: bool


@dataclass(frozen=True, slots=True)
class Members:
    """Everybody in a channel, as of one version of it."""

    members: dict[str, Member]
    epoch: str
    version: int
    count: int
    users: int
