"""The pooling `token7`: the token that it takes, and how many tokens there must be for it."""

INDEX = 7  # counted from 0, the first special token included
SHORTEST = INDEX + 1  # tokens
