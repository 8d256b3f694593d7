"""Where bfloat16 pays: on processors that multiply it in hardware, elsewhere it is emulated."""

import contextlib

import torch


def fast_bfloat16() -> bool:
    """Whether this machine's processor has bfloat16 instructions."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def mixed_precision(device: str = "cpu") -> contextlib.AbstractContextManager[None]:
    """Autocast to bfloat16 if the device is faster with it (a CPU may be 40 times slower)."""
    fast = torch.cuda.is_bf16_supported() if device == "cuda" else fast_bfloat16()
    return torch.autocast(device, dtype=torch.bfloat16) if fast else contextlib.nullcontext()
