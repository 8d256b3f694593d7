import pytest

from selftalk.stream.cli import main


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nobody"], "there is no imported voice model 'nobody'; there are: -"),
        (["nobody", "--t2s", "x.safetensors"], "--t2s and --vocoder are for 'nano'"),
        (["nano"], "'nano' needs --t2s and --vocoder"),
        (
            ["nano", "--t2s", "x", "--vocoder", "y", "--precision", "fp16"],
            "'nano' is exported as fp32 or int8",
        ),
    ],
)
def test_what_cannot_be_exported_is_said(words, complaint, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    assert main(["export", *words]) == 2
    assert complaint in capsys.readouterr().err
