"""What a host tells the engine beside the request: it decides what is at hand, not the result."""

WEIGHTS = "STRIP_STYLIZER_WEIGHTS"  # folder with downloaded CLIP weights
MEMORY = "STRIP_STYLIZER_MEMORY_GB"  # most graphics memory that a job may take
TORCHRUN = "TORCHELASTIC_RUN_ID"  # torchrun's own, in each process that it starts
