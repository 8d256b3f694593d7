import pytest
import torch

from selftalk.models.training.scaled_adam import ScaledAdam


def descended(start, gradient_scale=1.0, steps=5):
    parameter = torch.nn.Parameter(start.clone())
    optimizer = ScaledAdam([parameter], lr=0.01)
    target = torch.linspace(-1, 1, len(start))
    for _ in range(steps):
        optimizer.zero_grad()
        (gradient_scale * (parameter * target).sum()).backward()
        optimizer.step()
    return parameter.detach()


def test_the_step_follows_the_size_of_the_parameter():
    torch.manual_seed(0)
    start = torch.randn(16)
    small, large = descended(0.01 * start) - 0.01 * start, descended(start) - start
    torch.testing.assert_close(100 * small, large, rtol=1e-3, atol=1e-5)


def test_the_step_does_not_follow_the_size_of_the_gradient():
    torch.manual_seed(0)
    start = torch.randn(16)
    torch.testing.assert_close(descended(start, 100.0), descended(start), rtol=1e-3, atol=1e-4)


def test_it_finds_a_minimum():
    torch.manual_seed(0)
    model, target = torch.nn.Linear(4, 3), torch.randn(3, 4)
    optimizer = ScaledAdam(model.parameters(), lr=0.02)
    for _ in range(300):
        x = torch.randn(32, 4)
        error = (model(x) - x @ target.T).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    assert error < 0.02


def test_a_sudden_gradient_is_clipped():
    parameter = torch.nn.Parameter(torch.ones(8))
    optimizer = ScaledAdam([parameter], lr=0.01)
    for size in [1.0] * 20 + [1e6]:
        parameter.grad = torch.full((8,), size)
        optimizer.step()
    # Unclipped, Adam's mean would be all that one gradient.
    assert float(optimizer.state[parameter]["mean"].max()) == pytest.approx(1.0, abs=0.2)


def test_it_goes_on_from_its_state():
    torch.manual_seed(0)
    gradients = torch.randn(30, 8)

    def step(parameter, optimizer, rows):
        for row in rows:
            parameter.grad = row.clone()
            optimizer.step()

    whole = torch.nn.Parameter(torch.ones(8))
    step(whole, ScaledAdam([whole]), gradients)
    part = torch.nn.Parameter(torch.ones(8))
    first = ScaledAdam([part])
    step(part, first, gradients[:17])
    second = ScaledAdam([part])
    second.load_state_dict(first.state_dict())
    step(part, second, gradients[17:])
    assert torch.equal(part, whole)
