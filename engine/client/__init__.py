"""How another program runs the engine. Standard library and the contract only."""
