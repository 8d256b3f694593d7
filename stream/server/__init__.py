"""The server: one program that many kinds of clients can talk with.

app ◀ security ◀ realtime, speech, transcriptions, models, api_v2, health    serve
"""
