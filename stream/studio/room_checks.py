"""What the room adds to a voice: reverberation, music, coughs, clicks.

Each check measures one figure and gives one Finding. The limits were measured on six human
readers, clean and with simulated defects. Knows nothing about levels or speakers.
"""

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.studio.level_checks import noise_dbfs, rising
from selftalk.stream.studio.report import Finding
from selftalk.stream.studio.take import SAMPLE_RATE_HZ, Take

HOP_SAMPLES = SAMPLE_RATE_HZ // 100

FALL_FRAMES = 8
"""80 ms: how long a syllable's end is watched."""
STEEPEST = 0.02
"""The share of the steepest falls that tell how fast the room lets go of a sound."""
REVERBERANT_SECONDS: tuple[float, float] = (0.40, 0.55)

TONE_WINDOW = 4096
"""256 ms: the partials of a voice never stand still for so long, those of a note do."""
TONE_HZ = (300.0, 4000.0)
PROMINENT_DB = 12.0
AROUND_BINS = 24
MUSICAL: tuple[float, float] = (1.0, 2.5)
"""Mean number of partials that stand still."""

BURST_FRAMES = 8
BURST_DB = -14.0
"""Relative to the speech."""
BURST_ABOVE_NOISE_DB = 10.0
"""What is as loud as the pauses is their noise, and no cough."""
BURSTS: tuple[float, float] = (0.5, 6.0)
"""In a minute."""
BURST_SECONDS = 30.0
"""A shorter file counts as so long: one cough in a sentence is not twelve in a minute."""
BURST_RISE_DB = 3.0
"""What only fades is the room after a word."""
CLICK_FRAMES = 16  # of 1 ms
CLICK_RATIO = 14.0
CLICK_LEVEL = 6.0
"""Relative to the mean roughness of the speech."""
CLICKS: tuple[float, float] = (6.0, 60.0)
"""In a minute."""

Float64Array = npt.NDArray[np.float64]


def check_reverberation(take: Take) -> Finding:
    """How long does the room ring?"""
    seconds = reverberation_seconds(take)
    verdict = rising(seconds, REVERBERANT_SECONDS)
    if verdict == "good":
        return Finding("reverberation", verdict, seconds, "s", "The room does not ring.")
    return Finding(
        "reverberation",
        verdict,
        seconds,
        "s",
        f"The room rings: it takes about {seconds:.1f} s to fall silent.",
        "Come closer to the microphone, in a room with curtains, carpets or a full wardrobe.",
    )


def check_music(take: Take) -> Finding:
    """Is there music behind the voice?"""
    partials = standing_partials(take.at_16_khz)
    verdict = rising(partials, MUSICAL)
    if verdict == "good":
        return Finding("music", verdict, partials, "tones", "There is no music.")
    return Finding(
        "music",
        verdict,
        partials,
        "tones",
        "There is music or a steady tone behind the voice.",
        "Record where no music plays; singing cannot be used.",
    )


def check_bursts(take: Take) -> Finding:
    """Are there coughs, laughs, knocks between the sentences?"""
    places = burst_seconds(take)
    per_minute = 60 * len(places) / max(take.seconds, BURST_SECONDS)
    verdict = rising(per_minute, BURSTS)
    if verdict == "good":
        return Finding("coughs", verdict, per_minute, "per minute", "There are no coughs.")
    where = ", ".join(f"{second:.1f}" for second in places[:6])
    return Finding(
        "coughs",
        verdict,
        per_minute,
        "per minute",
        f"Somebody coughs or knocks at {where} s.",
        "These places are left out; repeat the sentence if it was cut by them.",
    )


def check_clicks(take: Take) -> Finding:
    """Does it crackle?"""
    per_minute = 60 * len(click_seconds(take)) / max(take.seconds, 1.0)
    verdict = rising(per_minute, CLICKS)
    if verdict == "good":
        return Finding("clicks", verdict, per_minute, "per minute", "Nothing clicks.")
    return Finding(
        "clicks",
        verdict,
        per_minute,
        "per minute",
        f"It clicks about {per_minute:.0f} times in a minute.",
        "Check plug and cable, keep hands off the table, close other programs.",
    )


def reverberation_seconds(take: Take) -> float:
    """How long the sound would take to fall by 60 dB, judged by its steepest falls."""
    level = np.maximum(_level_db(take.at_16_khz), take.speech_dbfs - 35)
    if len(level) <= FALL_FRAMES:
        return 0.0
    slopes = (level[FALL_FRAMES:] - level[:-FALL_FRAMES]) / (FALL_FRAMES * 0.01)
    loud = level[:-FALL_FRAMES] > take.speech_dbfs - 12
    if loud.sum() < 50:
        return 0.0
    return float(-60 / min(-1.0, np.quantile(slopes[loud], STEEPEST)))


def standing_partials(samples: Float32Array) -> float:
    """Mean number of tones that keep their pitch for half a second."""
    padded = np.pad(samples, (0, max(0, 3 * TONE_WINDOW - len(samples))))
    hop = TONE_WINDOW // 2
    windows = np.lib.stride_tricks.sliding_window_view(padded, TONE_WINDOW)[::hop]
    found = np.stack([_partials(window) for window in windows])
    near = found.copy()
    near[:, 1:] |= found[:, :-1]
    near[:, :-1] |= found[:, 1:]
    return float((found[2:] & near[1:-1] & near[:-2]).sum(axis=1).mean())


def burst_seconds(take: Take) -> list[float]:
    """When something loud that is no speech is heard."""
    level = _level_db(take.at_16_khz)
    speech = take.is_speech[: len(level) * HOP_SAMPLES : HOP_SAMPLES]
    least = max(take.speech_dbfs + BURST_DB, noise_dbfs(take) + BURST_ABOVE_NOISE_DB)
    loud = (level > least) & ~speech
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(np.int8), [0]])))
    return [
        float(start) / 100
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if end - start >= BURST_FRAMES and level[start:end].max() > level[start] + BURST_RISE_DB
    ]


def click_seconds(take: Take) -> list[float]:
    """When a sound of a millisecond or two stands out of its surroundings."""
    size = SAMPLE_RATE_HZ // 1000
    rough = np.abs(np.diff(take.at_16_khz, 2))
    frames = rough[: len(rough) // size * size].reshape(-1, size).max(axis=1)
    if len(frames) <= 2 * CLICK_FRAMES:
        return []
    padded = np.pad(frames, CLICK_FRAMES, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * CLICK_FRAMES + 1)
    usual = np.quantile(around, 0.8, axis=1)
    mean = float(frames.mean()) or 1.0
    high = (frames > CLICK_RATIO * usual) & (frames > CLICK_LEVEL * mean)
    starts = np.flatnonzero(high & ~np.concatenate([[False], high[:-1]]))
    return [float(start) / 1000 for start in starts]


def _partials(window: Float32Array) -> npt.NDArray[np.bool_]:
    """Where the spectrum of a window has narrow peaks: (bins,)."""
    spectrum = np.fft.rfft(window * np.hanning(TONE_WINDOW))
    level = 10 * np.log10(np.square(np.abs(spectrum)) + 1e-9)
    sums = np.cumsum(np.pad(level, (AROUND_BINS + 1, AROUND_BINS), mode="edge"))
    width = 2 * AROUND_BINS + 1
    usual = (sums[width:] - sums[:-width]) / width
    peak = np.zeros(len(level), bool)
    peak[1:-1] = (level[1:-1] > level[:-2]) & (level[1:-1] >= level[2:])
    low, high = (round(hz * TONE_WINDOW / SAMPLE_RATE_HZ) for hz in TONE_HZ)
    return np.asarray((peak & (level > usual + PROMINENT_DB))[low:high])


def _level_db(samples: Float32Array) -> Float64Array:
    """Level every 10 ms over 30 ms, in dBFS."""
    whole = len(samples) // HOP_SAMPLES * HOP_SAMPLES
    power = np.square(samples[:whole].reshape(-1, HOP_SAMPLES), dtype=np.float64).mean(axis=1)
    smooth = np.convolve(power, np.ones(3) / 3, mode="same") if len(power) else power
    return np.asarray(10 * np.log10(smooth + 1e-12))
