"""Keeps the list of a channel's members up to date (docs/protocol.md, section 5)."""

from __future__ import annotations

from collections import deque
from typing import Any, Iterator, Mapping

from .events import Member, Members, Presence

#: Changes kept while the list is being asked for; when there are more it is asked for again.
WAITING_MAX = 1000


class MemberList(Mapping[str, Member]):
    """Members by client id. Fed with `presence` pushes; while `stale` it needs a fresh copy."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        #: From the server, also where the list itself is not complete.
        self.count = 0
        self.users = 0
        #: False until the first push, and where a channel is so large that only counts are sent.
        self.complete = False
        #: A change was missed: `reset` must be called with what `members` answers.
        self.stale = False
        self._members: dict[str, Member] = {}
        self._epoch = ""
        self._version = -1
        self._waiting: deque[Mapping[str, Any]] = deque(maxlen=WAITING_MAX)

    def __getitem__(self, client: str) -> Member:
        return self._members[client]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def apply(self, push: Mapping[str, Any]) -> Presence | None:
        """Takes in a push; returns what changed, or None if nothing is known to have."""
        if push.get("all"):
            self._waiting.clear()
            members = [Member.from_wire(wire) for wire in push.get("join", ())]
            return self._replace(
                {member.client: member for member in members}, push, complete=True
            )
        if push.get("partial"):
            self._waiting.clear()
            return self._replace({}, push, complete=False)
        if self.stale:
            self._waiting.append(push)
            return None
        same = push["epoch"] == self._epoch
        if same and push["version"] <= self._version:
            return None
        if not same or push["from"] != self._version or not self.complete:
            self.stale = True
            self._waiting.append(push)
            return None
        return self._change(push)

    def reset(self, snapshot: Members) -> list[Presence]:
        """Starts again from a complete list and applies what came while it was asked for."""
        if not self.stale:
            return []  # An `all` push was faster.
        numbers = {n: getattr(snapshot, n) for n in ("epoch", "version", "count", "users")}
        events = [self._replace(snapshot.members, numbers, complete=True)]
        waiting, self._waiting = self._waiting, deque(maxlen=WAITING_MAX)
        events += (event for push in waiting if (event := self.apply(push)) is not None)
        return events

    def _change(self, push: Mapping[str, Any]) -> Presence:
        left = [Member.from_wire(wire) for wire in push.get("leave", ())]
        joined = [Member.from_wire(wire) for wire in push.get("join", ())]
        updated = [Member.from_wire(wire) for wire in push.get("update", ())]
        for member in left:
            self._members.pop(member.client, None)
        for member in joined + updated:
            self._members[member.client] = member
        self._note(push)
        return Presence(
            self.channel, self.count, self.users, True, tuple(joined), tuple(updated), tuple(left)
        )

    def _replace(
        self, new: dict[str, Member], source: Mapping[str, Any], complete: bool
    ) -> Presence:
        old, self._members = self._members, dict(new)
        self.complete, self.stale = complete, False
        self._note(source)
        if not complete:
            return Presence(self.channel, self.count, self.users, False)
        return Presence(
            self.channel,
            self.count,
            self.users,
            True,
            joined=tuple(m for client, m in new.items() if client not in old),
            updated=tuple(m for client, m in new.items() if old.get(client, m) != m),
            left=tuple(m for client, m in old.items() if client not in new),
        )

    def _note(self, source: Mapping[str, Any]) -> None:
        self._epoch, self._version = source["epoch"], source["version"]
        self.count, self.users = source["count"], source["users"]
