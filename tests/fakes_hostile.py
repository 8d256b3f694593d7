"""A corpus of hostile checkpoints: name of the attack to the bytes of the file.

Every payload that would run a command creates the canary file when a real unpickler meets it.
"""

import pickle
import pickletools
import struct

from fakes_checkpoints import (
    ORDERED_DICT,
    S2_WEIGHT,
    mapping,
    number,
    tensor,
    text,
    voice_file,
    voice_pickle,
)
from fakes_hostile_zip import hostile_archives

_ACCEPTED = b"(XKMJ\x8aGN\x88\x89]ae}su)t\x85\x86\x87qrhjcQR\x81b"
"""The opcodes that a genuine checkpoint uses; every other one makes a hostile file."""

_DETOURS = (
    ("posix", "system"), ("nt", "system"), ("os", "system"), ("os", "popen"), ("os", "execv"),
    ("builtins", "eval"), ("builtins", "exec"), ("builtins", "getattr"), ("builtins", "__import__"),
    ("builtins", "compile"), ("builtins", "open"), ("__builtin__", "eval"),
    ("importlib", "import_module"), ("importlib", "reload"), ("subprocess", "Popen"),
    ("subprocess", "check_output"), ("pty", "spawn"), ("runpy", "run_path"), ("runpy", "_run_code"),
    ("torch", "load"), ("torch.serialization", "load"), ("torch.storage", "_load_from_bytes"),
    ("torch.hub", "load"), ("torch.jit", "load"), ("torch._tensor", "_rebuild_from_type_v2"),
    ("torch._utils", "_rebuild_tensor"), ("torch._dynamo.guards", "GuardBuilder.get"),
    ("pickle", "loads"), ("_pickle", "loads"), ("dill", "loads"), ("joblib", "load"),
    ("numpy", "load"), ("numpy.testing._private.utils", "runstring"), ("marshal", "loads"),
    ("types", "FunctionType"), ("types", "CodeType"), ("timeit", "timeit"), ("cProfile", "run"),
    ("bdb", "Bdb.run"), ("code", "InteractiveInterpreter"), ("ctypes", "CDLL"),
    ("socket", "create_connection"), ("webbrowser", "open"), ("shutil", "rmtree"),
    ("operator", "attrgetter"), ("operator", "methodcaller"), ("functools", "partial"),
    ("functools", "reduce"), ("codecs", "decode"), ("_codecs", "encode"),
    ("copyreg", "add_extension"), ("lib2to3.pgen2.pgen", "ParserGenerator"),
    ("ensurepip", "_run_pip"), ("idlelib.pyshell", "main"), ("pip._internal", "main"),
    ("site", "main"), ("uuid", "_get_command_stdout"),
    ("urllib.request", "urlretrieve"), ("asyncio.unix_events", "_UnixSubprocessTransport._start"),
    ("collections", "OrderedDict.fromkeys"), ("collections", "defaultdict"),
    ("utils", "HParams.__init__.__globals__"), ("utils", "os.system"), ("torch", "nn.Module"),
    ("torch", "ComplexFloatStorage"), ("torch.storage", "UntypedStorage"), ("__main__", "HParams"),
)  # fmt: skip


def corpus(canary: str) -> dict[str, bytes]:
    """All hostile files; the commands in them would create the file `canary`."""
    return {
        **{f"pickle: {name}": voice_file(raw) for name, raw in hostile_pickles(canary).items()},
        **{f"zip: {name}": raw for name, raw in hostile_archives(canary).items()},
        **{f"tensor: {name}": voice_file(raw) for name, raw in hostile_tensors().items()},
        **{f"content: {name}": raw for name, raw in unwanted_files().items()},
        **{f"cut: {at}": raw for at, raw in truncated_files().items()},
    }


def hostile_pickles(canary: str) -> dict[str, bytes]:
    return {
        **_detours(canary),
        **_refused_opcodes(canary),
        **_misused_opcodes(),
        **_endless_structures(),
    }


def _detours(canary: str) -> dict[str, bytes]:
    command = text(f"touch {canary}")
    made = {
        f"global {module}.{name}": voice_pickle(
            info=b"c" + f"{module}\n{name}\n".encode() + command + b"\x85R"
        )
        for module, name in _DETOURS
    }
    system = b"cposix\nsystem\n" + command
    made["system before everything"] = b"\x80\x02" + system + b"\x85R0" + voice_pickle()[2:]
    made["system in the config"] = voice_pickle(config=system + b"\x85R")
    made["system as a tensor"] = voice_pickle(weight=mapping({"a": system + b"\x85R"}))
    made["system as a storage"] = voice_pickle(weight=mapping({"a": system + b"\x85RQ"}))
    made["system as a tensor's hooks"] = voice_pickle(
        weight=mapping({"a": tensor([1])[: -len(ORDERED_DICT) - 2] + system + b"\x85RtR"})
    )
    made["stack global"] = voice_pickle(
        info=text("posix") + text("system") + b"\x93" + command + b"\x85R"
    )
    made["instance"] = voice_pickle(info=b"(" + command + b"iposix\nsystem\n")
    made["object"] = voice_pickle(info=b"(cposix\nsystem\n" + command + b"o")
    made["nested pickle"] = voice_pickle(
        info=b"cpickle\nloads\nB" + _sized(b"\x80\x02" + system + b"\x85R.") + b"\x85R"
    )
    made["written by pickle.dumps, protocol 5"] = pickle.dumps(_Runs(f"touch {canary}"), protocol=5)
    made["written by pickle.dumps, protocol 2"] = pickle.dumps(_Runs(f"touch {canary}"), protocol=2)
    made["written by pickle.dumps, protocol 0"] = pickle.dumps(_Runs(f"touch {canary}"), protocol=0)
    made["a second pickle after the first"] = voice_pickle() + b"\x80\x02" + system + b"\x85R."
    made["number that desynchronises scanners"] = voice_pickle(info=b"I01\n" + system + b"\x85R")
    return made


class _Runs:
    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (self._command,)


def _sized(raw: bytes) -> bytes:
    return struct.pack("<I", len(raw)) + raw


def _refused_opcodes(canary: str) -> dict[str, bytes]:
    """One file for each opcode of the pickle language that a checkpoint has no use for."""
    made = {}
    for opcode in pickletools.opcodes:
        code = opcode.code.encode("latin-1")
        if code not in _ACCEPTED and code != b".":
            argument = f"touch {canary}\n".encode() if opcode.arg is not None else b""
            made[f"opcode {opcode.name}"] = voice_pickle(info=b"((NN" + code + argument)
    made["extension code 1"] = voice_pickle(info=b"\x82\x01")
    made["giant bytes"] = voice_pickle(info=b"B\xff\xff\xff\x7f")
    made["giant text, 64 bits"] = voice_pickle(info=b"\x8d" + struct.pack("<Q", 1 << 62))
    made["giant frame"] = b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N."
    return made


def _misused_opcodes() -> dict[str, bytes]:
    storage = b"ctorch\nHalfStorage\n"
    hparams = b"cutils\nHParams\n"
    infos = {
        "call a storage": storage + b")R",
        "call a text": text("os.system") + b")R",
        "call a call": ORDERED_DICT + b")R",
        "call HParams": hparams + b")R",
        "call OrderedDict with items": b"ccollections\nOrderedDict\n" + b"]\x85R",
        "call with a list": b"ccollections\nOrderedDict\n]R",
        "call a tensor rebuild with nothing": b"ctorch._utils\n_rebuild_tensor_v2\n)R",
        "call a parameter rebuild with text": b"ctorch._utils\n_rebuild_parameter\nNNN\x87R",
        "new OrderedDict": b"ccollections\nOrderedDict\n)\x81",
        "new storage": storage + b")\x81",
        "new HParams with arguments": hparams + b"N\x85\x81",
        "build a global": hparams + b"}b",
        "build a tensor": tensor([1]) + b"}b",
        "build a dict": b"}}b",
        "build with slots": hparams + b")\x81}}\x86b",
        "build with text": hparams + b")\x81Nb",
        "build __setstate__": storage + mapping({"__setstate__": b"N"}) + b"b",
        "append to a dict": b"}Na",
        "append to a tuple": b")Na",
        "set an item of a list": b"]NNs",
        "set items of HParams": hparams + b")\x81(" + text("a") + b"Nu",
        "odd number of items": b"}(" + text("a") + b"u",
        "a list as a key": b"}(]Nu",
        "a tuple as a key": b"}()Nu",
        "a float as a key": b"}(G" + bytes(8) + b"Nu",
        "persistent id text": text("0") + b"Q",
        "persistent id of another kind": b"(" + text("module") + storage + b"NNNtQ",
        "persistent id with a class": b"(" + text("storage") + hparams + b"NNNtQ",
        "memo never filled": b"h\x05",
        "memo slot far away": b"Nr\xff\xff\xff\xff",
        "memo slot skipped": b"Nq\x07",
        "text of 2 GiB": b"X\xff\xff\xff\x7f" + b"a" * 100,
        "text of 100 KiB": text("a" * 100_000),
        "text that is not UTF-8": b"X\x02\x00\x00\x00\xff\xfe",
        "number of 255 bytes": b"\x8a\xff" + b"\xff" * 255,
        "global without an end": b"cos\n" + b"a" * 200_000,
        "pop from nothing": b"\x87" * 3,
        "tuple without a mark": b"ttt",
    }
    made = {name: voice_pickle(info=info) for name, info in infos.items()}
    made["stop too early"] = b"\x80\x02."
    made["stop within a mark"] = b"\x80\x02(."
    made["two values at the stop"] = voice_pickle(before_stop=b"N")
    made["no stop"] = voice_pickle()[:-1]
    made["protocol 4"] = b"\x80\x04" + voice_pickle()[2:]
    made["no protocol"] = voice_pickle()[2:]
    made["nothing"] = b""
    return made


def _endless_structures() -> dict[str, bytes]:
    laughs = b"]q\x00(" + text("ha") * 10 + b"e"
    for level in range(1, 12):
        laughs += b"]q" + bytes([level]) + b"(" + (b"h" + bytes([level - 1])) * 10 + b"e"
    return {
        "config that contains itself": voice_pickle(config=b"}q\x00" + text("a") + b"h\x00s"),
        "list that contains itself": voice_pickle(config=mapping({"a": b"]q\x00h\x00a"})),
        "HParams that contain themselves": voice_pickle(
            config=b"cutils\nHParams\n)\x81q\x00" + mapping({"a": b"h\x00"}) + b"b"
        ),
        "a billion laughs": voice_pickle(
            config=mapping({"a": b"(" + laughs + b"t"})
        ),
        "one long text a thousand times": voice_pickle(
            config=mapping({"a": text("a" * 60_000) + b"q\x00", "b": _list(b"h\x00" * 1000)})
        ),
        "marks without end": voice_pickle(info=b"(" * 100_000),
        "lists in lists": voice_pickle(config=mapping({"a": b"]" + b"]" * 90_000 + b"a" * 90_000})),
        "tuples in tuples": voice_pickle(config=mapping({"a": b")" + b"\x85" * 180_000})),
        "dicts in dicts": voice_pickle(
            config=mapping({"a": (b"}" + text("a")) * 50_000 + b"N" + b"s" * 50_000})
        ),
        "a million opcodes": voice_pickle(info=_list(b"N" * 1_000_000)),
        "five mebibytes": voice_pickle(info=_list(text("a" * 60_000) * 90)),
        "one dict as the state of many objects": voice_pickle(
            config=mapping(
                {
                    "a": b"}q\x00(" + b"".join(text(str(n)) + b"N" for n in range(20_000)) + b"u",
                    "b": _list(b"cutils\nHParams\n)\x81h\x00b" * 20_000),
                }
            )
        ),
    }  # fmt: skip


def _list(items: bytes) -> bytes:
    return b"](" + items + b"e"


def hostile_tensors() -> dict[str, bytes]:
    """Windows that reach outside, weights that are no tensors, sizes that would need terabytes."""
    name = "enc_p.text_embedding.weight"
    huge = 1 << 62
    tensors = {
        "negative offset": tensor([1], offset=-1),
        "offset beyond the end": tensor([1], offset=732),
        "giant offset": tensor([1], offset=huge),
        "negative size": tensor([-1]),
        "negative stride": tensor([732], strides=[-1], offset=731),
        "stride beyond the end": tensor([2], strides=[732]),
        "giant stride": tensor([2], strides=[huge]),
        "giant size without stride": tensor([huge], strides=[0]),
        "sizes that overflow": tensor([1 << 32, 1 << 32], strides=[0, 0]),
        "expanded": tensor([733], strides=[0]),
        "empty but giant": tensor([0, huge]),
        "nine dimensions": tensor([1] * 9),
        "more strides than sizes": tensor([1], strides=[1, 1]),
        "size that is text": tensor([1]).replace(number(1), text("1"), 1),
        "storage that is missing": tensor([732, 1], key="1"),
        "storage with a path for a key": tensor([732, 1], key="../version"),
        "storage larger than its bytes": tensor([732, 1], elements=1_000_000),
        "storage smaller than its bytes": tensor([732, 1], elements=731 + 2),
        "storage of a negative size": tensor([0], elements=-1),
        "storage of another type": tensor([732, 1], storage=b"ctorch\nDoubleStorage\n"),
        "storage of an unknown type": tensor([732, 1], storage=b"ctorch\nQInt8Storage\n"),
        "storage class that is a function": tensor(
            [1], storage=b"ctorch._utils\n_rebuild_tensor_v2\n"
        ),
    }
    made = {what: voice_pickle(weight=mapping({name: raw})) for what, raw in tensors.items()}
    shared = {f"a.{n}": tensor([732, 1]) for n in range(2000)}
    weights = {
        "two thousand views of one storage": mapping({**S2_WEIGHT, **shared}),
        "a weight that is a number": mapping({name: number(1)}),
        "a weight that is a storage": mapping({name: b"ctorch\nHalfStorage\n"}),
        "a weight without a name": b"}(" + number(1) + tensor([1]) + b"u",
        "a weight named like the header": mapping({**S2_WEIGHT, "__metadata__": tensor([1])}),
        "a weight with an escape in its name": mapping({**S2_WEIGHT, "\x1b[2J": tensor([1])}),
        "a weight with a long name": mapping({**S2_WEIGHT, "a" * 5000: tensor([1])}),
        "weights in a list": b"]",
        "no weights": b"}",
    }
    return {**made, **{what: voice_pickle(weight=raw) for what, raw in weights.items()}}


def unwanted_files() -> dict[str, bytes]:
    """Honest files that are not what is asked for, and dishonest ones that pretend to be."""
    name = "enc_p.text_embedding.weight"

    def holding(*names: str) -> bytes:
        return mapping({**S2_WEIGHT, **{n: tensor([1]) for n in names}})

    pickles = {
        "list": b"\x80\x02].",
        "bare tensors": b"\x80\x02" + mapping(S2_WEIGHT) + b".",
        "training state": b"\x80\x02" + mapping({"model": b"}", "optimizer": b"}"}) + b".",
        "unknown layers": voice_pickle(weight=mapping({"a": tensor([1])})),
        "500 symbols": voice_pickle(weight=mapping({name: tensor([500, 1])})),
        "symbols without rows": voice_pickle(weight=mapping({name: tensor([])})),
        "discriminator": voice_pickle(
            weight=mapping({"discriminators.0.conv_post.weight_g": tensor([1])})
        ),
        "v3": voice_pickle(weight=holding("cfm.estimator.x", "bridge.0.weight")),
        "LoRA": voice_pickle(weight=holding("cfm.base_model.model.to_q.lora_A.default.weight")),
        "no config": voice_pickle(config=b"N"),
        "config of text": voice_pickle(config=text("{}")),
        "config with a tensor": voice_pickle(config=mapping({"a": tensor([1])})),
        "config with a class": voice_pickle(config=mapping({"a": b"cutils\nHParams\n"})),
        "config with NaN": voice_pickle(config=mapping({"a": b"G\x7f\xf8" + bytes(6)})),
        "info of a list": voice_pickle(info=b"]"),
    }
    tags = {f"tag {tag} with other layers": voice_file(tag=tag.encode()) for tag in
            ("00", "02", "03", "04", "05", "06")}  # fmt: skip
    return {**{what: voice_file(raw) for what, raw in pickles.items()}, **tags}


def truncated_files() -> dict[int, bytes]:
    """An honest file, cut off at 50 places."""
    good = voice_file()
    return {at: good[:at] for at in range(0, len(good) - 1, len(good) // 50)}
