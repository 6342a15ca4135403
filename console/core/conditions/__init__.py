"""The rules behind the conditions, a file for what they ask about. `console.core.vocabulary` has them by name."""
