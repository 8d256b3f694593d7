"""genie-tts: onnxruntime, whole sentences; its converter makes its own files of the checkpoint."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import workload

CONVERTED = "genie"

workload.leave_out(
    "fastapi", "uvicorn", "sounddevice", "jieba_fast", "nltk", "pypinyin", "g2pM", "pyopenjtalk",
    "huggingface_hub", "PySide6",
)  # fmt: skip


def load(folder: Path, threads: int) -> workload.Speak:
    """Convert once; load as the package does, with so many threads."""
    resources = folder / "genie-data"  # of its front ends; it wants to see them, and opens none
    (resources / "chinese-hubert-base").mkdir(parents=True, exist_ok=True)
    (resources / "speaker_encoder.onnx").touch()
    os.environ["GENIE_DATA_DIR"] = str(resources)
    options = onnxruntime.SessionOptions

    def limited() -> Any:
        made = options()
        made.intra_op_num_threads = threads
        return made

    onnxruntime.SessionOptions = limited
    from genie_tts.Core.Inference import GENIE
    from genie_tts.ModelManager import model_manager

    converted = folder / CONVERTED
    if not converted.is_dir():
        convert(folder, converted)
    assert model_manager.load_character("random", str(converted), "Japanese")
    return lambda: speak(GENIE(), model_manager.get("random"))


def convert(folder: Path, converted: Path) -> None:
    """Write the package's own files."""
    from genie_tts import convert_to_onnx

    s1, s2 = workload.checkpoint_paths(folder)
    convert_to_onnx(torch_ckpt_path=str(s1), torch_pth_path=str(s2), output_dir=str(converted))


class Limited:
    """A session of the step graph that says «over» after so many tokens."""

    def __init__(self, session: Any) -> None:
        self._session, self._steps = session, 0

    def get_inputs(self) -> Any:
        """As the session's own."""
        return self._session.get_inputs()

    def run(self, names: Any, feed: Any) -> Any:
        """One token."""
        self._steps += 1
        results = self._session.run(names, feed)
        if self._steps >= workload.TOKENS:
            results[2] = np.array(True)
        return results


def speak(engine: Any, model: Any) -> Iterator[int]:
    """One utterance, which is one piece."""
    tokens = engine.t2s_cpu(
        workload.reference_phones,
        np.zeros((60, workload.BERT_WIDTH), np.float32),
        workload.text_phones,
        np.zeros((40, workload.BERT_WIDTH), np.float32),
        workload.reference_features,
        model.T2S_ENCODER,
        model.T2S_FIRST_STAGE_DECODER,
        Limited(model.T2S_STAGE_DECODER),
    )
    sound = model.VITS.run(
        None,
        {
            "text_seq": workload.text_phones,
            "pred_semantic": np.clip(tokens, 0, 1023),
            "ref_audio": workload.reference_samples,
        },
    )[0]
    yield sound.shape[-1]


if __name__ == "__main__":
    workload.main(load)
