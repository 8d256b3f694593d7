"""ERes2NetV2: filter banks of a recording → embedding of the speaker, as v2Pro wants it.

After Chen et al. 2024, "ERes2NetV2: Boosting Short-Duration Speaker Verification Performance". It
is used frozen, so its batch norms are folded into the convolutions. Layout is (B, C, F, T). Only
the last feature map is needed, not the verification embedding that follows it in the paper.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CEILING = 20.0  # activations inside the blocks are clipped


@dataclass(frozen=True, slots=True)
class ERes2NetConfig:
    """Sizes of the network."""

    bands: int = 80
    channels: int = 64
    """Of the first stage; every stage has twice those of the one before."""
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    base_width: int = 24
    """Channels of one branch for each 64 of the stage."""
    branches: int = 4
    expansion: int = 4
    fused_stages: int = 2
    """The last stages, whose branches are fused by attention."""

    @property
    def embedding(self) -> int:
        """Size of the result: channels times the bands that are left."""
        steps = 2 ** (len(self.blocks) - 1)
        return self.channels * steps * self.expansion * (self.bands // steps)


class Fusion(nn.Module):
    """Weighted sum of two maps; attention to both decides which counts more where."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.contract = nn.Conv2d(2 * channels, channels // reduction, 1)
        self.expand = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Two maps (B, C, F, T) → (B, C, F, T)."""
        balance = self.expand(F.silu(self.contract(torch.cat([x, y], dim=1)))).tanh()
        return x * (1 + balance) + y * (1 - balance)


class Block(nn.Module):
    """Residual block whose branches each see what the one before has found."""

    def __init__(
        self, before: int, channels: int, config: ERes2NetConfig, *, stride: int, fused: bool
    ) -> None:
        super().__init__()
        self.width = channels * config.base_width // 64
        after = channels * config.expansion
        self.enter = nn.Conv2d(before, self.width * config.branches, 1, stride)
        self.branches = nn.ModuleList(
            nn.Conv2d(self.width, self.width, 3, padding=1) for _ in range(config.branches)
        )
        self.fusions = nn.ModuleList(
            Fusion(self.width) for _ in range(config.branches - 1 if fused else 0)
        )
        self.leave = nn.Conv2d(self.width * config.branches, after, 1)
        same = stride == 1 and before == after
        self.shortcut = nn.Identity() if same else nn.Conv2d(before, after, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, F, T) → (B, C', F / stride, T / stride)."""
        parts = self.enter(x).clamp(0.0, CEILING).split(self.width, dim=1)
        found = [self.branches[0](parts[0]).clamp(0.0, CEILING)]
        for index, part in enumerate(parts[1:]):
            joined = self.fusions[index](found[-1], part) if self.fusions else found[-1] + part
            found.append(self.branches[index + 1](joined).clamp(0.0, CEILING))
        return (self.leave(torch.cat(found, dim=1)) + self.shortcut(x)).clamp(0.0, CEILING)


class ERes2Net(nn.Module):
    """Stages of blocks; the last two are fused."""

    def __init__(self, config: ERes2NetConfig) -> None:
        super().__init__()
        self.config = config
        self.enter = nn.Conv2d(1, config.channels, 3, padding=1)
        self.stages = nn.ModuleList()
        before = config.channels
        for index, blocks in enumerate(config.blocks):
            channels = config.channels * 2**index
            fused = index >= len(config.blocks) - config.fused_stages
            stage = nn.Sequential()
            for number in range(blocks):
                stride = 2 if index and not number else 1
                stage.append(Block(before, channels, config, stride=stride, fused=fused))
                before = channels * config.expansion
            self.stages.append(stage)
        self.downsample = nn.Conv2d(before // 2, before, 3, stride=2, padding=1, bias=False)
        self.fusion = Fusion(before)

    def forward(self, fbank: Tensor) -> Tensor:
        """Log filter banks (B, T, bands), see `kaldi_fbank` → (B, embedding)."""
        x = F.relu(self.enter(fbank.transpose(1, 2)[:, None]))
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return self.fusion(x, self.downsample(maps[-2])).flatten(1, 2).mean(dim=-1)
