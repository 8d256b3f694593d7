"""Where selftalk keeps its files on this machine.

`$SELFTALK_HOME` when set, else `$XDG_CACHE_HOME/selftalk`, else `~/.cache/selftalk`.
Knows nothing about what is kept there.
"""

import os
from pathlib import Path


def home_folder() -> Path:
    """The folder of everything selftalk stores; not created by asking for it."""
    chosen = os.environ.get("SELFTALK_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "selftalk"


def weights_folder() -> Path:
    """The folder of third-party weights, one folder each."""
    return home_folder() / "weights"
