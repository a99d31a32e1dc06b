"""Foreground atlas and texts to a stylized atlas (Text-Driven Stylization of Video Objects)."""
