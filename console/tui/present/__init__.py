"""Turns values into text. Pure: no widget and no clock. A colour never carries a meaning without a word."""
