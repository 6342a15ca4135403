"""The rules of findings: ordered, commented rows by subject. A kind of cluster says which of them are its own."""
