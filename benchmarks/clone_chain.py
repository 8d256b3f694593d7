"""From a minute of speech to a voice: record, enroll, clone, say, detect, each a real command.

    python benchmarks/clone_chain.py ROOT --work WORK [--reader Allison]
        [--language en] [--kill]

ROOT holds the unpacked packages that human_speech.py names. The minute goes through the commands as
a person would give them, in folders of their own below WORK, and of each is told: seconds of the
clock and of the processor, and peak memory, which is at least that of this script. With --kill the
voice is then learnt once more, killed (SIGKILL) after the first checkpoint of its sound and of its
rhythm, and the files that it leaves in the end are compared with those that were learnt without,
byte by byte.

Nobody recorded our sentence of consent, so a receipt is signed here, in the folders of the
benchmark; consent.py measures how the sentence is checked.
"""

import argparse
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clone import parted
from human_speech import paths_of

from selftalk.stream.home import cache_folder, data_folder
from selftalk.stream.machine import describe
from selftalk.stream.sound.audio import write_wav
from selftalk.stream.studio.recording import load_recording
from selftalk.stream.synthesis.bundle import default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.trust.receipts import Receipt, packed, write_receipt

NAME = "reader"
RATE_HZ = 16_000
TEXT = "It is evening, and I am reading to you what I wrote this morning."
LOOK_SECONDS = 0.5
HEADER = "| command | exit | s | processor s | peak MiB |\n|---|---|---|---|---|"


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    command: str
    exit_code: int
    wall_seconds: float
    processor_seconds: float
    peak_mib: float
    printed: str


def main() -> None:
    """Print a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--reader", default="Allison", help="how the reader's name begins")
    parser.add_argument("--language", default="en", help="of the reader")
    parser.add_argument("--kill", action="store_true", help="also kill it, and compare")
    options = parser.parse_args()
    paths = {n: p for n, p in paths_of(options.root).items() if n.startswith(options.reader)}
    name, files = next(iter(paths.items()))
    settle(options.work)
    folder = write_minute(name, files, options.work / "minute")
    print(f"{name}; {describe()}\n\n{HEADER}")
    done = [told(run("record", NAME, str(folder), "--language", options.language))]
    agree()
    done.append(told(run("enroll", NAME, "--json")))
    done.append(told(run("clone", NAME, "--json")))
    output = options.work / "said.wav"
    done.append(told(run("say", TEXT, "--voice", NAME, "-o", str(output))))
    done.append(told(run("detect", str(output))))
    wall, busy = (sum(getattr(d, of) for d in done) for of in ("wall_seconds", "processor_seconds"))
    print(f"\n{wall:.0f} s, {busy:.0f} s of the processor, {max(d.peak_mib for d in done):.0f} MiB")
    print(*(each.printed for each in done), sep="\n", flush=True)
    if options.kill:
        print(compare_killed())


def settle(work: Path) -> None:
    """Let every command and this script keep its files below `work`; weights are only linked."""
    weights = cache_folder() / "weights"
    for variable, place in (("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache")):
        shutil.rmtree(work / place, ignore_errors=True)
        os.environ[variable] = str((work / place).absolute())
    os.environ.pop("SELFTALK_HOME", None)
    cache_folder().mkdir(parents=True)
    (cache_folder() / "weights").symlink_to(weights, target_is_directory=True)


def write_minute(name: str, files: Sequence[Path], folder: Path) -> Path:
    """The clips of a minute as files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for index, clip in enumerate(parted(name, files).minute):
        write_wav(folder / f"{index:02d}.wav", clip)
    return folder


def agree() -> None:
    """Sign in place of the reader, who cannot be asked."""
    speaker = SpeakerEncoder(default_bundle().graph_path("speaker"))
    now = datetime.now(UTC)
    write_receipt(
        Receipt(
            id=secrets.token_hex(16), voice=NAME, person="a reader", purpose="a benchmark",
            scope=("speech", "fine-tuning"), language="en", issued_at=now,
            expires_at=now + timedelta(days=1), statement_sha256="0" * 64, transcript="",
            clips_sha256=(), similarity=1.0,
            speaker=packed(speaker.embed(load_recording(NAME).joined(RATE_HZ))),
        )
    )  # fmt: skip


def run(*arguments: str, kill_at: str = "") -> Done:
    """Run a command of selftalk to its end, or until there is such a file among the caches."""
    began = time.monotonic()
    order = [sys.executable, "-m", "selftalk.stream", *arguments]
    process = subprocess.Popen(order, stdout=subprocess.PIPE, text=True)
    if kill_at:
        # A stage that this reader does not need is never begun; how it ended is asked for below.
        seen = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while not (any(cache_folder().glob(kill_at)) or os.waitid(os.P_PID, process.pid, seen)):
            time.sleep(LOOK_SECONDS)
        os.kill(process.pid, signal.SIGKILL)  # process.kill() would ask how it ended
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Done(
        arguments[0], process.returncode, time.monotonic() - began,
        usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, printed.strip(),
    )  # fmt: skip


def told(done: Done) -> Done:
    """Print a line, and end if the command failed."""
    figures = (f"{done.wall_seconds:.0f}", f"{done.processor_seconds:.0f}", f"{done.peak_mib:.0f}")
    print(f"| {done.command} | {done.exit_code} | {' | '.join(figures)} |", flush=True)
    if done.exit_code > 0:
        raise SystemExit(done.printed)
    return done


def compare_killed() -> str:
    """Learn the voice again, killed twice; say whether the result is the same."""
    whole = learnt_files()
    for stage in ("sound", "rhythm"):
        killed = run("clone", NAME, kill_at=f"cloning/{NAME}/*/{stage}/last.pt")
        print(f"\n{stage}: exit {killed.exit_code} after {killed.wall_seconds:.0f} s", flush=True)
    again = told(run("clone", NAME, "--json"))
    other = learnt_files()
    differ = sorted(name for name in whole | other if whole.get(name) != other.get(name))
    return f"{again.printed}\n{len(whole)} files, {len(differ)} differ: {' '.join(differ)}"


def learnt_files() -> dict[str, str]:
    """SHA-256 of the voice's files by name: the voice, its patches, figures, and page."""
    voices = data_folder() / "voices"
    files = [voices / f"{NAME}.voice", *(voices / NAME).iterdir()]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


if __name__ == "__main__":
    main()
