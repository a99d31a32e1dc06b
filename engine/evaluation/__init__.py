"""How good a result is: metrics and the report."""
