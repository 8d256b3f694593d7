"""The last stage of the vocoder: small judges listen to short crops of what it says.

Distances of spectra alone teach it the mean of all that could be right, which sounds dull; judges
want what is likely (Larsen et al. 2016). They hear 0.36 s at a time, which is enough for what is
missing and costs a third.
"""

from typing import Any

import torch
from torch import Tensor, nn

from selftalk.models.discriminator import SlimDiscriminators
from selftalk.models.losses import discriminator_loss, feature_loss, generator_loss
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.vocoder_task import Spoken, VocoderTask

CROP_SAMPLES = 8640


class JudgedVocoderTask:
    """A `VocoderTask` whose speech is judged; see `AdversarialTask`."""

    DISTANCE_WEIGHT = 15.0  # keeps the words: judges know nothing of them

    def __init__(self, task: VocoderTask, judges: SlimDiscriminators | None = None) -> None:
        self.task = task
        self.judges: nn.Module = judges or SlimDiscriminators()

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
        return self.DISTANCE_WEIGHT * distance + fooled + features, figures

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`: a step in which the judges do not learn."""
        return self.model_loss(*self.generate(step))

    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`."""
        return self.task.validate(model)
