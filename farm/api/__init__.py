"""The REST API: the one that Bonsai's clients speak, and the farm's own under /v1."""
