"""What the benchmark of the stylization measures against, with, and on."""
