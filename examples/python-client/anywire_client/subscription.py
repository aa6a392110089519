"""One subscription: its cursor, and the queue between the connection and the application."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Any, AsyncIterator, Mapping

from .errors import AnywireError, CommandError, Stopped
from .events import Event, Gap, Message, Occupancy, Position
from .presence import MemberList

if TYPE_CHECKING:
    from .client import Client

#: Events an application may be behind. Beyond it a channel is left, and recovered from history
#: once the application has caught up; a pattern loses messages, and says so.
QUEUE_MAX = 10_000


class State(Enum):
    """What the connection there is now has of a subscription."""

    #: Not subscribed. Messages of the channel belong to patterns, if to anything.
    DETACHED = "detached"
    #: Between one subscription and the next; messages of the channel are dropped.
    MUTED = "muted"
    LIVE = "live"


class Subscription:
    """An asynchronous iterator of `Message`, `Gap`, `Presence` and `Occupancy` events.

    It lives through reconnects. Iteration ends after `unsubscribe` and when the client is closed
    by the application; it raises when the server, or an error, ended it.
    """

    def __init__(
        self, client: Client, name: str, is_pattern: bool, options: Mapping[str, Any]
    ) -> None:
        self.channel = None if is_pattern else name
        self.pattern = name if is_pattern else None
        #: The cursor: the last message put into the queue, or accounted for otherwise.
        self.position: Position | None = None
        #: Whether history can bring back what is missed.
        self.recoverable = False
        #: Who is in the channel, if subscribed with `presence`.
        self.members = _members(self.channel, options)
        self.state = State.DETACHED
        #: False while the application is too far behind to be sent more.
        self.wanted = True
        self.made_by_token = False
        #: Whether `subscribe` was sent on the connection there is now.
        self.asked = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._client = client
        self._options = dict(options)
        self._matches = _glob(name).fullmatch if is_pattern else None
        self._events: deque[Event] = deque()
        self._changed = asyncio.Event()
        self._missed = 0
        self._attached_before = False
        self._end: AnywireError | None = None
        self._ended = False

    async def unsubscribe(self) -> None:
        """Ends the subscription. Events already in the queue can still be read."""
        await self._client.unsubscribe(self)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._ended:
                if self._end is not None:
                    raise self._end
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        event = self._events.popleft()
        if not self._events:
            self._caught_up()
        return event

    # What follows is for `Client`.

    @property
    def wire_name(self) -> dict[str, Any]:
        if self.channel is not None:
            return {"channel": self.channel}
        return {"pattern": self.pattern}

    def request(self) -> dict[str, Any]:
        """The `subscribe` command for the present cursor."""
        request = {"type": "subscribe", **self.wire_name, **self._options}
        if self.position is not None:
            request.pop("rewind", None)
            request["since"] = {"epoch": self.position.epoch, "offset": self.position.offset}
        return request

    def renew(self, options: Mapping[str, Any], since: Position | None) -> None:
        """Other options, for a subscription that the token had made without any."""
        self._options, self.members = dict(options), _members(self.channel, options)
        if since is not None or "rewind" in options:
            self.position = since
        self.state = State.MUTED
        self.ready = asyncio.get_running_loop().create_future()

    def matches(self, wire: Mapping[str, Any]) -> bool:
        """Whether a message is for this pattern. It is sent once for all of a connection's, and
        at least one of them lets it through; which, is for the client to see."""
        if self._matches is None or self._matches(wire["channel"]) is None:
            return False
        if self._options.get("own") is False and wire.get("client") == self._client.id:
            return False
        tags = wire.get("tags", {})
        wanted = self._options.get("filter", {})
        return all(tags.get(tag) in values for tag, values in wanted.items())

    def on_subscribed(self, wire: Mapping[str, Any]) -> None:
        attached_before, self._attached_before = self._attached_before, True
        self.state = State.LIVE
        if self.pattern is not None:
            if attached_before:
                self._put(Gap("disconnected", pattern=self.pattern))
        else:
            self.position = Position(wire["epoch"], wire["offset"])
            self.recoverable = wire["recoverable"]
            if "gap" in wire:
                self._put_gap(wire["gap"])
        if not self.ready.done():
            self.ready.set_result(None)

    def on_message(self, wire: Mapping[str, Any]) -> None:
        """The cursor rule of section 3."""
        if self.channel is None:
            self._put(Message.from_wire(wire, wire["channel"], None))
        elif self.state is State.LIVE and self.position is not None:
            offset = wire["offset"]
            if offset == self.position.offset + 1:
                self.position = Position(self.position.epoch, offset)
                self._put(Message.from_wire(wire, self.channel, self.position.epoch))
            elif offset > self.position.offset:
                self._client.resubscribe(self)

    def on_advance(self, wire: Mapping[str, Any]) -> None:
        if self.state is State.LIVE and self.position is not None:
            if wire["offset"] > self.position.offset:
                self.position = Position(self.position.epoch, wire["offset"])

    def on_gap(self, wire: Mapping[str, Any]) -> None:
        if self.pattern is not None:
            self._put(Gap(wire["reason"], pattern=self.pattern, missed=wire.get("missed")))
        elif self.state is State.LIVE:
            self.position = Position(wire["epoch"], wire["offset"])
            self._put_gap(wire)

    def on_presence(self, wire: Mapping[str, Any]) -> None:
        if self.members is not None and self.state is State.LIVE:
            event = self.members.apply(wire)
            if event is not None:
                self._put(event)
            elif self.members.stale:
                self._client.ask_for_members(self)

    def on_occupancy(self, wire: Mapping[str, Any]) -> None:
        if self.channel is not None and self.state is State.LIVE:
            self._put(Occupancy.from_wire(wire, self.channel))

    def put_presence(self, events: list[Any]) -> None:
        for event in events:
            self._put(event)

    def end(self, error: AnywireError | None) -> None:
        """No more events after those in the queue."""
        self.state = State.DETACHED
        self._ended, self._end = True, error
        self._changed.set()
        if not self.ready.done():
            self.ready.set_exception(error or Stopped(1000, "unsubscribed"))
            self.ready.exception()  # Not a warning: perhaps nobody waits for it.

    def _put_gap(self, gap: Mapping[str, Any]) -> None:
        self._put(
            Gap(
                gap["reason"],
                channel=self.channel,
                first=gap.get("from"),
                last=gap.get("to"),
                position=self.position,
            )
        )

    def _put(self, event: Event) -> None:
        if len(self._events) >= QUEUE_MAX and isinstance(event, Message):
            if self.pattern is not None:
                self._missed += 1
                return
            # This message is kept, since the cursor has moved past it; the next ones are not.
            self._client.pause(self)
        self._events.append(event)
        self._changed.set()

    def _caught_up(self) -> None:
        if self._missed:
            missed, self._missed = self._missed, 0
            self._put(Gap("slow", pattern=self.pattern, missed=missed))
        if not self.wanted and not self._ended:
            self._client.resume(self)


def _members(channel: str | None, options: Mapping[str, Any]) -> MemberList | None:
    return MemberList(channel) if channel is not None and options.get("presence") else None


def _glob(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(c) or re.escape(c) for c in pattern), re.DOTALL)


def ended_by_server(wire: Mapping[str, Any]) -> CommandError:
    """What an `unsubscribed` push says."""
    return CommandError(
        wire.get("code", "unsubscribed"), wire.get("message", ""), channel=wire.get("channel")
    )
