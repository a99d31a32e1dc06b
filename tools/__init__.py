"""Programs of the workshop: they make the embedded encoder and are not part of the extension."""
