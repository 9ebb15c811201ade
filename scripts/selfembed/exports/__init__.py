"""The adapted model in other forms: smaller, faster, or with shorter vectors."""
