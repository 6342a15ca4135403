"""Inventories: YAML files, their schema, checks and passwords."""
