"""Recordings of people from Debian packages, to measure with; never learned from, never shipped.

    apt-get download asterisk-core-sounds-{en,es,fr,it,ru}-g722 asterisk-prompt-{es-co,fr-armelle} \
        asterisk-prompt-it-menardi-wav
    for package in *.deb; do dpkg-deb -x "$package" root; done

Eight readers under CC-BY-SA-3.0, CC-BY-3.0, BSD and GPL-2. PyAV reads G.722 (`pip install av`).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from selftalk.stream.sound.audio import AudioChunk

SHORTEST_SECONDS = 2.0
SOUNDS = "usr/share/asterisk/sounds"
READERS = {
    "Allison (en)": "en_US_f_Allison/*.g722",
    "Allison (es)": "es_MX_f_Allison/*.g722",
    "June (fr)": "fr_CA_f_June/*.g722",
    "Carlo (it)": "it_IT_m_Carlo/*.g722",
    "Maxim (ru)": "ru_RU_f_IvrvoiceRU/*.g722",
    "Paola (it, 8 kHz)": "it_IT_f_Menardi/*.wav",
    "Armelle (fr, 8 kHz)": "fr/*.gsm",
    "es-co (es, 8 kHz)": "es/*.gsm",
}


def paths_of(root: Path) -> dict[str, list[Path]]:
    """The files of each reader that is there, in order."""
    found = {name: sorted((root / SOUNDS).glob(pattern)) for name, pattern in READERS.items()}
    if not any(found.values()):
        raise SystemExit(f"'{root}' holds no recordings of the readers that human_speech.py lists")
    return {name: paths for name, paths in found.items() if paths}


def read(path: Path) -> AudioChunk:
    """One recording, whatever telephones call their formats."""
    if path.suffix == ".g722":
        return _read_g722(path)
    if path.suffix == ".gsm":
        raw = {"samplerate": 8000, "channels": 1, "format": "RAW", "subtype": "GSM610"}
        samples, rate = soundfile.read(path, dtype="float32", **raw)
    else:
        samples, rate = soundfile.read(path, dtype="float32")
    return AudioChunk(samples, rate)


def _read_g722(path: Path) -> AudioChunk:
    try:
        import av
    except ModuleNotFoundError as error:
        raise SystemExit("recordings in G.722 are read with PyAV: pip install av") from error
    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
    samples = np.concatenate(frames or [np.zeros(0, np.int16)])
    return AudioChunk((samples / 32768).astype(np.float32), 16_000)


def clips(paths: list[Path]) -> Iterator[AudioChunk]:
    """Those recordings that hold at least a few words."""
    for path in paths:
        chunk = read(path)
        if chunk.duration_seconds >= SHORTEST_SECONDS:
            yield chunk
