"""How long a reply takes: the median waterfall of a few turns in file mode.

    python benchmarks/turn_latency.py [--turns 5] [--responder mirror embedded] [--save FILE]

A recorded question is asked in real time, again and again in one conversation, as at a
microphone; the time runs from the last sound of the question to the first sample of the reply.
The first turn is shown but not counted. Prints a table or, with --json, one JSON object.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from importlib import resources
from pathlib import Path

from selftalk.stream.config import load_config
from selftalk.stream.machine import describe
from selftalk.stream.selves import load_self
from selftalk.stream.sound.clock import SampleClock
from selftalk.stream.sound.files import FileMicrophone, FileSpeaker
from selftalk.stream.stopwatch import TurnReport
from selftalk.stream.talk import load_cast, open_session

FIGURE = "voice to voice"
QUESTION = resources.files("selftalk.configs") / "recordings" / "go_somewhere.flac"


async def hold(responder: str, turns: int) -> list[TurnReport]:
    """Ask the question `turns` + 1 times in real time; return the reports of all turns."""
    config = load_config("default", [f'responder.engine="{responder}"'])
    clock = SampleClock()
    microphone = FileMicrophone([str(QUESTION)] * (turns + 1), clock)
    cast = await load_cast(config, load_self("friend"))
    reports: list[TurnReport] = []
    with tempfile.TemporaryDirectory() as folder:
        speaker = FileSpeaker(Path(folder) / "reply.wav", clock, cast.synthesizer.sample_rate_hz)
        session = open_session(cast, config, microphone, speaker)

        def note(notice: object) -> None:
            if isinstance(notice, TurnReport):
                reports.append(notice)
                microphone.cue()

        session.subscribe(note)
        try:
            await session.run()
        finally:
            await cast.responder.responder.close()
            speaker.close()
    return reports


def medians(reports: list[TurnReport]) -> dict[str, float]:
    """Median milliseconds of each stage, and of the whole."""
    rows = [report.metrics.stages_ms() for report in reports]
    names = dict.fromkeys(name for row in rows for name in row)
    stages = {name: statistics.median(row.get(name, 0.0) for row in rows) for name in names}
    whole = [report.metrics.voice_to_voice_ms for report in reports]
    heard = [ms for ms in whole if ms is not None]
    return stages | {"voice_to_voice": statistics.median(heard) if heard else float("nan")}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--responder", nargs="+", default=["mirror", "embedded"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--save", type=Path, help="for plot.py")
    options = parser.parse_args()
    results = {}
    for responder in options.responder:
        reports = asyncio.run(hold(responder, options.turns))
        results[responder] = medians(reports[1:])
        if not options.json:
            for report in reports:
                print(f"{responder:9} {report.metrics.waterfall()}")
    told = {"figure": FIGURE, "machine": describe(), "turns": options.turns, "medians_ms": results}
    if options.save:
        options.save.write_text(json.dumps(told, indent=1) + "\n")
    if options.json:
        print(json.dumps(told))
        return
    print(f"\nmedian milliseconds over {options.turns} turns")
    names = dict.fromkeys(name for row in results.values() for name in row)
    print(f"{'':22}" + "".join(f"{responder:>10}" for responder in results))
    for name in names:
        values = "".join(f"{row.get(name, 0.0):10.0f}" for row in results.values())
        print(f"{name:22}{values}")


if __name__ == "__main__":
    main()
