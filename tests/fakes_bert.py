"""A tiny BERT with a vocabulary of a few characters."""

import torch

from selftalk.models.bert import Bert, BertConfig

WORDS = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", *"你好吗我用写十二行天气很.,!?"
]  # fmt: skip
VOCABULARY = {word: index for index, word in enumerate(WORDS)}


def tiny_bert(width):
    torch.manual_seed(0)
    config = BertConfig(len(VOCABULARY), width, layers=4, heads=2, feed_forward=32, positions=24)
    return Bert(config).eval()
