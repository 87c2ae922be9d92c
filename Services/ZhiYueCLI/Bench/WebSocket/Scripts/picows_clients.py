"""picows_clients.py COUNTS URL ADDRESS CONNECTIONS FIRST_MESSAGE [SUBPROTOCOL…]: WebSocket subscribers in one process.

Sends FIRST_MESSAGE, unless it is empty, when a connection is open. Counts in the file COUNTS, which the bench reads
meanwhile: u64 open, u64 messages, u64 lost, u64 phase (set by the bench), then 100,000 u32: of the messages that came
while phase was 1, how many took so many tenths of a millisecond. A message holds "due":NANOSECONDS of CLOCK_MONOTONIC.
"""
import asyncio
import mmap
import os
import sys
import time

import uvloop
from picows import WSListener, WSMsgType, ws_connect

SLOTS = 100_000
path, url, address, connections, first = sys.argv[1:6]
protocols = sys.argv[6:]

file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
os.ftruncate(file, 32 + 4 * SLOTS)
memory = memoryview(mmap.mmap(file, 32 + 4 * SLOTS))
counts = memory[:32].cast("Q")
latencies = memory[32:].cast("I")
now = time.monotonic_ns
mark = b'"due":'


# Where the mark was the last time.
usual = 0


class Subscriber(WSListener):
    def on_ws_connected(self, transport):
        counts[0] += 1
        if first:
            transport.send(WSMsgType.TEXT, first.encode())

    def on_ws_frame(self, transport, frame):
        global usual
        payload = frame.get_payload_as_bytes()
        start = usual if payload.startswith(mark, usual) else payload.find(mark)
        if start < 0:
            return
        usual = start
        if counts[3]:
            due = int(payload[start + 6:payload.index(b",", start)])
            latencies[min(SLOTS - 1, (now() - due) // 100_000)] += 1
        counts[1] += 1

    def on_ws_disconnected(self, transport):
        counts[2] += 1


async def main():
    headers = {"Sec-WebSocket-Protocol": ", ".join(protocols)} if protocols else None
    left = iter(range(int(connections)))
    kept = []

    async def opener():
        for _ in left:
            kept.append(await ws_connect(
                Subscriber, url, websocket_handshake_timeout=30, read_buffer_init_size=2048,
                local_addr=(address, 0), extra_headers=headers))

    await asyncio.gather(*(opener() for _ in range(50)))
    await asyncio.Event().wait()


uvloop.run(main())
