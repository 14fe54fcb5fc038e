"""Extraction side by side with other tools, and what it has to reach."""
