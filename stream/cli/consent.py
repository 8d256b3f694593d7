"""`selftalk consent`: the owner of a voice agrees, sees what they agreed to, or takes it back."""

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

from selftalk.stream.errors import AudioFileError, ConsentError, MisheardError
from selftalk.stream.home import data_folder
from selftalk.stream.sound.audio import AudioChunk, concat, read_audio
from selftalk.stream.synthesis.voices import SUFFIX, Voice, check_voice_name, voices_folder
from selftalk.stream.trust import audit
from selftalk.stream.trust.consent import VALID_DAYS, Challenge, ConsentSession, consent_session
from selftalk.stream.trust.receipts import Receipt, all_receipts, end_receipt, receipts_of
from selftalk.stream.trust.statement import SENTENCES

INVALID = 1


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `consent` to the command line."""
    parser = subparsers.add_parser("consent", help="agree to the use of your voice, or stop it")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    give = commands.add_parser("give", help="say a sentence that allows a voice to be used")
    give.add_argument("voice", metavar="NAME", help="of the voice")
    give.add_argument("--person", required=True, help="your name, as you will say it")
    give.add_argument("--purpose", required=True, help="what for, as you will say it")
    give.add_argument("--language", choices=tuple(SENTENCES), default="en")
    give.add_argument("--days", type=int, default=VALID_DAYS, help="how long it holds")
    give.add_argument(
        "--clips", type=Path, nargs="+", metavar="FILE", help="recordings the voice is made from"
    )
    give.add_argument(
        "--recording", type=Path, metavar="FILE", help="where you record the sentence yourself"
    )
    give.set_defaults(run=run_give)
    listing = commands.add_parser("list", help="what was agreed to; exit code 1 if any is invalid")
    listing.add_argument("--json", action="store_true", help="one JSON object per line")
    listing.set_defaults(run=run_list)
    withdraw = commands.add_parser("withdraw", help="take it back: the voice falls silent")
    withdraw.add_argument("voice", metavar="NAME", help="of the voice")
    withdraw.set_defaults(run=run_withdraw)


def run_give(args: argparse.Namespace) -> int:
    """Ask for the sentence, check it, keep the receipt."""
    name = check_voice_name(args.voice)
    clips = [read_audio(path) for path in args.clips or recorded_clips(name)]
    session = consent_session(name, args.person, args.purpose, days=args.days)
    receipt = ask(session, args.language, clips, args.recording)
    attached = attach(name, receipt)
    print(
        f"agreed until {receipt.expires_at:%Y-%m-%d}; receipt {receipt.id}"
        + ("" if attached else f"; there is no voice '{name}' yet, `selftalk enroll` makes it")
    )
    return 0


def run_list(args: argparse.Namespace) -> int:
    """Print a line for each receipt."""
    code = 0
    for found in all_receipts():
        if isinstance(found, ConsentError):
            code = INVALID
            print(json.dumps({"invalid": str(found)}) if args.json else f"invalid: {found}")
        elif args.json:
            print(json.dumps(_facts(found), ensure_ascii=False))
        else:
            print(
                f"{found.voice:20} {found.person}, for {found.purpose},"
                f" until {found.expires_at:%Y-%m-%d}  {found.id}"
            )
    return code


def run_withdraw(args: argparse.Namespace) -> int:
    """End every receipt of a voice."""
    receipts = receipts_of(args.voice)
    if not receipts:
        raise ConsentError(f"nobody has agreed to a voice '{args.voice}'")
    audit.append("consent withdrawn", voice=args.voice, receipts=len(receipts))
    for receipt in receipts:
        end_receipt(receipt.id, args.voice, "withdrawn by its owner")
    print(
        f"'{args.voice}' may not speak any more; `selftalk voices delete {args.voice}` removes it"
    )
    return 0


def recorded_clips(name: str) -> list[Path]:
    """The slices that `selftalk record` left.

    Raises:
        ConsentError: there are none.
    """
    clips = sorted((data_folder() / "recordings" / name).glob("*.flac"))
    if not clips:
        raise ConsentError(
            f"there is no recording '{name}'; name with --clips the files the voice is made from"
        )
    return clips


def attach(name: str, receipt: Receipt) -> bool:
    """Write the receipt's number into every voice of the user's of this name, if there is one.

    Such a voice is by itself, or belongs to an imported model.
    """
    paths = [voices_folder() / f"{name}{SUFFIX}", *data_folder().glob(f"*/*/voices/{name}{SUFFIX}")]
    found = [path for path in paths if path.is_file()]
    for path in found:
        voice = Voice.load(path)
        replace(voice, about=voice.about | {"receipt": receipt.id}).save(path)
    return bool(found)


def ask(
    session: ConsentSession, language: str, clips: list[AudioChunk], file: Path | None
) -> Receipt:
    """Show a sentence and check how it is said; if it was misheard, once more with a new one.

    Raises:
        ConsentError: it was refused, or misheard twice.
    """
    try:
        return _ask(session, language, clips, file)
    except MisheardError as error:
        print(f"That was not understood: {error}. Once more, with a new sentence.", file=sys.stderr)
    return _ask(session, language, clips, file)


def _ask(
    session: ConsentSession, language: str, clips: list[AudioChunk], file: Path | None
) -> Receipt:
    challenge = session.challenge(language)
    print(
        f"Say this within {challenge.valid_seconds:.0f} seconds:\n\n  {challenge.sentence}\n",
        file=sys.stderr,
    )
    return answer(session, challenge, clips, file)


def answer(
    session: ConsentSession, challenge: Challenge, clips: list[AudioChunk], file: Path | None
) -> Receipt:
    """Wait for the sentence, at the microphone or in a file, and check it."""
    if file is None:
        _wait_for_enter("Press Enter, speak, and press Enter again. ")
        return session.check(asyncio.run(_record()), challenge, clips)
    before = _modified_at(file)
    _wait_for_enter(f"Record it into '{file}', then press Enter. ")
    if _modified_at(file) == before:
        raise ConsentError(f"'{file}' was not recorded after the sentence was shown")
    return session.check(read_audio(file), challenge, clips)


def _wait_for_enter(request: str = "") -> None:
    try:
        input(request)
    except EOFError as error:
        raise ConsentError("consent needs a person at a terminal who presses Enter") from error


def _modified_at(file: Path) -> int:
    return file.stat().st_mtime_ns if file.is_file() else 0


async def _record() -> AudioChunk:
    """The microphone until Enter is pressed.

    Raises:
        AudioFileError: nothing came from it.
    """
    from selftalk.stream.sound.devices import Microphone

    microphone, pieces = Microphone(), []
    ended = asyncio.create_task(asyncio.to_thread(_wait_for_enter))
    try:
        async for chunk in microphone.chunks():
            pieces.append(chunk)
            if ended.done():
                break
    finally:
        microphone.close()
    if not pieces:
        raise AudioFileError("the microphone gave no sound")
    return concat(pieces, pieces[0].sample_rate_hz)


def _facts(receipt: Receipt) -> dict[str, object]:
    return {
        "id": receipt.id,
        "voice": receipt.voice,
        "person": receipt.person,
        "purpose": receipt.purpose,
        "scope": receipt.scope,
        "issued_at": receipt.issued_at.isoformat(),
        "expires_at": receipt.expires_at.isoformat(),
    }
