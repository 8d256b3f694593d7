"""gsv-tts-lite: torch, chunks of 25 tokens, the first of them at once, as its defaults are."""

import logging
from collections.abc import Iterator
from pathlib import Path

import torch
import workload

workload.leave_out(
    "torchaudio", "av", "sounddevice", "jieba", "jieba_fast", "nltk", "pypinyin", "pyopenjtalk",
    "pysbd", "py3langid", "wordsegment", "inflect", "num2words",
)  # fmt: skip

from gsv_tts.Config import Config  # noqa: E402
from gsv_tts.Loader import get_gpt_weights, get_sovits_weights  # noqa: E402
from gsv_tts.TTS import TTS  # noqa: E402

CHUNK_TOKENS, OVERLAP_FRAMES = 25, 5


class Joiner:
    """What the package's joining of chunks wants to know."""

    samplerate = workload.SAMPLE_RATE_HZ

    def __init__(self, config: Config) -> None:
        self.tts_config = config


def load(folder: Path, threads: int) -> workload.Speak:
    """Both stages on the processor."""
    logging.disable(logging.INFO)
    torch.set_num_threads(threads)
    config = Config()
    config.use_flash_attn = False
    config.gpt_cache, config.sovits_cache = [(1, 512), (1, 768), (1, 1024)], []
    s1, s2 = workload.checkpoint_paths(folder)
    decoder = get_gpt_weights(str(s1), config).t2s_model
    vocoder = get_sovits_weights(str(s2), config).vq_model
    with torch.inference_mode():
        style = vocoder.get_ge(torch.from_numpy(workload.reference_spectrum))
    return lambda: speak(decoder, vocoder, style, Joiner(config))


@torch.inference_mode()
def speak(
    decoder: torch.nn.Module, vocoder: torch.nn.Module, style: torch.Tensor, joiner: Joiner
) -> Iterator[int]:
    """One utterance."""
    text = torch.from_numpy(workload.text_phones)
    phones = torch.cat([torch.from_numpy(workload.reference_phones), text], 1)
    prompt = torch.from_numpy(workload.reference_tokens)
    bert = torch.zeros(1, phones.shape[1], workload.BERT_WIDTH)
    drawn = decoder.infer_stream(
        phones, prompt, bert, stream_chunk=CHUNK_TOKENS, boost_first_chunk=True, debug=False
    )
    shared = OVERLAP_FRAMES * vocoder.samples_per_frame
    last, start = None, 0
    vocoder.enc_p.y_overlap = None
    for tokens, ended in drawn:
        over = bool(ended) or tokens.shape[-1] >= workload.TOKENS
        sound, attention = vocoder.decode(
            tokens,
            text,
            style,
            noise_scale=0.5,
            speed=1.0,
            stream_mode=True,
            valid_start_idx=start,
            overlap_len=OVERLAP_FRAMES,
        )
        if last is not None:
            sound, _ = TTS._sola_algorithm(joiner, last, sound, shared)
        last = sound[:, :, -shared:].clone()
        if not over:
            sound, start = sound[:, :, :-shared], attention.shape[1] - OVERLAP_FRAMES
        yield sound.shape[-1]
        if over:
            break
    drawn.close()


if __name__ == "__main__":
    workload.main(load)
