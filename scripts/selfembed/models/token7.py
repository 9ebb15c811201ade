"""The pooling `token7`: index of its token and the minimum number of tokens."""

INDEX = 7  # from 0, special tokens included
SHORTEST = INDEX + 1  # tokens
