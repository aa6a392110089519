"""A client for Anywire's native protocol, anywire.v1, written from docs/protocol.md."""

from .client import Client
from .errors import AnywireError, CommandError, HistoryChanged, OutcomeUnknown, Stopped
from .events import Event, Gap, HistoryPage, Member, Members, Message, Occupancy, Position
from .events import Presence, Published
from .presence import MemberList
from .subscription import Subscription

__all__ = [
    "AnywireError",
    "Client",
    "CommandError",
    "Event",
    "Gap",
    "HistoryChanged",
    "HistoryPage",
    "Member",
    "MemberList",
    "Members",
    "Message",
    "Occupancy",
    "OutcomeUnknown",
    "Position",
    "Presence",
    "Published",
    "Stopped",
    "Subscription",
]
