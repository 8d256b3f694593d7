"""gpt-sovits-cpufast: torch, chunks of 16 tokens as its streaming has them."""

import contextlib
import io
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import torch

ROOT = Path(find_spec("GPT_SoVITS").origin).parent
sys.path[:0] = [str(ROOT), str(ROOT.parent)]

import workload  # noqa: E402
from AR.models.t2s_lightning_module import Text2SemanticLightningModule  # noqa: E402
from module.models import SynthesizerTrn  # noqa: E402

CHUNK_TOKENS, OVERLAP_TOKENS = 16, 2
TOKEN_SAMPLES = 1280
SHORTEST_TOKENS = 10
SEARCH_SAMPLES = 320


def load(folder: Path, threads: int) -> workload.Speak:
    """Both stages as the package loads them for inference only."""
    torch.set_num_threads(threads)
    s1, s2 = workload.checkpoint_paths(folder)
    decoder = load_t2s(s1)
    vocoder = load_sovits(s2)
    phones = torch.from_numpy(workload.text_phones)
    with torch.inference_mode():
        condition = vocoder.build_decode_condition([torch.from_numpy(workload.reference_spectrum)])
    return lambda: speak(decoder, Windows(vocoder, phones, condition))


def load_t2s(path: Path) -> torch.nn.Module:
    """The token decoder."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    module = Text2SemanticLightningModule(
        content["config"], "-", is_train=False, build_t2s_transformer=False, build_h_module=False
    )
    weights = {name: value.float() for name, value in content["weight"].items()}
    module.load_inference_only_state_dict(weights)
    module.model.release_inference_only_unused_modules()
    return module.eval().model


def load_sovits(path: Path) -> torch.nn.Module:
    """The vocoder, without weight norm."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    config = content["config"]
    sizes = config["data"]["filter_length"] // 2 + 1, 20480 // config["data"]["hop_length"]
    voice = SynthesizerTrn(*sizes, n_speakers=config["data"]["n_speakers"], **config["model"])
    with contextlib.suppress(AttributeError):
        del voice.enc_q
    weights = {name: value.float() for name, value in content["weight"].items()}
    voice.load_state_dict(weights, strict=False)
    voice.eval().dec.remove_weight_norm()
    return voice


class Windows:
    """Turns tokens so far into the next piece of sound, as the package's streaming does."""

    def __init__(self, vocoder: torch.nn.Module, phones: torch.Tensor, condition: tuple) -> None:
        self.vocoder, self.phones, self.condition = vocoder, phones, condition
        self.latent = self.last = None

    def decode(self, tokens: torch.Tensor, new: int, *, over: bool) -> int:
        """Vocode the last `new` tokens; return the number of samples that are certain."""
        overlap = OVERLAP_TOKENS + max(0, SHORTEST_TOKENS - new) * (self.last is not None)
        style, text_style = self.condition
        with contextlib.redirect_stdout(io.StringIO()):
            sound, self.latent, _ = self.vocoder.decode_streaming(
                tokens.unsqueeze(0),
                self.phones,
                None,
                ge=style,
                ge_text=text_style,
                result_length=None if self.last is None else new + overlap,
                overlap_frames=None if self.last is None else self.latent[:, :, -2 * overlap :],
                padding_length=0,
            )
        sound = sound[0, 0]
        if overlap > OVERLAP_TOKENS:
            sound = sound[-(OVERLAP_TOKENS + new) * TOKEN_SAMPLES :]
        shared = OVERLAP_TOKENS * TOKEN_SAMPLES
        if self.last is not None:
            best_offset(self.last[-shared:], sound[: shared + SEARCH_SAMPLES])
        self.last = sound
        return sound.shape[0] - (0 if over else shared)


def best_offset(tail: torch.Tensor, head: torch.Tensor) -> int:
    """Where two pieces fit best: as much arithmetic as the package's own search."""
    correlate = torch.nn.functional.conv1d
    likeness = correlate(head[None, None], tail[None, None])[0, 0]
    energy = correlate((head**2)[None, None], torch.ones_like(tail)[None, None])[0, 0]
    return int((likeness / (energy + 1e-8).sqrt()).argmax())


@torch.inference_mode()
def speak(decoder: torch.nn.Module, windows: Windows) -> Iterator[int]:
    """One utterance."""
    phones = torch.cat(
        [torch.from_numpy(workload.reference_phones), torch.from_numpy(workload.text_phones)], 1
    )
    drawn = decoder.infer_panel_naive(
        phones,
        torch.tensor([phones.shape[1]]),
        torch.from_numpy(workload.reference_tokens),
        torch.zeros(1, workload.BERT_WIDTH, phones.shape[1]),
        top_k=15,
        top_p=1.0,
        temperature=1.0,
        early_stop_num=workload.TOKENS - 1,
        repetition_penalty=1.35,
        streaming_mode=True,
        chunk_length=CHUNK_TOKENS,
        mute_emb_sim_matrix=None,
    )
    pieces: list[torch.Tensor] = []
    for piece, over in drawn:
        if piece is None or not piece.shape[-1]:
            break
        pieces.append(piece)
        yield windows.decode(torch.cat(pieces, -1), piece.shape[-1], over=bool(over))
        if over:
            break
    drawn.close()


if __name__ == "__main__":
    workload.main(load)
