"""Fixed clips and texts, some to choose by and some held out, and how they are run and told."""
