"""A judge that says what it is told to say."""


def name_material(views, name):
    """Name every view the same."""
    return [(name, 1.0)]
