"""SovitsVocoder: tokens of a sentence → sound, window by window.

The text is encoded once. With each chunk all tokens so far are encoded again, because they see each
other; then a window of frames becomes sound, with frames to both sides that are thrown away. Noise
is drawn once for each frame of the sentence, so windows agree where they overlap; where a new
window sees more of the future than the one before it, the two are blended over one frame.

Knows nothing about text or sampling.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selftalk.stream.errors import BundleError
from selftalk.stream.graphs.graph import ON_ONE_CORE, Graph, RunOptions
from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.synthesis.bundle import Bundle

Int64Array = npt.NDArray[np.int64]

NO_TOKENS = np.zeros(0, np.int64)
USEFUL_LOOKAHEAD_TOKENS = 25
"""A second: more gains hardly anything, and costs shorter windows and more that a barge-in throws
away."""


@dataclass(frozen=True, slots=True)
class WindowSizes:
    """How windows are cut, in frames."""

    left: int
    right: int
    hop_samples: int
    frames_per_token: int


class SovitsVocoder:
    """Makes streams; safe to share between threads."""

    def __init__(self, bundle: Bundle, run: RunOptions = ON_ONE_CORE) -> None:
        """Open the graphs.

        Raises:
            BundleError: they were made for an older runtime.
        """
        self._text = Graph(bundle.graph_path("text_encoder"), run)
        self._content = Graph(bundle.graph_path("content_encoder"), run)
        self._decoder = Graph(bundle.graph_path("decoder"), run)
        refuse_older(bundle, "kept" not in self._decoder.inputs)
        numbers = bundle.manifest.numbers
        self._latent = int(numbers["latent"])
        self._noise_scale = numbers["noise_scale"]
        self.sizes = WindowSizes(
            left=int(numbers["left_margin_frames"]),
            right=int(numbers["right_margin_frames"]),
            hop_samples=int(numbers["hop_samples"]),
            frames_per_token=int(numbers["frames_per_token"]),
        )
        self.lookahead_tokens = -(-self.sizes.right // self.sizes.frames_per_token)
        """So many tokens after a window must be known."""

    def stream(
        self,
        phones: Int64Array,
        style: Float32Array,
        *,
        seed: int = 0,
        speed: float = 1.0,
        sizes: WindowSizes | None = None,
    ) -> "SentenceVocoder":
        """Begin a sentence.

        Args:
            phones: (N,) of the sentence alone, without those of the prompt.
            style: (G,) of the voice.
            seed: of the noise.
            speed: 2 is twice as fast.
            sizes: of the windows; by default those of the bundle.
        """
        text = self._text.run(phones=phones[None])
        noise = Noise(self._latent, self._noise_scale, seed)
        encoder = SentenceEncoder(self._content, text["keys"], text["values"], style, speed)
        return SentenceVocoder(encoder, self._decoder, noise, sizes or self.sizes)


def refuse_older(bundle: Bundle, older: bool) -> None:
    """Ask for another export of a bundle whose graphs were made for an older runtime.

    Raises:
        BundleError: it is older.
    """
    if older:
        name = bundle.manifest.name
        raise BundleError(
            f"voice model '{name}' was exported by an older version;"
            f" export it again: selftalk export {name}"
        )


class SentenceEncoder:
    """Tokens so far → frames, stretched in time."""

    def __init__(
        self,
        graph: Graph,
        keys: Float32Array,
        values: Float32Array,
        style: Float32Array,
        speed: float,
    ) -> None:
        self.style = style
        self.speed = speed
        self.alignment: Float32Array = np.zeros((0, keys.shape[3]), np.float32)
        """(T, N): how much each frame, unstretched, looks at each phone."""
        self._graph = graph
        self._text = {"keys": keys, "values": values}
        self._tokens = NO_TOKENS

    def push(self, tokens: Int64Array) -> Float32Array:
        """Add tokens; return the frames (T, D) of all."""
        self._tokens = np.concatenate([self._tokens, tokens])
        made = self._graph.run(tokens=self._tokens[None], style=self.style[None], **self._text)
        self.alignment = made["alignment"][0]
        return at_speed(made["frames"][0], self.speed)


class SentenceVocoder:
    """One sentence; `push` gives what has enough future to be right, `flush` the rest."""

    def __init__(
        self, encoder: SentenceEncoder, decoder: Graph, noise: "Noise", sizes: WindowSizes
    ) -> None:
        self._encoder = encoder
        self._decoder = decoder
        self._noise = noise
        self._sizes = sizes
        self._frames = np.zeros((0, 1), np.float32)
        self._spoken = 0  # frames
        self._beyond = np.zeros(0, np.float32)  # what the last window said after them

    @property
    def spoken_samples(self) -> int:
        """How much was given out."""
        return self._spoken * self._sizes.hop_samples

    @property
    def alignment(self) -> Float32Array:
        """(T, N): how much each frame before any stretching looks at each phone."""
        return self._encoder.alignment

    def push(self, tokens: Int64Array, until: int | None = None) -> Float32Array:
        """Add tokens (T,), and speak as far as they allow.

        Args:
            tokens: that come next.
            until: how many tokens of the sentence are spoken then at most.
        """
        self._hear(tokens)
        return self._speak(min(self._frames_of(until), len(self._frames) - self._sizes.right))

    def flush(self, tokens: Int64Array = NO_TOKENS, until: int | None = None) -> Float32Array:
        """The same, these tokens being the last: all can be spoken."""
        self._hear(tokens)
        return self._speak(self._frames_of(until))

    def _hear(self, tokens: Int64Array) -> None:
        if len(tokens):
            self._frames = self._encoder.push(tokens)

    def _frames_of(self, tokens: int | None) -> int:
        """Of so many tokens, or of all that are known."""
        if tokens is None:
            return len(self._frames)
        stretched = int(tokens * self._sizes.frames_per_token / self._encoder.speed)
        return min(stretched, len(self._frames))

    def _speak(self, until: int) -> Float32Array:
        """Give out the frames up to `until`."""
        if until <= self._spoken:
            return np.zeros(0, np.float32)
        sizes, hop = self._sizes, self._sizes.hop_samples
        start = max(0, self._spoken - sizes.left)
        end = min(len(self._frames), until + sizes.right)
        kept = np.array([self._spoken, min(until + 1, end)], np.int64)  # one to blend with
        window = self._decoder.run(
            frames=np.ascontiguousarray(self._frames[None, start:end]),
            noise=self._noise.between(start, end)[None],
            style=self._encoder.style[None],
            kept=kept - start,
        )["samples"][0]
        samples = (until - self._spoken) * hop
        said = blended(self._beyond, window[:samples])
        self._beyond = window[samples:]
        self._spoken = until
        return said


class Noise:
    """Normal noise by absolute frame: the same seed gives the same, in whatever pieces."""

    def __init__(self, channels: int, scale: float, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._scale = scale
        self._drawn = np.zeros((0, channels), np.float32)

    def between(self, start: int, end: int) -> Float32Array:
        """Frames start … end: (C, T)."""
        missing = end - len(self._drawn)
        if missing > 0:
            more = self._random.standard_normal((missing, self._drawn.shape[1]), np.float32)
            self._drawn = np.concatenate([self._drawn, self._scale * more], dtype=np.float32)
        return np.ascontiguousarray(self._drawn[start:end].T)


def at_speed(frames: Float32Array, speed: float) -> Float32Array:
    """Stretch frames (T, D) in time; a frame's place does not depend on how many follow."""
    if speed == 1:
        return frames
    places = (np.arange(int(len(frames) / speed)) + 0.5) * speed - 0.5
    places = places.clip(0, len(frames) - 1)
    before = places.astype(np.int64)
    after = np.minimum(before + 1, len(frames) - 1)
    share = (places - before).astype(np.float32)[:, None]
    return np.asarray(frames[before] * (1 - share) + frames[after] * share, np.float32)


def blended(old: Float32Array, new: Float32Array) -> Float32Array:
    """Go over from what was said before to `new` (T,) within the length of `old`."""
    length = min(len(old), len(new))
    share = (np.arange(length, dtype=np.float32) + 0.5) / max(length, 1)
    return np.concatenate([old[:length] * (1 - share) + new[:length] * share, new[length:]])
