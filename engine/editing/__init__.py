"""Changes by hand: what someone painted or placed becomes a change of the atlas."""
