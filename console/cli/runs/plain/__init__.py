"""Guided runs with plain prompts, on any terminal."""
