"""Torch modules with explicit state: what a module remembers goes in and comes out as a value.

No files, no devices, no loops over time. One module serves training, streaming and export.

GPT-SoVITS, loaded from official checkpoints (variants are files in `configs/`):
    t2s              Text2Semantic: phones and a prompt → semantic tokens
    attention        self-attention with a key/value cache, positions by table
    sovits           Sovits: tokens, phones, style → waveform, window by window
    text_encoder     tokens and phones → prior of the latent; relative attention
    mrte             cross attention from speech to phones
    flow, wavenet    prior ↔ latent
    generator        latent → waveform
    posterior        spectrogram → latent, for training
    style            spectrogram of a reference → style
    quantizer        vectors ↔ tokens
    hubert           waveform → speech features
    bert             Chinese characters → text features; post_norm: the layer both are made of
    eres2net         waveform → speaker, for v2Pro
    discriminator    judges of generated speech, for training
    checkpoint       foreign checkpoints → our names; checkpoint_names: the tables
nano, our own small model:
    nano             text encoder, token decoder, vocoder
    convnext         its convolution blocks; waveform: its spectra and the way back
    tokenizer, fsq   speech → tokens; content_encoder: the same live, without Whisper
Shared:
    streaming        convolutions whose state is a value
    speaker          waveform → speaker
    spectral         spectrograms, mel bands, Kaldi filter banks
    losses           what training minimises
    weight_norm      split weights for training, fold them for everything else
    config           tables of TOML → configurations
    training/        data, schedules, stages; unlike the rest it reads files

Dimension letters: B batch, T time (frames or tokens), N phones, S samples or cache slots,
C channels, D width, H heads, L layers, F frequency bins, G style, V vocabulary.
"""
