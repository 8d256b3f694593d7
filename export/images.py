"""Convolutions over time, seen as convolutions of images of height one.

What they say is the same. onnxruntime has blocked kernels for the convolutions of images only,
which take two thirds of the time where channels are few.
"""

import copy

from torch import nn

from selftalk.models.generator import Generator


def generator_of_images(generator: Generator) -> Generator:
    """A copy that makes of a latent (B, C, 1, T) a waveform (B, 1, T * hop)."""
    made = copy.deepcopy(generator)
    for part in list(made.modules()):
        for name, layer in list(part.named_children()):
            if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
                setattr(part, name, of_images(layer))
    # One more axis: the generator adds the last one itself.
    made.style = nn.Sequential(made.style, nn.Unflatten(1, (generator.config.channels, 1)))  # type: ignore[assignment]
    return made


def of_images(layer: nn.Conv1d | nn.ConvTranspose1d) -> nn.Conv2d | nn.ConvTranspose2d:
    """The same convolution, of images (B, C, 1, T)."""
    kind = nn.Conv2d if isinstance(layer, nn.Conv1d) else nn.ConvTranspose2d
    assert isinstance(layer.padding, tuple)
    made = kind(
        layer.in_channels,
        layer.out_channels,
        (1, layer.kernel_size[0]),
        stride=(1, layer.stride[0]),
        padding=(0, layer.padding[0]),
        dilation=(1, layer.dilation[0]),
        bias=layer.bias is not None,
    )
    made.weight = nn.Parameter(layer.weight.detach()[:, :, None])
    made.bias = layer.bias
    return made
