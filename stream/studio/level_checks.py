"""What the levels of a take tell: clipping, loudness, noise floor, how high its sound reaches.

Each check measures one figure and gives one Finding. Knows nothing about rooms or speakers.
"""

import numpy as np
import numpy.typing as npt

from selftalk.stream.studio.report import Finding, Verdict
from selftalk.stream.studio.take import SAMPLE_RATE_HZ, Take

FRAME_SAMPLES = SAMPLE_RATE_HZ // 50

FLAT_TOP = 0.99
"""Of the peak: where a clipped wave has its plateaus, and a clean one hardly ever is."""
SHORTEST_PLATEAU_SECONDS = 1e-4
CLIPPED_PER_SECOND: tuple[float, float] = (0.5, 3.0)
"""Plateaus for each second of speech: from the first on it is heard, from the second it hurts."""
LEAST_PLATEAUS = 4
QUIET_DBFS: tuple[float, float] = (-42.0, -55.0)
NOISY_DB: tuple[float, float] = (22.0, 14.0)
DULL_HZ: tuple[float, float] = (6300.0, 3000.0)
AUDIBLE_DB = -62.0
"""Below the strongest band: what is weaker is not there."""
BAND_HZ = 250.0
ABOVE_NOISE_DB = 5.0
DROWNED = 1.3
"""How much higher than the voice the sound reaches where noise covers the rest of the voice."""
QUIETER = "Switch off fans and machines, close the window, come closer to the microphone."

Float64Array = npt.NDArray[np.float64]


def check_clipping(take: Take) -> Finding:
    """Are the tops of the waves cut off?"""
    runs = _plateaus(take)
    rate = runs / max(take.speech_seconds, 1.0) if runs >= LEAST_PLATEAUS else 0.0
    verdict = rising(rate, CLIPPED_PER_SECOND)
    if verdict == "good":
        return Finding("clipping", verdict, rate, "per second", "The recording is not clipped.")
    return Finding(
        "clipping",
        verdict,
        rate,
        "per second",
        f"The loudest sounds are cut off, {rate:.1f} times in a second.",
        "Turn the microphone's gain down, or move away from it, and record again.",
    )


def check_loudness(take: Take) -> Finding:
    """Is the speech loud enough?"""
    level = take.speech_dbfs
    verdict = falling(level, QUIET_DBFS)
    if verdict == "good":
        sentence, advice = f"The speech is loud enough ({level:.0f} dBFS).", ""
    else:
        sentence = f"The speech is too quiet ({level:.0f} dBFS)."
        advice = "Turn the microphone's gain up, or come closer: a hand's breadth away is best."
    return Finding("loudness", verdict, level, "dBFS", sentence, advice)


def check_noise(take: Take) -> Finding:
    """How far is the speech above what is heard in the pauses?"""
    ratio = take.speech_dbfs - noise_dbfs(take)
    verdict = falling(ratio, NOISY_DB)
    if verdict == "good":
        sentence, advice = f"The room is quiet ({ratio:.0f} dB below the speech).", ""
    else:
        sentence = f"There is noise only {ratio:.0f} dB below the speech."
        advice = QUIETER
    return Finding("noise", verdict, ratio, "dB", sentence, advice)


def check_bandwidth(take: Take) -> Finding:
    """Up to which frequency is there speech?"""
    highest, audible = reach_hz(take)
    verdict = falling(highest, DULL_HZ)
    reach = f"{highest / 1000:.1f} kHz"
    if verdict == "good":
        sentence, advice = f"The sound reaches up to {reach}.", ""
    elif audible > DROWNED * highest:
        sentence, advice = f"Above {reach} the voice is lost in noise.", QUIETER
    else:
        sentence = f"There is no sound above {reach}, as on a telephone."
        advice = (
            "Record with the device's own recorder instead of a call or a headset over Bluetooth."
        )
    return Finding("bandwidth", verdict, highest, "Hz", sentence, advice)


def noise_dbfs(take: Take) -> float:
    """Level of the pauses, or where there are none, of the quietest moments."""
    samples, is_speech = take.at_16_khz, take.is_speech
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    if not whole:
        return -120.0
    frames = samples[:whole].reshape(-1, FRAME_SAMPLES)
    level = 10 * np.log10(np.square(frames, dtype=np.float64).mean(axis=1) + 1e-12)
    pause = ~is_speech[:whole].reshape(-1, FRAME_SAMPLES).any(axis=1)
    if pause.sum() >= 10:
        return float(np.median(level[pause]))
    return float(np.quantile(level, 0.05))


def reach_hz(take: Take) -> tuple[float, float]:
    """The highest frequency at which speech is louder than the pauses, and at which it is heard."""
    rate = take.audio.sample_rate_hz
    size = 2 * round(rate / BAND_HZ)
    speech: list[int] = []
    pauses: list[int] = []
    mask = np.zeros(len(take.audio), bool)
    for start, end in take.regions:
        mask[start:end] = True
    for start in range(0, len(take.audio) - size, size):
        inside = mask[start : start + size]
        (speech if inside.all() else pauses if not inside.any() else []).append(start)
    if not speech:
        return 0.0, 0.0
    loud = _spectrum_db(take, speech, size)
    quiet = _spectrum_db(take, pauses, size) if pauses else np.full_like(loud, -200.0)
    audible = loud > loud.max() + AUDIBLE_DB
    return _highest_hz(audible & (loud > quiet + ABOVE_NOISE_DB)), _highest_hz(audible)


def rising(measured: float, limits: tuple[float, float]) -> Verdict:
    """The verdict on a figure of which more is worse."""
    return "good" if measured < limits[0] else "usable" if measured < limits[1] else "bad"


def falling(measured: float, limits: tuple[float, float]) -> Verdict:
    """The verdict on a figure of which less is worse."""
    return rising(-measured, (-limits[0], -limits[1]))


def _highest_hz(bands: npt.NDArray[np.bool_]) -> float:
    """The upper edge of the last band that is there."""
    places = np.flatnonzero(bands)
    return float(places[-1] + 1) * BAND_HZ if len(places) else 0.0


def _plateaus(take: Take) -> int:
    """How many waves stand still near the peak of their side, as clipped ones do."""
    samples = take.audio.samples
    shortest = max(3, round(SHORTEST_PLATEAU_SECONDS * take.audio.sample_rate_hz))
    count = 0
    for side in (samples, -samples):
        peak = float(side.max(initial=0.0))
        if peak <= 0:
            continue
        flat = np.concatenate([[False], side >= FLAT_TOP * peak, [False]])
        edges = np.flatnonzero(flat[1:] != flat[:-1])
        count += int(np.sum(edges[1::2] - edges[::2] >= shortest))
    return count


def _spectrum_db(take: Take, starts: list[int], size: int) -> Float64Array:
    """Mean power of frames in bands of BAND_HZ, in dB: (bands,)."""
    window = np.hanning(size)
    total = np.zeros(size // 2)
    for start in starts:
        frame = take.audio.samples[start : start + size] * window
        total += np.square(np.abs(np.fft.rfft(frame)))[: size // 2]
    bands = total[: len(total) // 2 * 2].reshape(-1, 2).mean(axis=1) / len(starts)
    return np.asarray(10 * np.log10(bands + 1e-12))
