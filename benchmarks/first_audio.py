"""First audio: from a sentence's phonemes to its first chunk of sound.

    python benchmarks/first_audio.py [--bundle FOLDER] [--threads 1] [--sentences 20]

Phonemes are ready before the clock starts: prefill, the first tokens and their vocoding are
counted, on the clock and in processor time.
"""

from harness import Stopwatch, open_voice, parser, publish, summary, texts

STAGES = ("phonemes_ready", "prefill", "first_semantic_token")
"""Marks of a synthesizer; each begins a stage that lasts to the next one."""
NAMES = ("prefill", "first tokens", "first sound")


def main() -> None:
    """Measure and print."""
    options = parser(__doc__).parse_args()
    synthesizer, voice = open_voice(options)
    wall, cpu, first_ms = [], [], []
    stages: dict[str, list[float]] = {}
    watch, reached = Stopwatch(), dict[str, float]()

    def mark(name: str) -> None:
        if name == STAGES[0]:
            watch.restart()
        reached[name] = watch.read()[1]

    for text in texts(synthesizer.bundle, options.sentences):
        chunks = synthesizer.stream(text, voice, marks=mark)
        chunk = next(chunks)
        seconds, processor = watch.read()
        chunks.close()
        wall.append(1000 * seconds)
        cpu.append(1000 * processor)
        first_ms.append(chunk.audio.duration_ms)
        ends = [reached[name] for name in STAGES[1:]] + [processor]
        for name, start, end in zip(NAMES, (0.0, *ends), ends, strict=False):
            stages.setdefault(name, []).append(1000 * (end - start))
    publish(
        options,
        "first audio",
        "ms from phonemes to the first chunk of samples, one sentence at a time",
        {
            "bundle": synthesizer.bundle.manifest.name,
            "threads": options.threads,
            "wall_ms": summary(wall),
            "cpu_ms": summary(cpu),
            "cpu_ms_of_stages": {name: summary(times)["median"] for name, times in stages.items()},
            "first_chunk_ms": summary(first_ms),
        },
    )


if __name__ == "__main__":
    main()
