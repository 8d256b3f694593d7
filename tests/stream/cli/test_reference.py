import argparse

import numpy as np
from fakes_sovits import bundle_of

from selftalk.stream.cli import reference
from selftalk.stream.sound.audio import AudioChunk, write_wav
from selftalk.stream.synthesis.voices import Voice


def test_a_long_recording_makes_a_voice_of_its_best_seconds(tmp_path, monkeypatch, capsys):
    random = np.random.default_rng(0)
    samples = 0.1 * random.standard_normal(25 * 16_000)
    samples[(np.arange(len(samples)) / 16_000) % 5 >= 4] *= 0.005
    write_wav(tmp_path / "long.wav", AudioChunk(samples.astype(np.float32), 16_000))
    heard = []
    listen = reference.ReferenceListener.listen

    def watched(self, recording, *rest):
        heard.append(recording.duration_seconds)
        return listen(self, recording, *rest)

    monkeypatch.setattr(reference.ReferenceListener, "listen", watched)
    parser = argparse.ArgumentParser()
    reference.add_parser(parser.add_subparsers())
    bundle = bundle_of()
    line = ["reference", str(tmp_path / "long.wav"), "--bundle", str(bundle.folder)]
    args = parser.parse_args([*line, "--name", "excerpt", "--stock", "noise"])
    assert args.run(args) == 0
    assert 3 <= heard[0] <= 10
    path = bundle.voices_folder / "excerpt.voice"
    assert Voice.load(path).reference.style.any()
    assert str(path) in capsys.readouterr().out
    path.unlink()
