"""A small command-line program: `python3 -m anywire_client --help`."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import threading
import time

from . import AnywireError, Client, CommandError, Gap, Member, Message, Presence, Subscription
from .tokens import sign


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="anywire_client", description=__doc__)
    parser.add_argument("--url", default="ws://localhost:3001/anywire")
    parser.add_argument("--token", help="a JWT")
    parser.add_argument("--secret", help="sign a token for --name with this secret (for trials)")
    parser.add_argument("--name", help="who you are; with --secret the token's user")
    parser.add_argument("--codec", choices=("json", "msgpack"), default="json")
    parser.add_argument("--transport", choices=("websocket", "sse", "poll"), help="only this one")
    parser.add_argument("--verbose", action="store_true")
    commands = parser.add_subparsers(dest="command", required=True)
    chat = commands.add_parser("chat", help="talk; /who, /history and /quit are commands")
    chat.add_argument("channel")
    tail = commands.add_parser("tail", help="show what a channel, or a pattern, brings")
    tail.add_argument("channel")
    tail.add_argument("--pattern", action="store_true")
    tail.add_argument("--rewind", type=int)
    publish = commands.add_parser("publish", help="publish JSON, or text if it is none")
    publish.add_argument("channel")
    publish.add_argument("message")
    history = commands.add_parser("history", help="show what a channel has kept")
    history.add_argument("channel")
    members = commands.add_parser("members", help="show who is in a channel")
    members.add_argument("channel")
    return parser.parse_args()


def show(event: object) -> None:
    if isinstance(event, Message):
        who = event.user or event.client or "-"
        value = event.data
        if isinstance(value, dict) and "text" in value:
            who, value = value.get("name", who), value["text"]
        elif event.text is not None or event.binary is not None:
            value = event.text if event.text is not None else event.binary
        clock = time.strftime("%H:%M:%S", time.localtime(event.time / 1000))
        print(f"{clock} {event.channel} {who}: {value}")
    elif isinstance(event, Gap):
        print(f"-- messages are missing ({event.reason}) --")
    elif isinstance(event, Presence):
        for members, verb in ((event.joined, "came"), (event.left, "went")):
            for member in members:
                print(f"-- {name_of(member)} {verb}, {event.count} here --")
    sys.stdout.flush()


def name_of(member: Member) -> str:
    info = member.info if isinstance(member.info, dict) else {}
    return str(info.get("name") or member.user or member.client)


def lines() -> asyncio.Queue[str | None]:
    """Standard input by line, then None; from a thread, since reading it blocks."""
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(queue.put_nowait, line.rstrip("\n"))
        loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    return queue


async def show_all(subscription: Subscription) -> None:
    async for event in subscription:
        show(event)


async def chat(client: Client, channel: str, name: str) -> None:
    try:
        room = await client.subscribe(channel, rewind=10, presence=True)
        await client.enter(channel, {"name": name})
    except CommandError as error:
        print(f"-- nobody can be seen here ({error}) --")
        room = await client.subscribe(channel, rewind=10)
    shown = asyncio.create_task(show_all(room))
    typed = lines()
    while (line := await typed.get()) not in (None, "/quit"):
        try:
            if line == "/who":
                print(", ".join(map(name_of, (room.members or {}).values())), flush=True)
            elif line == "/history":
                async for message in client.history(channel):
                    show(message)
            elif line:
                await client.publish(channel, {"text": line, "name": name}, event="chat")
        except CommandError as error:
            print(f"-- {error} --", flush=True)
    await room.unsubscribe()
    await shown


async def run(args: argparse.Namespace) -> None:
    token = args.token
    if token is None and args.secret is not None:
        user = {"sub": args.name} if args.name else {}

        def token() -> str:
            return sign(args.secret, capability={"*": ["*"]}, **user)

    transports = (args.transport,) if args.transport else ("websocket", "sse", "poll")
    async with Client(args.url, token=token, codec=args.codec, transports=transports) as client:
        if args.command == "chat":
            await chat(client, args.channel, args.name or client.id or "")
        elif args.command == "tail":
            key = "pattern" if args.pattern else "channel"
            await show_all(await client.subscribe(**{key: args.channel}, rewind=args.rewind))
        elif args.command == "publish":
            try:
                done = await client.publish(args.channel, json.loads(args.message))
            except json.JSONDecodeError:
                done = await client.publish(args.channel, text=args.message)
            print(f"{done.position.epoch} {done.position.offset}")
        elif args.command == "history":
            async for message in client.history(args.channel):
                show(message)
        elif args.command == "members":
            for member in (await client.members(args.channel)).members.values():
                print(f"{member.client} {name_of(member)}")


def main() -> int:
    args = arguments()
    logging.basicConfig(level=logging.INFO if args.verbose else logging.ERROR)
    try:
        asyncio.run(run(args))
    except AnywireError as error:
        print(f"anywire_client: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
