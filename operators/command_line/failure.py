"""What a verb raises when it cannot do its work."""


class Failure(Exception):
    """Something the user is told in a sentence."""
