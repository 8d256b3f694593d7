"""Write a full-size GPT-SoVITS v2 voice of random numbers in the official layout.

Runs in the environment of gpt-sovits-cpufast, whose modules are those of the official code, so
names and shapes are right. Those modules make every layer a copy of the first; here each is drawn
by itself, as training would leave it, for equal layers are handled otherwise by some engines. The
row of the end token is zero, so that every engine speaks to its limit.
"""

import argparse
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import torch

ROOT = Path(find_spec("GPT_SoVITS").origin).parent
sys.path[:0] = [str(ROOT), str(ROOT.parent)]

from AR.models.t2s_lightning_module import Text2SemanticLightningModule  # noqa: E402
from module.models import SynthesizerTrn  # noqa: E402
from workload import checkpoint_paths  # noqa: E402

T2S = {
    "data": {"max_sec": 54, "num_workers": 4, "pad_val": 1024, "max_eval_sample": 8},
    "model": {
        "vocab_size": 1025, "phoneme_vocab_size": 732, "embedding_dim": 512, "hidden_dim": 512,
        "head": 16, "linear_units": 2048, "n_layer": 24, "dropout": 0, "EOS": 1024,
        "random_bert": 0,
    },
}  # fmt: skip
END_TOKEN = 1024


def redrawn(value: torch.Tensor) -> torch.Tensor:
    """Other numbers of the same spread, where it is a matrix."""
    return torch.randn_like(value) * value.std() if value.ndim > 1 else value


def main() -> None:
    """Write both stages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    torch.manual_seed(0)
    s1, s2 = checkpoint_paths(folder)
    folder.mkdir(parents=True, exist_ok=True)
    module = Text2SemanticLightningModule(T2S, "random", is_train=False)
    weights = {name: redrawn(value).half() for name, value in module.state_dict().items()}
    weights["model.ar_predict_layer.weight"][END_TOKEN] = 0
    torch.save({"weight": weights, "config": T2S, "info": "random"}, s1)
    config = json.loads((ROOT / "configs" / "s2.json").read_text())
    config["model"]["version"] = "v2"
    sizes = config["data"]["filter_length"] // 2 + 1, 20480 // config["data"]["hop_length"]
    voice = SynthesizerTrn(*sizes, n_speakers=config["data"]["n_speakers"], **config["model"])
    weights = {
        name: value.half()
        for name, value in voice.state_dict().items()
        if not name.startswith("enc_q.")
    }
    torch.save({"weight": weights, "config": config, "info": "random"}, s2)


if __name__ == "__main__":
    main()
