"""What a capture reads on a node: one program, which is asked once for each round of files."""
