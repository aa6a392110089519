"""The parts that need no server, and the command-line program, which does."""

import asyncio
import os
import pathlib
import sys
import unittest

from anywire_client.codec import JsonCodec, MessagePackCodec
from anywire_client.errors import Action, action_for
from anywire_client.events import Message
from anywire_client.subscription import _glob
from anywire_client.transport import with_scheme

from .support import SECRET, Case, token


class Parts(unittest.TestCase):
    def test_each_close_code_has_its_action(self):
        table = {
            Action.BACK_OFF: (1000, 1001, 1006, 1009, 1011, 1012, 1013, 3000, 4399, 4500, 4999),
            Action.STOP: (4400, 4403, 4409, 4449),
            Action.TOKEN: (4451, 4460, 4499),
            Action.TOKEN_NOW: (4450, 4452),
        }
        for action, codes in table.items():
            for code in codes:
                self.assertIs(action_for(code), action, code)

    def test_frames_of_one_and_of_many_messages_come_back(self):
        for codec in (JsonCodec(), MessagePackCodec()):
            ping = {"type": "ping", "id": 1}
            hello = {"type": "publish", "text": "ü\u2028\U0001f600", "data": [None, -1, 1 << 53]}
            for sent in ([ping], [ping, hello], [hello] * 20):
                frame = codec.frame([codec.encode(message) for message in sent])
                self.assertEqual(codec.decode(frame), sent)

    def test_frames_that_hold_no_messages_are_refused(self):
        for codec, frames in (
            (JsonCodec(), ("", "3", "[3]", "{", '"x"')),
            (MessagePackCodec(), (b"", b"\x03", b"\x91\x03", b"\x81", b"\xc1", "{}")),
        ):
            for frame in frames:
                with self.subTest(frame=frame), self.assertRaises(ValueError):
                    codec.decode(frame)

    def test_binary_is_base64_in_json_and_bytes_elsewhere(self):
        message = {"offset": 1, "time": 2, "binary": b"\xfb\xff"}
        json = JsonCodec()
        self.assertIn(b'"+/8="', json.encode(message))
        (wire,) = json.decode(json.encode(message).decode())
        self.assertEqual(Message.from_wire(wire, "c", None).binary, b"\xfb\xff")
        self.assertEqual(Message.from_wire(message, "c", None).binary, b"\xfb\xff")

    def test_json_does_not_send_what_is_not_json(self):
        with self.assertRaises(ValueError):
            JsonCodec().encode({"data": float("nan")})

    def test_patterns_match_as_the_protocol_says(self):
        for pattern, name, expected in (
            ("room:*", "room:", True),
            ("room:*", "room:a/b\u2028c", True),
            ("room:?", "room:", False),
            ("room:?", "room:ü", True),
            ("*:x", "a.b:x", True),
            ("a.b", "axb", False),
            ("[a]", "a", False),
        ):
            self.assertEqual(bool(_glob(pattern).fullmatch(name)), expected, (pattern, name))

    def test_addresses_fit_the_transport(self):
        self.assertEqual(with_scheme("http://h:1", True), "ws://h:1/anywire")
        self.assertEqual(with_scheme("wss://h/x/", False), "https://h/x")


class CommandLine(Case):
    async def start(self, *arguments, stdin=None):
        folder = pathlib.Path(__file__).resolve().parent.parent
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "anywire_client", "--url", self.server.url, *arguments),
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def test_publishes_shows_history_and_tells_of_refusals(self):
        name = self.channel()
        for message in ('{"text":"one","name":"ann"}', "two words"):
            process = await self.start("publish", name, message)
            out, _ = await process.communicate()
            self.assertEqual(process.returncode, 0, out)
        out, _ = await (await self.start("--codec", "msgpack", "history", name)).communicate()
        self.assertRegex(out.decode(), "ann: one\n.* two words\n")
        process = await self.start("publish", "private:1", "x")
        _, err = await process.communicate()
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"forbidden", err)

    async def test_two_people_chat(self):
        name = self.channel("private")
        bob = await self.client(token=token("bob"))
        room = await bob.subscribe(name, presence=True)
        ann = await self.start(
            *("--secret", SECRET, "--name", "ann", "chat", name), stdin=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(10):
            while not (room.members.complete and len(room.members) == 1):
                await room.__anext__()
            await bob.publish(name, {"text": "hello ann", "name": "bob"}, event="chat")
            while b"bob: hello ann" not in await ann.stdout.readline():
                pass
            ann.stdin.write(b"hello bob\n/who\n")
            while getattr(event := await room.__anext__(), "user", None) != "ann":
                pass
            self.assertEqual(event.data["text"], "hello bob")
            while (await ann.stdout.readline()).strip() != b"ann":
                pass
            ann.stdin.write_eof()
            await ann.communicate()
        self.assertEqual(ann.returncode, 0)
