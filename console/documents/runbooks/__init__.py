"""Runbooks: YAML files, their schema, and the list of them."""
