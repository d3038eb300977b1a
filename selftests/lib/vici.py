#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client of VICI, written from its published description alone, as a check of the server.

    vici.py SOCKET request COMMAND [--stream EVENT] [KEY=VALUE | KEY=[ITEM,ITEM] | SECTION.KEY=...]...
    vici.py SOCKET listen EVENT [EVENT...]

Prints one JSON object a line: {"event": NAME, ...} for each event, {"reply": ...} at the end of a
request. A value that begins with "@" is the content of that file. Exits with 1 if success=no, with
2 if the server does not know the command or event.
"""
import json
import socket
import struct
import sys

(CMD_REQUEST, CMD_RESPONSE, CMD_UNKNOWN, EVENT_REGISTER, EVENT_UNREGISTER, EVENT_CONFIRM,
 EVENT_UNKNOWN, EVENT) = range(8)
SECTION_START, SECTION_END, KEY_VALUE, LIST_START, LIST_ITEM, LIST_END = range(1, 7)


def name(text):
    raw = text.encode()
    return bytes([len(raw)]) + raw


def value(content):
    raw = content if isinstance(content, bytes) else content.encode()
    return struct.pack("!H", len(raw)) + raw


def encode(message):
    out = b""
    for key, content in message.items():
        if isinstance(content, dict):
            out += bytes([SECTION_START]) + name(key) + encode(content) + bytes([SECTION_END])
        elif isinstance(content, list):
            items = b"".join(bytes([LIST_ITEM]) + value(item) for item in content)
            out += bytes([LIST_START]) + name(key) + items + bytes([LIST_END])
        else:
            out += bytes([KEY_VALUE]) + name(key) + value(content)
    return out


class Decoder:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        part = self.data[self.at:self.at + count]
        if len(part) != count:
            raise ValueError("message cut short")
        self.at += count
        return part

    def name(self):
        return self.take(self.take(1)[0]).decode()

    def value(self):
        return self.take(struct.unpack("!H", self.take(2))[0]).decode(errors="backslashreplace")

    def list(self):
        items = []
        while (kind := self.take(1)[0]) == LIST_ITEM:
            items.append(self.value())
        if kind != LIST_END:
            raise ValueError(f"element {kind} in a list")
        return items

    def section(self, root=True):
        """A key may come twice in what is streamed; a message that does so is refused here."""
        message = {}
        while self.at < len(self.data) or not root:
            kind = self.take(1)[0]
            if kind == SECTION_END and not root:
                return message
            key = self.name()
            if key in message:
                raise ValueError(f"{key} twice in one section")
            if kind == SECTION_START:
                message[key] = self.section(root=False)
            elif kind == KEY_VALUE:
                message[key] = self.value()
            elif kind == LIST_START:
                message[key] = self.list()
            else:
                raise ValueError(f"element of type {kind}")
        return message


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.on_event = lambda event, message: None

    def send(self, kind, text, message=b""):
        packet = bytes([kind]) + name(text) + message
        self.socket.sendall(struct.pack("!I", len(packet)) + packet)

    def receive(self):
        def exactly(count):
            data = b""
            while len(data) < count:
                more = self.socket.recv(count - len(data))
                if not more:
                    raise EOFError("the server has closed the connection")
                data += more
            return data
        packet = exactly(struct.unpack("!I", exactly(4))[0])
        if packet[0] != EVENT:
            return packet[0], None, Decoder(packet[1:]).section()
        end = 2 + packet[1]
        return EVENT, packet[2:end].decode(), Decoder(packet[end:]).section()

    def answer(self):
        while True:
            kind, event, message = self.receive()
            if kind != EVENT:
                return kind, message
            self.on_event(event, message)

    def register(self, event, kind=EVENT_REGISTER):
        self.send(kind, event)
        return self.answer()[0] == EVENT_CONFIRM

    def request(self, command, message):
        self.send(CMD_REQUEST, command, encode(message))
        return self.answer()


def show(**message):
    print(json.dumps(message), flush=True)


def content(text):
    if text.startswith("@"):
        with open(text[1:], "rb") as file:
            return file.read()
    if text.startswith("[") and text.endswith("]"):
        return [content(item) for item in text[1:-1].split(",") if item]
    return text


def arguments(words):
    message = {}
    for word in words:
        path, text = word.split("=", 1)
        *sections, key = path.split(".")
        at = message
        for section in sections:
            at = at.setdefault(section, {})
        at[key] = content(text)
    return message


def run_request(client, command, words):
    while words[:1] == ["--stream"]:
        if not client.register(words[1]):
            sys.exit(2)
        words = words[2:]
    kind, reply = client.request(command, arguments(words))
    if kind == CMD_UNKNOWN:
        sys.exit(2)
    show(reply=reply)
    sys.exit(reply.get("success") == "no")


def main():
    client = Client(sys.argv[1])
    client.on_event = lambda event, message: show(event=event, message=message)
    if sys.argv[2] == "request":
        run_request(client, sys.argv[3], sys.argv[4:])
    for event in sys.argv[3:]:
        if not client.register(event):
            sys.exit(2)
    show(listening=sys.argv[3:])
    while True:
        _, event, message = client.receive()
        client.on_event(event, message)


if __name__ == "__main__":
    main()
