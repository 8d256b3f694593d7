import torch

from selftalk.models.speaker import SpeakerConfig, SpeakerEncoder

TINY = SpeakerConfig(bands=10, channels=16, branches=4, squeeze=8, embedding=6)


@torch.inference_mode()
def test_padding_changes_nothing():
    torch.manual_seed(0)
    encoder = SpeakerEncoder(TINY).eval()
    mel = torch.randn(2, 10, 50)
    mask = torch.arange(50) < torch.tensor([[50], [31]])
    together = encoder(mel, mask)
    torch.testing.assert_close(together[1:], encoder(mel[1:, :, :31]))
    torch.testing.assert_close(together[:1], encoder(mel[:1]))


@torch.inference_mode()
def test_embeddings_are_unit_vectors():
    torch.manual_seed(0)
    embedding = SpeakerEncoder(TINY).eval()(torch.randn(3, 10, 20))
    assert embedding.shape == (3, 6)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(3))


def test_size_is_that_of_the_paper():
    """ECAPA-TDNN with 512 channels: about 6 million parameters."""
    with torch.device("meta"):
        encoder = SpeakerEncoder(SpeakerConfig())
    assert 5.5e6 < sum(each.numel() for each in encoder.parameters()) < 6.6e6
