"""Parts of the decomposition benchmark: footage, contestants, scores, tables."""
