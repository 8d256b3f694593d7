"""Where selftalk keeps its files: what is precious apart from what can be had again.

                    data: voices, models, receipts   cache: weights, dictionaries
    SELFTALK_HOME   $SELFTALK_HOME                   $SELFTALK_HOME
    XDG             $XDG_DATA_HOME/selftalk          $XDG_CACHE_HOME/selftalk
    otherwise       ~/.local/share/selftalk          ~/.cache/selftalk

Knows nothing about what is kept there, except what version 0.1 kept among the caches.
"""

import os
import shutil
from functools import cache
from pathlib import Path

MISPLACED = ("voices", "models")
"""Data that version 0.1 kept in the cache, where a cleaner may delete it."""


def data_folder() -> Path:
    """The folder of what only the user has: voices, imported models, receipts.

    Not created by asking for it; but data of the user that an older version kept among the caches
    is moved here.
    """
    chosen = _chosen()
    if chosen:
        return chosen
    data = _xdg("XDG_DATA_HOME", ".local/share")
    _move_misplaced(cache_folder(), data)
    return data


def cache_folder() -> Path:
    """The folder of what can be fetched or computed again; not created by asking for it."""
    return _chosen() or _xdg("XDG_CACHE_HOME", ".cache")


def weights_folder() -> Path:
    """The folder of third-party weights, one folder each."""
    return cache_folder() / "weights"


def _chosen() -> Path | None:
    chosen = os.environ.get("SELFTALK_HOME")
    return Path(chosen).expanduser().absolute() if chosen else None


def _xdg(variable: str, usual: str) -> Path:
    folder = os.environ.get(variable)
    return (Path(folder) if folder else Path.home() / usual) / "selftalk"


@cache
def _move_misplaced(old: Path, new: Path) -> None:
    """Move data out of the cache; what already stands in the new place is never replaced."""
    for name in MISPLACED:
        source, target = old / name, new / name
        if source.is_dir() and not target.exists():
            new.mkdir(parents=True, exist_ok=True)
            shutil.move(source, target)
