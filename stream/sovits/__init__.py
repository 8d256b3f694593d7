"""The runtime of GPT-SoVITS voices: numpy and onnxruntime, a bundle of kind "sovits".

reference      a recording of a voice → what the models have to know of it
semantic       phones and a prompt → tokens, one by one; token_cache: what a step remembers
vocoder        tokens → sound, window by window
word_clock     when each word is heard
synthesizer    all of it
"""
