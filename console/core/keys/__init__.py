"""Keys with their values: read from a file of exported keys, compared with a server's, and written as commands."""
