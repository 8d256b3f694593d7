"""Real-time factor: seconds of computing for a second of sound, one sentence at a time.

    python benchmarks/rtf.py [--bundle FOLDER] [--threads 1] [--sentences 20]

The text front end is included; silence that is added or cut off after the model is not computed.
"""

from harness import Stopwatch, open_voice, parser, publish, summary, texts


def main() -> None:
    """Measure and print."""
    options = parser(__doc__).parse_args()
    synthesizer, voice = open_voice(options)
    wall, cpu, spoken = [], [], 0.0
    for text in texts(synthesizer.bundle, options.sentences):
        watch = Stopwatch()
        chunks = synthesizer.stream(text, voice)
        seconds = sum(chunk.audio.duration_seconds for chunk in chunks)
        clock, processor = watch.read()
        wall.append(clock / seconds)
        cpu.append(processor / seconds)
        spoken += seconds
    publish(
        options,
        "real-time factor",
        "seconds of computing for a second of sound, text front end included",
        {
            "bundle": synthesizer.bundle.manifest.name,
            "threads": options.threads,
            "audio_seconds": round(spoken, 1),
            "wall": summary(wall),
            "cpu": summary(cpu),
        },
    )


if __name__ == "__main__":
    main()
