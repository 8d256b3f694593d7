"""First audio: from a sentence's phonemes to its first chunk of sound.

    python benchmarks/first_audio.py [--bundle FOLDER] [--threads 1] [--sentences 20]

Phonemes are ready before the clock starts: prefill, the first tokens and their vocoding are
counted, on the clock and in processor time.
"""

from harness import Stopwatch, open_voice, parser, publish, summary, texts


def main() -> None:
    """Measure and print."""
    options = parser(__doc__).parse_args()
    synthesizer, voice = open_voice(options)
    wall, cpu, first_ms = [], [], []
    watch = Stopwatch()

    def mark(name: str) -> None:
        if name == "phonemes_ready":
            watch.restart()

    for text in texts(synthesizer.bundle, options.sentences):
        chunks = synthesizer.stream(text, voice, marks=mark)
        chunk = next(chunks)
        seconds, processor = watch.read()
        wall.append(1000 * seconds)
        cpu.append(1000 * processor)
        first_ms.append(chunk.audio.duration_ms)
        chunks.close()
    publish(
        options,
        "first audio",
        "ms from phonemes to the first chunk of samples, one sentence at a time",
        {
            "bundle": synthesizer.bundle.manifest.name,
            "threads": options.threads,
            "wall_ms": summary(wall),
            "cpu_ms": summary(cpu),
            "first_chunk_ms": summary(first_ms),
        },
    )


if __name__ == "__main__":
    main()
