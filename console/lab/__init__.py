"""The laboratory: real servers on hosts made of Linux namespaces, for tests, demos and drills."""
