"""The network of a laboratory: one bridge, and the operator's address on it."""

from __future__ import annotations

BRIDGE = "lab0"
OPERATOR = "192.168.100.1"
PREFIX = 24
