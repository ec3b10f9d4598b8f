"""A bundle as files that other programs run: made, and asked in their own runtimes."""
