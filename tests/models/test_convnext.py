import pytest
import torch

from selftalk.models.convnext import ConvNeXtStack


@pytest.mark.parametrize("ahead_blocks", [0, 1, 3])
@pytest.mark.parametrize("pieces", [(40,), (7,) + (1,) * 33, (12, 20, 8), (9, 31)])
def test_chunked_equals_whole(ahead_blocks, pieces):
    torch.manual_seed(0)
    stack = ConvNeXtStack(3, 8, 16, 5, ahead_blocks, condition=4)
    for block in stack.blocks:
        torch.nn.init.normal_(block.film.weight)
    x, condition = torch.randn(2, 40, 8), torch.randn(2, 4)
    whole, _ = stack(x, stack.initial_state(2), condition)
    state, out = stack.initial_state(2), []
    for piece in x.split(pieces, dim=1):
        y, state = stack(piece, state, condition)
        out.append(y)
    assert whole.shape[1] == 40 - stack.lookahead
    torch.testing.assert_close(torch.cat(out, dim=1), whole, atol=1e-5, rtol=1e-5)


def test_causal_blocks_do_not_see_the_future():
    torch.manual_seed(0)
    stack = ConvNeXtStack(2, 8, 16, 7)
    x = torch.randn(1, 20, 8)
    changed = x.clone()
    changed[:, 12:] = 0
    before, _ = stack(x, stack.initial_state(1))
    after, _ = stack(changed, stack.initial_state(1))
    torch.testing.assert_close(before[:, :12], after[:, :12])
    assert not torch.allclose(before[:, 12:], after[:, 12:])


def test_look_ahead_is_as_long_as_it_says():
    torch.manual_seed(0)
    stack = ConvNeXtStack(4, 8, 16, 7, ahead_blocks=3)
    x = torch.randn(1, 40, 8)
    changed = x.clone()
    changed[:, 30] += 1
    before, _ = stack(x, stack.initial_state(1))
    after, _ = stack(changed, stack.initial_state(1))
    first = int((before != after).any(-1)[0].nonzero()[0])
    assert stack.lookahead == 9
    assert first == 30 - stack.lookahead


def test_whole_keeps_the_length():
    stack = ConvNeXtStack(2, 8, 16, 7, ahead_blocks=2)
    assert stack.whole(torch.randn(3, 11, 8)).shape == (3, 11, 8)
