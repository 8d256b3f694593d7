"""Load time: from an empty process to a synthesizer that has spoken a word.

    python benchmarks/load_time.py [--bundle FOLDER] [--repetitions 5]

Each repetition is a process of its own. The first may have to prepare optimised graphs; the others
find them.
"""

import json
import subprocess
import sys

from harness import Stopwatch, open_voice, parser, publish, summary


def main() -> None:
    """Measure and print."""
    made = parser(__doc__)
    made.add_argument("--repetitions", type=int, default=5)
    made.add_argument("--once", action="store_true", help="in this process; used by itself")
    options = made.parse_args()
    if options.once:
        watch = Stopwatch()
        open_voice(options)
        print(json.dumps(watch.read()))
        return
    repeated = [sys.executable, *sys.argv, "--once"]
    times = [
        json.loads(subprocess.run(repeated, check=True, capture_output=True, text=True).stdout)
        for _ in range(options.repetitions)
    ]
    publish(
        options,
        "load time",
        "seconds from a loaded interpreter to a synthesizer that is warm",
        {
            "first_wall_s": round(times[0][0], 3),
            "wall_s": summary([wall for wall, _ in times[1:]]),
            "cpu_s": summary([cpu for _, cpu in times[1:]]),
        },
    )


if __name__ == "__main__":
    main()
