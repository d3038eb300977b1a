#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does small things again and again in one namespace, so that not each of them starts a process.

Reads requests, one a line, and answers each with a line: "ok", a result, or "failed: WHY".
  esp ARGUMENTS                         as esp.py
  send ADDR PORT COUNT RATE [SIZE [OPTIONS]]    as stream.py
  listen ADDR PORT                      opens a socket for numbered packets
  count PORT COUNT QUIET                closes it after COUNT different packets, or when QUIET seconds
                                        pass without one; answers how many came
  serve ADDR PORT                       answers transfers from now on, see transfer.py
  transfer tcp|udp ADDR PORT df|nodf COUNT SECONDS  begins one: COUNT blocks or datagrams, SECONDS of patience
  finish COUNT                          ends it after COUNT more; ok: all came whole
  echo ADDR PORT SIZE...                datagrams of these sizes to where another serves, at once; all must
                                        be answered rightly
  push ADDR PORT BYTES                  so many bytes over TCP to it; all must arrive unchanged
"""
import contextlib
import hashlib
import io
import os
import pathlib
import socket
import sys

import esp
import transfer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import stream  # noqa: E402  (its directory is known only now)

PATIENCE = 30   # seconds without an answer, on the slowest machine
listening = {}
transfers = []


def do_esp(*words):
    # argparse and esp.py speak to the terminal; here it is a line.
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            esp.run(words)
        except SystemExit as end:
            if end.code:
                raise OSError("esp: %s %s" % (end.code, text.getvalue())) from end
    return " ".join(text.getvalue().split())


def do_send(*words):
    stream.send(*words)


def do_listen(address, port):
    listening[port] = stream.listen(address, port)


def do_count(port, wanted, quiet):
    with listening.pop(port) as sock:
        return stream.count(sock, int(wanted), float(quiet))[0]


def do_serve(address, port):
    transfer.serve(address, int(port))


def do_transfer(kind, address, port, fragment, count, seconds):
    df = {"df": True, "nodf": False}[fragment]
    while transfers:
        transfers.pop().close()     # of one that has failed
    transfers.append(transfer.KINDS[kind](address, int(port), df, float(seconds)))
    transfers[-1].send(int(count))


def do_finish(count):
    with contextlib.closing(transfers.pop()) as last:
        last.send(int(count))
        last.end()


def do_echo(address, port, *sizes):
    # The first byte tells them apart.
    sent = [bytes([i]) + os.urandom(int(size) - 1) for i, size in enumerate(sizes)]
    waiting = {transfer.answer_to(datagram): len(datagram) for datagram in sent}
    with stream.udp_socket(address) as sock:
        sock.settimeout(PATIENCE)
        sock.connect((address, int(port)))
        for datagram in sent:
            sock.send(datagram)
        while waiting:
            try:
                waiting.pop(sock.recv(65535))
            except socket.timeout:
                return "failed: no answer to %s bytes" % sorted(waiting.values())
            except KeyError:
                return "failed: an answer to other bytes than were sent"
    return None


def do_push(address, port, size):
    data = os.urandom(int(size))
    with socket.create_connection((address, int(port)), timeout=PATIENCE) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        digest = b""
        while part := sock.recv(64):
            digest += part
    return None if digest == hashlib.sha256(data).digest() else "failed: other bytes arrived"


REQUESTS = {"esp": do_esp, "send": do_send, "listen": do_listen, "count": do_count,
            "serve": do_serve, "transfer": do_transfer, "finish": do_finish,
            "echo": do_echo, "push": do_push}


def answer(line):
    name, *words = line.split()
    try:
        result = REQUESTS[name](*words)
    except (OSError, KeyError, TypeError, ValueError) as error:
        return "failed: " + " ".join(str(error).split())
    return "ok" if result is None or result == "" else str(result)


for request in sys.stdin:
    print(answer(request), flush=True)
