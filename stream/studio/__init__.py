"""The studio: recordings of a person become a voice, and texts become recordings.

    files, microphone ─▶ takes ─▶ checks ─▶ slices ─▶ Recording ─▶ enroll, clone
    text, Markdown, EPUB ─▶ chapters ─▶ narration ─▶ audio file, subtitles, chapter marks

A room of its own: the conversation knows nothing of it.
"""
