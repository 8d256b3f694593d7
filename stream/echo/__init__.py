"""Echo: the agent's own voice, taken out of what the microphone hears."""
