"""Law of every streaming layer: chunked equals whole."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from selftalk.models.streaming import CausalConv1d, CausalConvTranspose1d

FRAMES = 24


def chunked(layer, x, chunk):
    state = layer.initial_state(len(x))
    pieces = []
    for piece in x.split(chunk, dim=2):
        y, state = layer(piece, state)
        pieces.append(y)
    return torch.cat(pieces, dim=2)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, FRAMES])
@pytest.mark.parametrize(
    ("kernel", "dilation", "lookahead"), [(1, 1, 0), (3, 1, 0), (7, 1, 3), (5, 3, 0), (3, 4, 8)]
)
@torch.inference_mode()
def test_convolution_in_chunks(kernel, dilation, lookahead, chunk):
    torch.manual_seed(0)
    layer = CausalConv1d(4, 6, kernel, dilation=dilation, groups=2, lookahead=lookahead)
    x = torch.randn(2, 4, FRAMES)
    padded = F.pad(x, ((kernel - 1) * dilation - lookahead, lookahead))
    expected = nn.functional.conv1d(padded, layer.weight, layer.bias, dilation=dilation, groups=2)
    y = chunked(layer, F.pad(x, (0, lookahead)), chunk)
    assert y.shape == (2, 6, FRAMES)
    torch.testing.assert_close(y, expected)


@pytest.mark.parametrize("chunk", [2, 4, 6, FRAMES])
@torch.inference_mode()
def test_strided_convolution_in_chunks(chunk):
    torch.manual_seed(0)
    layer = CausalConv1d(4, 6, 5, stride=2)
    x = torch.randn(2, 4, FRAMES)
    expected = F.conv1d(F.pad(x, (3, 0)), layer.weight, layer.bias, stride=2)
    torch.testing.assert_close(chunked(layer, x, chunk), expected)


@pytest.mark.parametrize("chunk", [1, 2, 5, FRAMES])
@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (4, 2), (7, 2), (16, 10), (5, 1)])
@torch.inference_mode()
def test_transposed_convolution_in_chunks(kernel, stride, chunk):
    torch.manual_seed(0)
    layer = CausalConvTranspose1d(4, 6, kernel, stride)
    x = torch.randn(2, 4, FRAMES)
    whole = F.conv_transpose1d(x, layer.weight, layer.bias, stride)
    y = chunked(layer, x, chunk)
    assert y.shape == (2, 6, FRAMES * stride)
    torch.testing.assert_close(y, whole[:, :, : FRAMES * stride])
