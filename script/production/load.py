#!/usr/bin/env python3
"""Visitors: 200 requests a second at one address, half of them on kept connections. Prints a JSON line for each that failed, and
at the end (SIGTERM) one with the counts. Arguments: address, port, Host header, requests a second. Only the standard library."""
import asyncio
import json
import signal
import sys
import time

ADDRESS, PORT, HOST, RATE = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
# Longer than keepalived takes to move an address: what waits meanwhile has not failed.
PATIENCE_S = 5
KEPT = 20


class Counts:
    sent = good = failed = 0
    slowest = 0.0


async def ask(connection, keeps):
    reader, writer = connection
    writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: {'keep-alive' if keeps else 'close'}\r\n\r\n".encode())
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
    await reader.readexactly(length)
    return int(head.split()[1]), "connection: close" in head


async def visit(pool):
    Counts.sent += 1
    began = time.time()
    # A kept connection that HAProxy has closed since, because it was idle, is not used again.
    while pool and pool[-1][0].at_eof():
        pool.pop()[1].close()
    was_kept, connection, phase = bool(pool), None, "connecting"
    try:
        async with asyncio.timeout(PATIENCE_S):
            connection = pool.pop() if was_kept else await asyncio.open_connection(ADDRESS, PORT)
            phase = "waiting for the answer"
            status, is_over = await ask(connection, pool is not None)
        if status != 200:
            raise ConnectionError(f"status {status}")
        Counts.good += 1
        Counts.slowest = max(Counts.slowest, time.time() - began)
        if pool is not None and not is_over and len(pool) < KEPT:
            pool.append(connection)
            connection = None
    except (OSError, EOFError, ValueError, asyncio.IncompleteReadError) as error:
        Counts.failed += 1
        why = str(error) if str(error).startswith("status") else type(error).__name__
        print(json.dumps({"at": began, "why": why, "phase": phase, "kept": was_kept}), flush=True)
    finally:
        if connection:
            connection[1].close()


async def main():
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    pool, tasks, began, n = [], set(), time.monotonic(), 0
    while not end.is_set():
        task = asyncio.create_task(visit(pool if n % 2 else None))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        n += 1
        await asyncio.sleep(max(0, began + n / RATE - time.monotonic()))
    if tasks:
        await asyncio.wait(tasks, timeout=PATIENCE_S + 1)
    print(json.dumps({"sent": Counts.sent, "good": Counts.good, "failed": Counts.failed, "slowest": round(Counts.slowest, 2)}), flush=True)


asyncio.run(main())
