"""The last stage of the vocoder: small judges listen to short crops of what it says.

Distances of spectra alone teach it the mean of all that could be right, which sounds dull; judges
want what is likely (Larsen et al. 2016). They hear 0.36 s at a time, which is enough for what is
missing and costs a third. A listener that names symbols may hear all of it too, see `Listener`.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.discriminator import SlimDiscriminators
from selftalk.models.listener import Listener
from selftalk.models.losses import discriminator_loss, feature_loss, generator_loss
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.vocoder_task import Spoken, VocoderBatch, VocoderTask

CROP_SAMPLES = 8640


class JudgedVocoderTask:
    """A `VocoderTask` whose speech is judged; see `AdversarialTask`."""

    DISTANCE_WEIGHT = 15.0  # keeps the words: judges know nothing of them
    WORDS_WEIGHT, IMPRESSION_WEIGHT = 4.0, 20.0  # each about a quarter of the distance

    def __init__(
        self,
        task: VocoderTask,
        judges: SlimDiscriminators | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.task = task
        self.judges: nn.Module = judges or SlimDiscriminators()
        self.listener = listener.requires_grad_(False).eval() if listener else None

    @property
    def model(self) -> nn.Module:
        """See `Task`."""
        return self.task.model

    def parameter_groups(self) -> list[dict[str, Any]]:
        """See `AdversarialTask`."""
        return [{"params": list(self.task.model.parameters())}]

    def generate(self, step: int) -> tuple[Spoken, Tensor, Tensor]:
        """See `AdversarialTask`."""
        spoken = self.task.speak(step)
        generator = torch.Generator().manual_seed(step)
        longest = spoken.wave.shape[1] - CROP_SAMPLES
        start = int(torch.randint(0, longest + 1, (1,), generator=generator))
        crop = slice(start, start + CROP_SAMPLES)
        return spoken, spoken.batch.wave[:, crop], spoken.wave[:, crop]

    def judges_loss(self, real: Tensor, made: Tensor) -> Tensor:
        """See `AdversarialTask`."""
        with mixed_precision():
            on_real, on_made = self.judges(real), self.judges(made)
        return discriminator_loss(
            [each.score.float() for each in on_real], [each.score.float() for each in on_made]
        )

    def model_loss(
        self, made_of: Spoken, real: Tensor, made: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """See `AdversarialTask`."""
        distance, figures = self.task.score(made_of)
        with mixed_precision():
            on_real, on_made = self.judges(real), self.judges(made)
        fooled = generator_loss([each.score.float() for each in on_made])
        features = feature_loss(
            [each.features for each in on_real], [each.features for each in on_made]
        )
        figures |= {"fooled": float(fooled.detach()), "features": float(features.detach())}
        loss = self.DISTANCE_WEIGHT * distance + fooled + features
        if self.listener is not None:
            words, impression = words_loss(
                self.listener, made_of.batch, made_of.wave, self.task.model.no_symbol
            )
            figures |= {"words": float(words.detach()), "impression": float(impression.detach())}
            loss = loss + self.WORDS_WEIGHT * words + self.IMPRESSION_WEIGHT * impression
        return loss, figures

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`: a step in which the judges do not learn."""
        return self.model_loss(*self.generate(step))

    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`."""
        return self.task.validate(model)


def words_loss(
    listener: Listener, batch: VocoderBatch, made: Tensor, no_symbol: int
) -> tuple[Tensor, Tensor]:
    """What a listener misses in `made` (B, S): the symbols, and the teacher's way of saying them.

    Returns:
        Cross entropy of the symbols, where there are any, and the mean distance of impressions.
    """
    real, ours = listener.bands(batch.wave), listener.bands(made)
    with mixed_precision():
        heard = listener(ours)
        with torch.no_grad():
            wanted = listener(real)
    symbols = batch.symbols[..., batch.symbols.shape[-1] // 2].flatten()
    said = symbols != no_symbol
    scores = heard.symbols.float().flatten(0, 1)[said]
    missed = F.cross_entropy(scores, symbols[said], reduction="sum")
    words = missed / said.sum().clamp_min(1)  # all texts of a batch may be withheld
    distances = [
        F.l1_loss(left.float(), meant.float())
        for left, meant in zip(heard.impressions, wanted.impressions, strict=True)
    ]
    return words, torch.stack(distances).mean()
