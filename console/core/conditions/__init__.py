"""The rules of the conditions, one file per subject. `console.core.runbooks.vocabulary` maps names to rules."""
