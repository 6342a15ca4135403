"""The rules of the conditions, a file a subject. `console.core.runbooks.vocabulary` has them by name."""
