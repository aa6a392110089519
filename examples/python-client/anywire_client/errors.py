"""Exceptions, and what each close code tells a client to do (docs/protocol.md, section 6)."""

from __future__ import annotations

from enum import Enum
from typing import Any, Mapping


class AnywireError(Exception):
    """The base of everything this package raises on purpose."""


class CommandError(AnywireError):
    """The server (or this client, for what it can tell alone) refused a command."""

    def __init__(
        self, code: str, message: str, retry: bool = False, channel: str | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        #: Whether the same command may succeed later, unchanged.
        self.retry = retry
        self.channel = channel

    @classmethod
    def from_wire(cls, reply: Mapping[str, Any]) -> CommandError:
        return cls(
            reply["code"], reply.get("message", ""), reply.get("retry", False), reply.get("channel")
        )


class OutcomeUnknown(AnywireError):
    """The connection was lost after a command was sent, and it is not safe to send it again."""


class HistoryChanged(AnywireError):
    """The stream began anew, or messages were evicted, while its history was being read."""


class Disconnected(AnywireError):
    """A connection, or an attempt to make one, ended. Only `Client` sees it; it reconnects."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class Blocked(Disconnected):
    """Something on the way does not let this transport through. Another one may be."""

    def __init__(self, reason: str) -> None:
        super().__init__(1006, reason)


class Stopped(AnywireError):
    """The client has ended for good: closed by the application, or told so by the server."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class Action(Enum):
    """What to do after a connection ended."""

    STOP = "stop"
    BACK_OFF = "reconnect with back-off"
    TOKEN = "get another token, reconnect with back-off"
    TOKEN_NOW = "get another token, reconnect at once"


def action_for(close_code: int) -> Action:
    """The close code table. Codes it does not name are covered by their range."""
    if close_code in (4450, 4452):
        return Action.TOKEN_NOW
    if 4400 <= close_code < 4450:
        return Action.STOP
    if 4450 <= close_code < 4500:
        return Action.TOKEN
    return Action.BACK_OFF
