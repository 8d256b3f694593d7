"""Opening the workers of a voice model, of whichever kind, to be timed by calibration."""

from selftalk.stream.errors import BundleError
from selftalk.stream.graphs.graph import ON_ONE_CORE, RunOptions
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.calibration import Workers


def open_workers(
    bundle: Bundle, decoder_run: RunOptions = ON_ONE_CORE, vocoder_run: RunOptions = ON_ONE_CORE
) -> Workers:
    """Load the graphs of a bundle, to time them.

    Raises:
        BundleError: it is of a kind that cannot be timed.
    """
    if bundle.manifest.kind == "nano":
        from selftalk.stream.nano.workers import NanoWorkers

        return NanoWorkers(bundle, decoder_run, vocoder_run)
    if bundle.manifest.kind == "sovits":
        from selftalk.stream.sovits.workers import SovitsWorkers

        return SovitsWorkers(bundle, decoder_run, vocoder_run)
    raise BundleError(
        f"bundle '{bundle.manifest.name}' is of the kind '{bundle.manifest.kind}',"
        " which cannot be calibrated"
    )
