"""Replay: sentences in an enrolled voice by nano itself, for a model that learns that voice.

So it keeps what it knows about sounds that a minute of recording may lack. The examples are exact:
melody, tokens and waveform come from one run of the unchanged model. Knows nothing about training.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional as F

from selftalk.models.nano import FRAMES_PER_TOKEN, NanoVocoder
from selftalk.models.training.examples import Example
from selftalk.models.training.person import PERSON, text_symbols, tracked_pulses
from selftalk.models.training.postfiltered import postfiltered
from selftalk.models.training.t2s_task import TextToTokens
from selftalk.models.training.voice_task import Said
from selftalk.models.waveform import apply_filters, frame_spectra, overlap_add
from selftalk.stream.nano.alignment import TOKEN_SAMPLES, Alignment, FrameText, align, frame_text
from selftalk.stream.nano.postfilter import Postfilter
from selftalk.stream.nano.semantic import DEFAULT_SAMPLING, planned_units
from selftalk.stream.nano.vocoder import Speaker
from selftalk.stream.synthesis.sampling import Sampler


@torch.no_grad()
def replayed(
    text_to_tokens: TextToTokens,
    vocoder: NanoVocoder,
    voice: Speaker,
    lines: Sequence[tuple[str, str]],
    postfilter: Postfilter,
) -> list[Said]:
    """Say lines (text, language) in a voice."""
    text_to_tokens.eval()
    vocoder.eval()
    return [
        _speak(text_to_tokens, vocoder, voice, text, language, index, postfilter)
        for index, (text, language) in enumerate(lines)
    ]


def _speak(
    text_to_tokens: TextToTokens,
    vocoder: NanoVocoder,
    voice: Speaker,
    text: str,
    language: str,
    seed: int,
    postfilter: Postfilter,
) -> Said:
    symbols = text_symbols(text, language)
    heard = torch.from_numpy(voice.vector)[None]
    context, log_durations = text_to_tokens.encoder(
        torch.from_numpy(symbols)[None], heard, torch.ones(1, len(symbols), dtype=torch.bool)
    )
    durations = planned_units(log_durations[0].numpy())
    alignment = align(durations)
    tokens = _tokens(text_to_tokens, context[0], alignment, seed)
    spoken = frame_text(symbols, alignment, vocoder.no_symbol)
    prosody, wave, pulses = _sound(vocoder, voice, tokens, spoken, heard, postfilter)
    example = Example(
        text=text,
        language=language,
        symbols=symbols,
        durations=durations,
        alignment=alignment,
        wave=wave,
        pulses=pulses,
        prosody=prosody,
        heard_prosody=prosody.astype(np.float16),
        speaker=voice.vector,
        speaker_name=PERSON,
        pair=-1,
        first_sample=0,
    )
    return Said(example, tokens)


def _tokens(
    text_to_tokens: TextToTokens, context: torch.Tensor, alignment: Alignment, seed: int
) -> np.ndarray:
    decoder, sampler = text_to_tokens.decoder, Sampler(DEFAULT_SAMPLING, seed)
    said = np.full(alignment.tokens + 1, decoder.start, np.int64)
    place = torch.from_numpy(alignment.token_place)
    state = decoder.initial_state(1)
    for index, symbol in enumerate(alignment.token_symbol):
        logits, state = decoder(
            torch.from_numpy(said[None, index : index + 1]),
            context[None, symbol : symbol + 1],
            place[None, index : index + 1],
            state,
        )
        said[index + 1] = sampler.sample(logits[0, -1].numpy(), said[1 : index + 1])
    return said[1:]


def _sound(
    vocoder: NanoVocoder,
    voice: Speaker,
    tokens: np.ndarray,
    text: FrameText,
    speaker: torch.Tensor,
    postfilter: Postfilter,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Melody (4 T, 3), waveform and excitation (T * 960,) as the model says them."""
    ahead = -(-vocoder.lookahead_frames // FRAMES_PER_TOKEN)
    longer = F.pad(torch.from_numpy(tokens)[None], (0, ahead))
    padding = (0, 0, 0, FRAMES_PER_TOKEN * ahead)
    symbols = F.pad(torch.from_numpy(text.symbols)[None], padding, value=vocoder.no_symbol)
    place = F.pad(torch.from_numpy(text.place)[None], padding)
    predicted, filters, _ = vocoder(longer, symbols, place, speaker, vocoder.initial_state(1))
    frames = FRAMES_PER_TOKEN * len(tokens)
    prosody = predicted[0, :frames].numpy().copy()
    prosody[:, 1] = prosody[:, 1] > 0
    prosody[:, 0] *= prosody[:, 1]
    pulses = tracked_pulses(prosody, voice.mean_log_pitch, TOKEN_SAMPLES * len(tokens))
    generator = torch.Generator().manual_seed(len(tokens))
    noise = torch.randn(1, len(pulses), generator=generator)
    spectra = apply_filters(
        postfiltered(filters[:, :frames], postfilter),
        frame_spectra(torch.from_numpy(pulses)[None]),
        frame_spectra(noise),
    )
    return prosody, overlap_add(spectra)[0].numpy(), pulses
