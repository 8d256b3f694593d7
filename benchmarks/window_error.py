"""Window error: how far streamed speech is from the same tokens and noise made at once.

    python benchmarks/window_error.py [--bundle FOLDER] [--sentences 10]

The same as `selftalk verify`, over more sentences, and for each way of cutting by itself.
"""

import dataclasses

from harness import open_voice, parser, publish, texts

from selftalk.stream.synthesis.verification import CUTS, verify_streaming


def main() -> None:
    """Measure and print."""
    options = parser(__doc__, sentences=10).parse_args()
    synthesizer, voice = open_voice(options)
    lines = texts(synthesizer.bundle, options.sentences)
    values = {}
    for cut in CUTS:
        found = verify_streaming(synthesizer, voice, lines, [cut])
        values["chunks of " + ", ".join(map(str, cut))] = dataclasses.asdict(found)
    publish(options, "window error", "streamed against whole, the same tokens and noise", values)


if __name__ == "__main__":
    main()
