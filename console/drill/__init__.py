"""Drills: a cluster is captured, rebuilt in the laboratory with its own files, broken, and repaired by its operator."""
