"""Hostile checkpoints whose ZIP container lies: doubled, hidden, damaged, or misnamed entries."""

import struct
import zlib

from fakes_checkpoints import (
    EndRecords,
    Entry,
    archive,
    text,
    voice_entries,
    voice_file,
    voice_pickle,
)


def hostile_archives(canary: str) -> dict[str, bytes]:
    return {**_spoiled_entries(canary), **_spoiled_names(), **_spoiled_ends(), **_spoiled_starts()}


def _spoiled_entries(canary: str) -> dict[str, bytes]:
    attack = b"\x80\x02cposix\nsystem\n" + text(f"touch {canary}") + b"\x85R."
    pickle_entry, order, storage, version = voice_entries()
    name, good = "archive/data.pkl", voice_pickle()
    squeezed = zlib.compress(good)[2:-4]
    bomb = zlib.compress(bytes(20 << 20), 9)[2:-4]
    rest = [order, storage, version]

    def with_pickle(**changes: object) -> bytes:
        return archive([Entry(name, good, **changes), *rest])  # type: ignore[arg-type]

    return {
        "data.pkl twice, attack last": archive([pickle_entry, *rest, Entry(name, attack)]),
        "data.pkl twice, attack first": archive([Entry(name, attack), pickle_entry, *rest]),
        "data.pkl in capitals": archive([pickle_entry, *rest, Entry("archive/DATA.PKL", attack)]),
        "storage twice": archive([pickle_entry, order, storage, storage, version]),
        "wrong checksum of data.pkl": with_pickle(crc=12345),
        "wrong checksum of a storage": archive(
            [pickle_entry, order, Entry("archive/data/0", bytes(1464), crc=1), version]
        ),
        "checksum zero": with_pickle(crc=0),
        "deflated": with_pickle(stored=squeezed, method=8),
        "deflated, said to be stored": with_pickle(stored=squeezed, method=0),
        "deflated in the local header only": with_pickle(local_method=8),
        "bomb of 20 MiB": archive([pickle_entry, Entry("archive/data/0", bytes(20 << 20),
                                                        stored=bomb, method=8), version]),
        "unknown compression": with_pickle(method=99),
        "encrypted": with_pickle(flags=0x0809),
        "strongly encrypted": with_pickle(flags=0x0849),
        "encrypted in the local header only": with_pickle(local_flags=0x0809),
        "masked headers": with_pickle(flags=0x2808),
        "patched data": with_pickle(flags=0x0828),
        "another name in the local header": with_pickle(local_name=b"archive/attack.p"),
        "a longer name in the local header": with_pickle(local_name=b"archive/data.pkl2"),
        "another size in the local header": with_pickle(local_numbers=(0, 5, 5)),
        "another checksum in the local header": with_pickle(
            local_numbers=(1, len(good), len(good))
        ),
        "another descriptor": with_pickle(descriptor=b"PK\x07\x08" + bytes(12)),
        "no descriptor": with_pickle(descriptor=b""),
        "unknown header field": with_pickle(local_extra=b"\x75\x70\x02\x00ab"),
        "two header fields": with_pickle(local_extra=b"FB\x00\x00FB\x00\x00"),
        "header field too long": with_pickle(local_extra=b"FB\xff\xff"),
        "half a header field": with_pickle(local_extra=b"FB"),
        "64-bit sizes in the local header": with_pickle(
            local_extra=b"\x01\x00\x10\x00" + struct.pack("<QQ", len(good), len(good))
        ),
        "64-bit sizes in the directory": with_pickle(
            central_extra=b"\x01\x00\x10\x00" + struct.pack("<QQ", len(good), len(good))
        ),
        "a name in a Unicode field": with_pickle(central_extra=b"up\x05\x00\x01abcd"),
        "size of 4 GiB": with_pickle(length=0xFFFFFFFF),
        "size of 2 GiB": with_pickle(length=0x7FFFFFFF),
        "one byte too long": with_pickle(length=len(good) + 1),
        "offset of 4 GiB": with_pickle(offset=0xFFFFFFFF),
        "offset into another entry": with_pickle(offset=10),
        "hidden bytes between entries": with_pickle(gap=attack),
        "hidden bytes after the last entry": archive(
            [pickle_entry, order, storage, Entry("archive/version", b"3\n", gap=attack)]
        ),
        "two directory entries for one file": archive(
            [pickle_entry, order, storage, Entry("archive/version", b"3\n", offset=0)]
        ),
        "tag in a later header": archive(
            [pickle_entry, Entry("archive/version", b"3\n", local_signature=b"05\x03\x04"), storage]
        ),
        "damaged local signature": with_pickle(local_signature=b"PK\x03\x05"),
    }  # fmt: skip


def _spoiled_names() -> dict[str, bytes]:
    pickle_entry, order, storage, version = voice_entries()

    def with_entry(name: str | bytes, content: bytes = b"x") -> bytes:
        return archive([pickle_entry, order, storage, version, Entry(name, content)])

    unsafe: dict[str, str | bytes] = {
        "climbs up": "../archive/data/1",
        "climbs up inside": "archive/../data/1",
        "absolute": "/archive/data/1",
        "drive": "C:/data/1",
        "backslash": "archive\\data\\1",
        "NUL": "archive/data/1\x00.pkl",
        "empty": "",
        "folder only": "archive/",
        "two slashes": "archive//data/1",
        "another folder": "brchive/data/1",
        "folder in capitals": "Archive/data/1",
        "leading zero": "archive/data/01",
        "no number": "archive/data/x",
        "Arabic digit": "archive/data/١",
        "not UTF-8": b"archive/\xff",
        "escape": "\x1b[2J/data/1",
        "right-to-left": "arch\u202eive/data/1",
        "TorchScript constants": "archive/constants.pkl",
        "TorchScript code": "archive/code/__torch__.py",
        "very long": "archive/" + "a" * 60_000,
    }
    made = {f"name: {what}": with_entry(name) for what, name in unsafe.items()}
    made["no data.pkl"] = archive([order, storage, version])
    made["big-endian"] = archive(
        [pickle_entry, Entry("archive/byteorder", b"big"), storage, version]
    )
    return made


def _spoiled_ends() -> dict[str, bytes]:
    entries = voice_entries()
    good = archive(entries)
    ends = {
        "one entry more": EndRecords(count=5, count64=5),
        "one entry less": EndRecords(count=3, count64=3),
        "65,535 entries": EndRecords(count=0xFFFF),
        "a trillion entries": EndRecords(count=0xFFFF, count64=1 << 40),
        "end records that disagree": EndRecords(count64=3),
        "directory outside the file": EndRecords(start=1 << 30),
        "directory in the data": EndRecords(start=100),
        "second volume": EndRecords(disk=1),
        "comment": EndRecords(comment=b"hello"),
        "comment that is an end record": EndRecords(comment=b"PK\x05\x06" + bytes(18)),
    }
    return {
        **{what: archive(entries, end=end) for what, end in ends.items()},
        "something after the end": good + b"\x00",
        "a second archive after the end": good + archive(voice_entries(b"\x80\x02N.")),
        "only an end record": b"PK\x05\x06" + bytes(18),
        "no end record": good[:-22],
        "64-bit end record damaged": good[:-98] + b"XX" + good[-96:],
    }


def _spoiled_starts() -> dict[str, bytes]:
    good = voice_file()
    tags = (b"07", b"99", b"pk", b"PX", b"\x00\x00", b"\xff\xff", b"5\x00", b" P", b"0\n", b"1B")
    return {
        **{f"tag {tag!r}": tag + good[2:] for tag in tags},
        "something before the start": b"MZ" + good,
        "a shell script before the start": b"#!/bin/sh\n" + good,
        "empty file": b"",
        "one byte": b"P",
        "four bytes": b"PK\x03\x04",
        "bare pickle": voice_pickle(),
        "old layout of PyTorch": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + voice_pickle(),
        "tar": bytes(257) + b"ustar\x00" + bytes(249),
        "gzip": b"\x1f\x8b\x08" + bytes(100),
        "web page": b"<!doctype html><title>404</title>",
        "safetensors": struct.pack("<Q", 2) + b"{}",
        "random": bytes(range(256)) * 16,
        "zeros": bytes(1 << 20),
    }
