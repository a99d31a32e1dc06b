"""What the embedded encoder knows in words, and how a text is read against it.

``concepts.json`` is the reviewed list. Standard library only, so that the host can ask, too.
"""
