"""Trust: whose voice it is, that its owner agreed, and that what it says can be told from a human.

    consent      a spoken sentence, checked      → a signed receipt; `permission` asks for it
    labels       a watermark, a cue, a note in the file: on everything that is spoken
    detection    the same three, found again in any file
    audit        what was done, in a log whose every line seals the one before

What this proves and what it cannot is told in docs/trust.md. Knows nothing about how speech is
made.
"""
