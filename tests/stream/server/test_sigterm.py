"""The end of a server's process while people talk: nothing breaks off without a word."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from fakes_server import RawClient
from websockets.exceptions import ConnectionClosed

TESTS = Path(__file__).parents[2]
SERVER = """
from fakes_server import Scripted, make_context
from selftalk.stream.server.serve import run_loop, serve_context
responder = Scripted(words=30, delta_seconds=0.02)
context = make_context(responder, api_v2_port=0, wyoming_port=0, drain_seconds={drain})
run_loop(serve_context(context, lambda line: print(line, flush=True)))
"""
CLIENTS = 6


def started(drain_seconds):
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    program = SERVER.format(drain=drain_seconds)
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    )
    address = process.stdout.readline().split("http://")[1].split()[0]
    return process, f"ws://{address}"


def ends_of(drain_seconds):
    """How each client's reply and connection ended, and the exit code of the server."""
    process, url = started(drain_seconds)
    found = []
    try:
        with ExitStack() as stack:
            clients = [stack.enter_context(RawClient(url)) for _ in range(CLIENTS)]
            for client in clients:
                client.send("response.create")
            for client in clients:
                client.until("response.output_audio.delta", timeout=30)
            process.send_signal(signal.SIGTERM)
            for client in clients:
                with pytest.raises(ConnectionClosed) as closed:
                    client.until("no such event", timeout=30)
                done = [event for event in client.seen if event["type"] == "response.done"]
                found.append(([event["response"]["status"] for event in done], closed.value.rcvd))
        return found, process.wait(30)
    finally:
        process.kill()
        process.stdout.close()


def test_replies_under_way_come_to_their_end():
    ends, exit_code = ends_of(drain_seconds=20.0)
    assert [(statuses, close.code) for statuses, close in ends] == [(["completed"], 1012)] * CLIENTS
    assert exit_code == 0


def test_replies_that_take_too_long_are_told_to_come_back():
    ends, exit_code = ends_of(drain_seconds=0.01)
    assert [close.code for _, close in ends] == [1012] * CLIENTS
    assert exit_code == 0
