"""Speaks to the server under test with python3-websockets; prints one line per check."""

import asyncio
import ssl
import sys

import websockets

URL = sys.argv[1]


def context():
    if not URL.startswith("wss"):
        return None
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


async def echo(socket, message):
    await socket.send(message)
    assert await asyncio.wait_for(socket.recv(), 20) == message


async def session(name, **options):
    limit = 17 * 1024 * 1024
    async with websockets.connect(URL, ssl=context(), max_size=limit, **options) as socket:
        for message in ["", "text", "\u00e9\U0001f44b", b"", b"\x00\xff", "x" * 70000, b"y" * 1048576]:
            await echo(socket, message)
        await socket.send(part for part in ["in ", "", "frag", "ments"])
        assert await socket.recv() == "in fragments"
        await asyncio.wait_for(await socket.ping(b"payload"), 20)
        for number in range(200):
            await echo(socket, f"message {number}")
        await socket.close(4321, "done")
        assert socket.close_code == 4321, socket.close_code
    print("ok", name)


async def main():
    await session("compressed")
    await session("plain", compression=None)
    print("ok all", websockets.version.version)


asyncio.run(asyncio.wait_for(main(), 60))
