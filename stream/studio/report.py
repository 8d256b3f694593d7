"""RecordingReport: what a studio engineer would say about a recording, in plain sentences.

Knows nothing about how anything was measured; the checks have files of their own.
"""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "usable", "bad"]
SEVERITY: dict[Verdict, int] = {"good": 0, "usable": 1, "bad": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    """Its name: "clipping", "noise", "reverberation" …"""
    verdict: Verdict
    measured: float
    unit: str
    """Of the measured figure: "dB", "s", "Hz", "%"."""
    sentence: str
    """What was found, for a person."""
    advice: str = ""
    """What to do about it; empty when all is well."""


@dataclass(frozen=True, slots=True)
class RecordingReport:
    """All findings about a recording."""

    findings: tuple[Finding, ...]
    seconds: float
    """Length of the recording."""
    speech_seconds: float
    """How much of it is speech."""

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings."""
        verdicts: list[Verdict] = [finding.verdict for finding in self.findings]
        return max(verdicts, key=SEVERITY.__getitem__, default="good")

    def find(self, check: str) -> Finding:
        """The finding of a check by its name."""
        return next(finding for finding in self.findings if finding.check == check)
