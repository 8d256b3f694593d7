"""Memory: the most that is held, and how much it grows over many sentences.

    python benchmarks/memory.py [--bundle FOLDER] [--sentences 500]

Growth is counted from the 50th sentence on: before, pools and caches fill. Progress is told on the
way, because 500 sentences take minutes.
"""

import sys

from harness import open_voice, parser, peak_mb, publish, resident_mb, texts

SETTLED_AFTER = 50
LOOKED_EVERY = 50


def main() -> None:
    """Measure and print."""
    options = parser(__doc__, sentences=500).parse_args()
    empty = resident_mb()
    synthesizer, voice = open_voice(options)
    loaded, held = resident_mb(), dict[int, float]()
    for count, text in enumerate(texts(synthesizer.bundle, options.sentences), start=1):
        for _ in synthesizer.stream(text, voice):
            pass
        if count % LOOKED_EVERY == 0:
            held[count] = round(resident_mb(), 1)
            print(f"{count} sentences: {held[count]} MB", file=sys.stderr)
    settled = held.get(SETTLED_AFTER)
    publish(
        options,
        "memory",
        f"MB resident; growth from sentence {SETTLED_AFTER} to {options.sentences}",
        {
            "bundle": synthesizer.bundle.manifest.name,
            "before_loading_mb": round(empty, 1),
            "loaded_mb": round(loaded, 1),
            "held_mb": held,
            "growth_mb": None if settled is None else round(resident_mb() - settled, 2),
            "peak_mb": round(peak_mb(), 1),
        },
    )


if __name__ == "__main__":
    main()
