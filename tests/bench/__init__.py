"""`python -m tests.bench`: how fast and how small, as ratios to the bare tools in the same run."""
