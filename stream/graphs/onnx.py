"""Opening ONNX graphs: the only file that knows providers, threads and session options.

Knows nothing about what a graph computes.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import selftalk.stream.graphs.no_reports  # noqa: F401  # isort: skip  # before onnxruntime
import onnxruntime

from selftalk.stream.errors import ConfigError, WeightsError

Session = Any
"""An `onnxruntime.InferenceSession`; the library ships no types."""

CPU_PROVIDERS = ("CPUExecutionProvider",)
PROVIDERS = {
    "cpu": CPU_PROVIDERS,
    "cuda": ("CUDAExecutionProvider", *CPU_PROVIDERS),
    "directml": ("DmlExecutionProvider", *CPU_PROVIDERS),
    "coreml": ("CoreMLExecutionProvider", *CPU_PROVIDERS),
    "openvino": ("OpenVINOExecutionProvider", *CPU_PROVIDERS),
}
"""Execution providers by the names that settings use; the processor does what others cannot."""
EXTRA_PACKAGES = {
    "cuda": "onnxruntime-gpu",
    "directml": "onnxruntime-directml",
    "openvino": "onnxruntime-openvino",
}
"""What to install in place of onnxruntime; CoreML is in every build for macOS."""
LOG_ERRORS_ONLY = 3


def available_providers() -> tuple[str, ...]:
    """The execution providers of the installed onnxruntime, fastest first."""
    return tuple(onnxruntime.get_available_providers())


def usable_providers(name: str) -> tuple[tuple[str, ...], str]:
    """The providers of a name of `PROVIDERS` that are there, and a sentence if the wanted is not.

    A provider that is missing is no reason not to speak: the processor can do everything.
    """
    wanted = PROVIDERS[name]
    if wanted[0] in available_providers():
        return wanted, ""
    package = EXTRA_PACKAGES.get(name)
    advice = f"; `pip install {package}` in its place brings it" if package else ""
    return CPU_PROVIDERS, (
        f"the installed onnxruntime cannot use '{name}', so the processor does the work{advice}"
    )


def open_session(
    path: str | Path | bytes, threads: int = 1, providers: Sequence[str] = CPU_PROVIDERS
) -> Session:
    """Open an .onnx or .ort file, or its content, for inference.

    One thread is the default everywhere: stages overlap, and two pools that spin on two cores
    were measured to be many times slower than one thread each.

    Args:
        path: the graph; weights kept outside it must lie in its folder.
        threads: threads inside one operator.
        providers: execution providers in the order of preference.

    Raises:
        WeightsError: the file is missing or is not a graph that this onnxruntime can run.
        ConfigError: a provider is not in the installed onnxruntime.
    """
    named = "a graph" if isinstance(path, bytes) else f"'{path}'"
    if not isinstance(path, bytes) and not Path(path).is_file():
        raise WeightsError(f"model file {named} does not exist")
    _check_providers(providers)
    try:
        session = _start(path, threads, providers)
    except Exception as error:  # onnxruntime has one exception class per status code
        reason = str(error).strip().partition("\n")[0]
        if providers[0] == CPU_PROVIDERS[0]:
            raise WeightsError(f"{named} cannot be run by onnxruntime: {reason}") from error
        session = open_session(path, threads)  # a damaged file fails here too
        _tell_once(f"{providers[0]} refuses {named}, so the processor runs it: {reason}")
        return session
    _tell_if_other(session, providers)
    return session


def run_session(session: Session, inputs: dict[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """Run a graph once and name its outputs: {input: array} -> {output: array}."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def input_shapes(session: Session) -> dict[str, list[Any]]:
    """The declared shape of each input; a symbolic dimension is a string or None."""
    return {port.name: list(port.shape) for port in session.get_inputs()}


def float32(array: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """A contiguous float32 array, as graphs want it; no copy when it already is one."""
    return np.ascontiguousarray(array, np.float32)


def _options(threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = LOG_ERRORS_ONLY
    # An idle pool that spins takes the core from the stage that has work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def _start(path: str | Path | bytes, threads: int, providers: Sequence[str]) -> Session:
    """A session that does not go to the processor by itself: the library prints pages about it."""
    return onnxruntime.InferenceSession(
        path if isinstance(path, bytes) else str(path),
        sess_options=_options(threads),
        providers=[(name, _provider_options(name, threads)) for name in providers],
        enable_fallback=0,
    )


def _provider_options(name: str, threads: int) -> dict[str, str]:
    # OpenVINO has a pool of its own, as large as the machine if it is not told otherwise.
    return {"num_of_threads": str(threads)} if name == "OpenVINOExecutionProvider" else {}


def _tell_if_other(session: Session, wanted: Sequence[str]) -> None:
    """Without a word the library takes the processor when a driver or a library is missing."""
    used = session.get_providers()[0]
    if used != wanted[0]:
        _tell_once(f"{wanted[0]} could not be started (is its driver there?); {used} does the work")


def _tell_once(line: str) -> None:
    if line not in _told:
        _told.add(line)
        logging.getLogger("selftalk").warning("%s", line)


_told: set[str] = set()


def _check_providers(providers: Sequence[str]) -> None:
    known = available_providers()
    for provider in providers:
        if provider not in known:
            raise ConfigError(
                f"execution provider '{provider}' is not in the installed onnxruntime;"
                f" available: {', '.join(known)}"
            )
