"""Lists that move by themselves."""
